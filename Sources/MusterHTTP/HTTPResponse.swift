/// A whole answer, of whatever status.
package struct HTTPResponse: Sendable {
  package let status: Int
  /// The headers of the final answer in order, blanks around values removed.
  package let headers: [HTTPHeader]
  package let body: [UInt8]

  package init(status: Int, headers: [HTTPHeader], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The value of the first header with this name, whose case does not matter.
  package func header(_ name: String) -> String? {
    headers.first { $0.isNamed(name) }?.value
  }
}

extension HTTPResponse {
  /// Reads header lines as they came; those of earlier, interim answers are dropped. Bytes that are not UTF-8 are
  /// replaced.
  static func headers(in lines: [UInt8]) -> [HTTPHeader] {
    var found: [HTTPHeader] = []
    for line in lines.split(separator: UInt8(ascii: "\n")) {
      if line.starts(with: "HTTP/".utf8) {
        found.removeAll()
        continue
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let name = String(decoding: line[..<colon], as: UTF8.self)
      let value = HTTPText.trimmed(line[line.index(after: colon)...])
      found.append(HTTPHeader(name, String(decoding: value, as: UTF8.self)))
    }
    return found
  }
}
