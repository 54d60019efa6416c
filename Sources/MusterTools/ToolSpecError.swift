/// Why a text says nothing about a tool.
package struct ToolSpecError: Error, Equatable {
  /// One line: the place that is wrong, as a JSON pointer, and how.
  package let message: String

  init(_ message: String) { self.message = message }
}
