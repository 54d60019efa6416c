/// Why a text is not JSON as we take it.
package struct JSONError: Error, Equatable {
  package enum Kind: Sendable {
    /// The text breaks JSON's grammar, or a number or `\u0000` that jansson refuses.
    case syntax
    /// A string, or the text, is not UTF-8.
    case utf8
    /// Deeper or longer than the limits.
    case limit
  }

  package let kind: Kind
  package let message: String
  /// Byte offset, from 0.
  package let position: Int
  /// Line, from 1, and byte in the line, from 1.
  package let line: Int
  package let column: Int

  init(_ kind: Kind, _ message: String, at position: Int, in bytes: [UInt8]) {
    self.kind = kind
    self.message = message
    self.position = position
    var line = 1
    var start = 0
    for (index, byte) in bytes.prefix(position).enumerated() where byte == 0x0a {
      line += 1
      start = index + 1
    }
    self.line = line
    self.column = position - start + 1
  }

  /// One line: what is wrong, and where.
  package var description: String { "\(message) near line \(line), column \(column) (byte \(position))" }
}
