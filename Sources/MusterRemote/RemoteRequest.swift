package import MusterJSON

/// A call of an operation, as the REST service takes it.
package struct RemoteRequest: Sendable {
  package let method: String
  /// As the operation declares it: `/v1/agents/{agent_id}`.
  package let path: String
  /// The values of the path's parameters, by name.
  package let pathValues: [(name: String, value: String)]
  package let query: [(name: String, value: String)]
  package let body: JSON?
  package let idempotencyKey: String?

  package init(
    method: String, path: String, pathValues: [(name: String, value: String)], query: [(name: String, value: String)],
    body: JSON?, idempotencyKey: String?
  ) {
    self.method = method
    self.path = path
    self.pathValues = pathValues
    self.query = query
    self.body = body
    self.idempotencyKey = idempotencyKey
  }

  /// Whether it has the same effect when it is sent twice.
  var mayRepeat: Bool { method != "POST" || idempotencyKey != nil }

  /// Path and query, percent-encoded. Nil when a value of the path cannot stand in one: it is missing, empty, `.` or
  /// `..`, or holds a NUL.
  var target: String? {
    var text: [UInt8] = []
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
      text.append(UInt8(ascii: "/"))
      guard part.first == UInt8(ascii: "{") else {
        text.append(contentsOf: part)
        continue
      }
      let name = String(decoding: Array(part.dropFirst().dropLast()), as: UTF8.self)
      guard let value = pathValues.first(where: { $0.name == name })?.value, !value.isEmpty, value != ".",
        value != "..", !value.utf8.contains(0)
      else { return nil }
      RemoteRequest.append(value, to: &text)
    }
    var separator = UInt8(ascii: "?")
    for parameter in query {
      text.append(separator)
      separator = UInt8(ascii: "&")
      RemoteRequest.append(parameter.name, to: &text)
      text.append(UInt8(ascii: "="))
      RemoteRequest.append(parameter.value, to: &text)
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Everything but the unreserved characters of RFC 3986 is encoded.
  private static func append(_ value: String, to text: inout [UInt8]) {
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in value.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        text.append(byte)
      default:
        text.append(UInt8(ascii: "%"))
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
      }
    }
  }
}
