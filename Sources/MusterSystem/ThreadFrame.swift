import CPlatform

/// What a thread is inside of: a name, and what is around it.
package final class ThreadFrame: Sendable {
  private let name: String
  private let outer: ThreadFrame?

  package init(_ name: String, inside outer: ThreadFrame?) {
    self.name = name
    self.outer = outer
  }

  /// What this thread is inside of; nil when nothing is noted.
  package static var current: ThreadFrame? {
    platform_thread_frame().map { Unmanaged<ThreadFrame>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Runs `body` with `frame` as what this thread is inside of, whatever it is inside of already.
  package static func run(in frame: ThreadFrame?, _ body: () -> Void) {
    let before = platform_thread_frame()
    withExtendedLifetime(frame) {
      platform_thread_frame_set(frame.map { Unmanaged.passUnretained($0).toOpaque() })
      body()
      platform_thread_frame_set(before)
    }
  }

  /// Whether it, or something around it, has the name.
  package func isIn(_ wanted: String) -> Bool {
    var frame: ThreadFrame? = self
    while let next = frame {
      if next.name == wanted { return true }
      frame = next.outer
    }
    return false
  }
}
