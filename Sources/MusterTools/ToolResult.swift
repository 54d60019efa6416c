package import MusterJSON

/// What a tool answered.
package struct ToolResult: Sendable {
  /// Any JSON value.
  package let content: JSON
  package let isError: Bool

  package init(content: JSON, isError: Bool) {
    self.content = content
    self.isError = isError
  }

  /// An answer with no more than `limit` bytes of text: of a string its content counts, of anything else its compact text.
  /// A longer one becomes a string that is cut at a character, and says at its end how much is missing.
  init(_ content: JSON, isError: Bool, limit: Int) {
    self.isError = isError
    // A string's content is never longer than its lexeme.
    let text = content.bytes.count > limit ? content.utf8 ?? Array(content.bytes) : []
    self.content = text.count > limit ? ToolResult.cut(text, limit) : content.detached
  }

  private static func cut(_ text: [UInt8], _ limit: Int) -> JSON {
    // The marker is longest, and the text before it shortest, when everything is missing.
    var end = max(limit &- marker(text.count, of: text.count).utf8.count, 0)
    while end > 0, text[end] & 0xc0 == 0x80 { end -= 1 }
    return .string(String(decoding: text.prefix(end), as: UTF8.self) + marker(text.count &- end, of: text.count))
  }

  private static func marker(_ missing: Int, of count: Int) -> String {
    "\n[\(missing) of \(count) bytes were cut off]"
  }
}
