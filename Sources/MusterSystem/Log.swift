/// Where a plane's log lines go: nowhere, or to the host's function.
package struct Log: Sendable {
  package enum Level: Int32, Sendable {
    case error = 1
    case warning = 2
    case info = 3
    case debug = 4
  }

  private let sink: (@Sendable (Level, StaticString, String) -> Void)?

  /// Drops every line.
  package static let none = Log(sink: nil)

  package init(sink: (@Sendable (Level, StaticString, String) -> Void)?) { self.sink = sink }

  /// Whether somebody listens.
  package var isOn: Bool { sink != nil }

  /// Writes one line. `message` is built only if somebody listens; it never holds a secret.
  package func write(_ level: Level, _ component: StaticString, _ message: @autoclosure () -> String) {
    sink?(level, component, message())
  }
}
