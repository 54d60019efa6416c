/// Writes HTML: markup as it is given, text with its special characters escaped.
struct HTMLWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 4096) { bytes.reserveCapacity(capacity) }

  /// Markup of our own.
  mutating func markup(_ html: StaticString) { html.withUTF8Buffer { bytes.append(contentsOf: $0) } }

  /// Text, for between tags and for values of attributes in double quotes.
  mutating func text(_ text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): markup("&amp;")
      case UInt8(ascii: "<"): markup("&lt;")
      case UInt8(ascii: ">"): markup("&gt;")
      case UInt8(ascii: "\""): markup("&quot;")
      case UInt8(ascii: "'"): markup("&#39;")
      default: bytes.append(byte)
      }
    }
  }

  /// An element without attributes around a text.
  mutating func element(_ name: StaticString, _ content: String) {
    markup("<")
    markup(name)
    markup(">")
    text(content)
    markup("</")
    markup(name)
    markup(">")
  }

  /// An element of a class around a text.
  mutating func element(_ name: StaticString, class style: String, _ content: String) {
    markup("<")
    markup(name)
    markup(" class=\"")
    text(style)
    markup("\">")
    text(content)
    markup("</")
    markup(name)
    markup(">")
  }

  /// A link to a place of the page.
  mutating func link(to place: String, _ content: String) {
    markup("<a href=\"#")
    text(place)
    markup("\">")
    text(content)
    markup("</a>")
  }
}
