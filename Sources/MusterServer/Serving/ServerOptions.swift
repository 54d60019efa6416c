package import MusterAPI
package import MusterHTTP
import MusterJSON
import MusterSystem

/// What `muster_serve` is told.
package struct ServerOptions: Sendable {
  package var listen = ListenAddress.tcp(host: "127.0.0.1", port: 0, isIPv6: false)
  /// PEM texts: certificate and key come together.
  package var certificate: [UInt8]?
  package var key: [UInt8]?
  /// How often each key may ask; nil: as often as it likes.
  package var rateLimits: RateLimits? = .documented
  /// Which addresses the callers may let the server ask.
  package var network = NetworkPolicy.public
  package var maximumBodyBytes: Int64 = 67_108_864
  package var maximumHeaderBytes: Int64 = 16_384
  package var maximumConnections: Int64 = 1_024
  package var idleMilliseconds: Int64 = 30_000
  package var headerMilliseconds: Int64 = 10_000
  package var stopMilliseconds: Int64 = 10_000
  package var heartbeatMilliseconds: Int64 = 15_000
  package var workers: Int64 = 256

  package init() {}

  /// Reads a JSON object; an empty text takes every default.
  package init(_ text: [UInt8]) throws(Failure) {
    guard !text.isEmpty else { return }
    let object: JSON
    do throws(JSONError) {
      object = try JSON.parse(text)
    } catch {
      throw Failure(error, in: "options_json")
    }
    guard object.kind == .object else { throw Failure(.misuse, "options_json must be an object") }
    for member in object.members { try set(member.key, member.value) }
    guard (certificate == nil) == (key == nil) else {
      throw Failure(.misuse, "options_json: tls_cert and tls_key come together")
    }
  }

  private mutating func set(_ key: String, _ value: JSON) throws(Failure) {
    switch key {
    case "listen":
      guard let text = value.string, let address = ListenAddress(text) else {
        throw wrong(key, "must be ADDRESS:PORT, [IPV6]:PORT or unix:PATH")
      }
      listen = address
    case "tls_cert": certificate = try file(key, value)
    case "tls_key": self.key = try file(key, value)
    case "rate_limit":
      guard let text = value.string else { throw wrong(key, "must be \"MINUTE/HOUR\" or \"off\"") }
      rateLimits = RateLimits(text)
      guard rateLimits != nil || text == "off" else { throw wrong(key, "must be \"MINUTE/HOUR\" or \"off\"") }
    case "allow_network": network = try policy(key, value)
    case "max_body_bytes": maximumBodyBytes = try integer(key, value, 1...67_108_864)
    case "max_header_bytes": maximumHeaderBytes = try integer(key, value, 4_096...1_048_576)
    case "max_connections": maximumConnections = try integer(key, value, 1...100_000)
    case "idle_timeout_ms": idleMilliseconds = try integer(key, value, 1_000...3_600_000)
    case "header_timeout_ms": headerMilliseconds = try integer(key, value, 100...3_600_000)
    case "stop_timeout_ms": stopMilliseconds = try integer(key, value, 0...3_600_000)
    case "heartbeat_ms": heartbeatMilliseconds = try integer(key, value, 1_000...60_000)
    case "workers": workers = try integer(key, value, 1...4_096)
    default: throw wrong(key, "is not a known key")
    }
  }

  private func wrong(_ key: String, _ problem: String) -> Failure {
    Failure(.misuse, "options_json: \(key) \(problem)")
  }

  private func integer(_ key: String, _ value: JSON, _ range: ClosedRange<Int64>) throws(Failure) -> Int64 {
    guard let number = value.int64, range.contains(number) else {
      throw wrong(key, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func policy(_ key: String, _ value: JSON) throws(Failure) -> NetworkPolicy {
    guard value.kind == .array else { throw wrong(key, "must be an array of loopback, private and HOST[:PORT]") }
    var entries: [String] = []
    for element in value.elements {
      guard let entry = element.string else { throw wrong(key, "must be an array of texts") }
      entries.append(entry)
    }
    do throws(NetworkPolicy.UnknownEntry) {
      return try NetworkPolicy(allowing: entries)
    } catch {
      throw wrong(key, "\(error.entry) is neither loopback, private nor HOST[:PORT]")
    }
  }

  private func file(_ key: String, _ value: JSON) throws(Failure) -> [UInt8] {
    guard let path = value.string, !path.isEmpty else { throw wrong(key, "must be the path of a PEM file") }
    var problem = ""
    guard let bytes = FileText.read(path, maximum: 1_048_576, problem: &problem), !bytes.contains(0) else {
      throw wrong(key, "\(path) cannot be read: \(problem.isEmpty ? "it is no text" : problem)")
    }
    return bytes
  }
}
