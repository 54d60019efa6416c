import MusterAPI
import MusterSystem

/// Counts what a server does, for `GET /metrics`. Labels are patterns and statuses: nothing that callers choose.
final class ServerMetrics: @unchecked Sendable {
  private struct Series: Hashable {
    let route: String
    let method: String
    let status: UInt32
  }

  private struct Histogram {
    /// How many took as long as a bound, and longer than the one before.
    var counts = [Int64](repeating: 0, count: ServerMetrics.bounds.count)
    var count: Int64 = 0
    var microseconds: Int64 = 0

    mutating func add(_ taken: Int64) {
      count &+= 1
      microseconds &+= taken
      if let index = ServerMetrics.bounds.firstIndex(where: { taken <= $0.microseconds }) { counts[index] &+= 1 }
    }
  }

  /// Microseconds, and how they are written in seconds.
  private static let bounds: [(microseconds: Int64, text: String)] = [
    (500, "0.0005"), (1_000, "0.001"), (2_500, "0.0025"), (5_000, "0.005"), (10_000, "0.01"), (25_000, "0.025"),
    (50_000, "0.05"), (100_000, "0.1"), (250_000, "0.25"), (500_000, "0.5"), (1_000_000, "1"), (2_500_000, "2.5"),
    (5_000_000, "5"), (10_000_000, "10"), (60_000_000, "60"),
  ]

  private let lock = Lock()
  private var requests: [Series: Int64] = [:]
  private var durations: [String: Histogram] = [:]
  private let began = Timestamp.now()

  /// The methods that HTTP knows; others are one.
  static func label(method: String) -> String {
    switch method {
    case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS": return method
    default: return "other"
    }
  }

  func count(route: String?, method: String, status: UInt32, microseconds: Int64) {
    let series = Series(route: route ?? "other", method: method, status: status)
    lock.withLock {
      requests[series, default: 0] &+= 1
      durations[series.route, default: Histogram()].add(microseconds)
    }
  }

  /// The Prometheus text format; `gauges` are what is measured at the moment, `measures` what the plane counts.
  func text(
    _ gauges: [(name: StaticString, help: StaticString, value: Int64)], _ measures: [Measure]
  ) -> [UInt8] {
    let (requests, durations) = lock.withLock { (self.requests, self.durations) }
    var text = ""
    header("muster_http_requests_total", "counter", "Requests by route, method and status.", &text)
    for line in requests.map({ entry in
      "muster_http_requests_total{route=\"\(entry.key.route)\",method=\"\(entry.key.method)\",status=\"\(entry.key.status)\"} \(entry.value)\n"
    }).sorted(by: { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }) {
      text += line
    }
    let name = "muster_http_request_duration_seconds"
    header(name, "histogram", "From the first line of a request until its answer was sent.", &text)
    let routes = durations.map { $0.key }.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    for route in routes {
      guard let histogram = durations[route] else { continue }
      var reached: Int64 = 0
      for (bound, count) in zip(ServerMetrics.bounds, histogram.counts) {
        reached &+= count
        text += "\(name)_bucket{route=\"\(route)\",le=\"\(bound.text)\"} \(reached)\n"
      }
      text += "\(name)_bucket{route=\"\(route)\",le=\"+Inf\"} \(histogram.count)\n"
      text += "\(name)_sum{route=\"\(route)\"} \(ServerMetrics.seconds(histogram.microseconds))\n"
      text += "\(name)_count{route=\"\(route)\"} \(histogram.count)\n"
    }
    for gauge in gauges {
      let name = gauge.name.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
      header(name, "gauge", gauge.help, &text)
      text += "\(name) \(gauge.value)\n"
    }
    var last = ""
    for measure in measures {
      let name = measure.name.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
      if name != last { header(name, "counter", measure.help, &text) }
      last = name
      var label = ""
      if let given = measure.label {
        label = "{\(given.name.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })=\"\(given.value)\"}"
      }
      text += "\(name)\(label) \(measure.value)\n"
    }
    header("muster_server_start_time_seconds", "gauge", "When the server began, in seconds since 1970.", &text)
    text += "muster_server_start_time_seconds \(ServerMetrics.seconds(began.microseconds))\n"
    return Array(text.utf8)
  }

  private func header(_ name: String, _ type: String, _ help: StaticString, _ text: inout String) {
    text += "# HELP \(name) \(help.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })\n# TYPE \(name) \(type)\n"
  }

  private static func seconds(_ microseconds: Int64) -> String {
    let fraction = String(microseconds % 1_000_000 &+ 1_000_000)
    return "\(microseconds / 1_000_000).\(String(decoding: Array(fraction.utf8.suffix(6)), as: UTF8.self))"
  }
}
