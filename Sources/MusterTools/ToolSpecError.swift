/// Why a text says nothing about a tool: the key that is wrong, and how.
package struct ToolSpecError: Error, Equatable {
  /// One line.
  package let message: String

  init(_ key: String, _ problem: String) { message = "\(key) \(problem)" }
}
