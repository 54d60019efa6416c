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
    headers.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name }?.value
  }
}
