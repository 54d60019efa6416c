/// A request as it came, without the socket that it came from.
package struct RESTRequest: Sendable {
  /// In capital letters.
  package let method: String
  /// Path and query as they were sent: `/v1/agents?page=2`.
  package let target: [UInt8]
  /// In the order in which they came; names in any case.
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]

  package init(method: String, target: [UInt8], headers: [(name: String, value: String)], body: [UInt8]) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
  }

  /// The value of the first header with this name, which is given in lower-case letters.
  package func header(_ name: String) -> String? {
    for header in headers where RESTRequest.isSame(header.name.utf8, name.utf8) { return header.value }
    return nil
  }

  private static func isSame(_ name: String.UTF8View, _ lowercase: String.UTF8View) -> Bool {
    guard name.count == lowercase.count else { return false }
    for (byte, wanted) in zip(name, lowercase) {
      let isCapital = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      if (isCapital ? byte | 0x20 : byte) != wanted { return false }
    }
    return true
  }
}
