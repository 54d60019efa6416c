/// A number that a plane counts upwards while it is open.
package struct Measure: Sendable {
  package let name: StaticString
  package let help: StaticString
  package let value: Int64
  /// Tells apart numbers of one name, which stand beside each other.
  package let label: (name: StaticString, value: String)?

  init(
    _ name: StaticString, _ help: StaticString, _ value: Int64, _ label: (name: StaticString, value: String)? = nil
  ) {
    self.name = name
    self.help = help
    self.value = value
    self.label = label
  }
}
