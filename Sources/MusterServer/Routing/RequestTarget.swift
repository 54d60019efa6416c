/// The target of a request, taken apart: segments of the path and parameters of the query, percent-encoding resolved.
package struct RequestTarget: Sendable, Equatable {
  /// Between the slashes; `/v1/agents` has two. An encoded slash is part of its segment.
  package let segments: [String]
  package let query: [Parameter]

  package struct Parameter: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  /// Why a target was refused.
  package enum Problem: Error, Equatable {
    /// It does not begin with a slash, or has empty, `.` or `..` segments, or control characters.
    case path
    /// A `%` without two hexadecimal digits behind it.
    case encoding
    /// What is encoded is not UTF-8, or holds a NUL.
    case text
  }

  /// `ignoresEmptySegments`: they are left out, not refused. A target with scheme and host, as proxies get it, is taken for
  /// what stands behind them.
  package init(_ given: [UInt8], ignoresEmptySegments: Bool = false) throws(Problem) {
    let target = RequestTarget.withoutHost(given)
    let end = target.firstIndex(of: UInt8(ascii: "#")) ?? target.count
    let mark = target[..<end].firstIndex(of: UInt8(ascii: "?")) ?? end
    let path = target[..<mark]
    guard path.first == UInt8(ascii: "/") else { throw .path }
    var segments: [String] = []
    if path.count > 1 {
      for part in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        if part.isEmpty, ignoresEmptySegments { continue }
        let segment = try RequestTarget.decode(part, plusIsBlank: false)
        guard !segment.isEmpty, segment != ".", segment != ".." else { throw .path }
        segments.append(segment)
      }
    }
    self.segments = segments
    var query: [Parameter] = []
    if mark < end {
      for part in target[(mark + 1)..<end].split(separator: UInt8(ascii: "&")) {
        let equals = part.firstIndex(of: UInt8(ascii: "="))
        let name = try RequestTarget.decode(part[..<(equals ?? part.endIndex)], plusIsBlank: true)
        let value = try equals.map { (index) throws(Problem) in
          try RequestTarget.decode(part[(index + 1)...], plusIsBlank: true)
        }
        query.append(Parameter(name: name, value: value ?? ""))
      }
    }
    self.query = query
  }

  private static func withoutHost(_ target: [UInt8]) -> [UInt8] {
    if target.first == UInt8(ascii: "/") { return target }
    for scheme in ["http://", "https://"]
    where target.prefix(scheme.utf8.count).elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 | 0x20 }) {
      let rest = target.dropFirst(scheme.utf8.count).drop { $0 != 0x2f && $0 != 0x3f && $0 != 0x23 }
      return rest.first == UInt8(ascii: "/") ? Array(rest) : [UInt8(ascii: "/")] + rest
    }
    return target
  }

  private static func decode(_ text: ArraySlice<UInt8>, plusIsBlank: Bool) throws(Problem) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var position = text.startIndex
    while position < text.endIndex {
      switch text[position] {
      case UInt8(ascii: "%"):
        guard text.endIndex - position > 2, let high = digit(text[position + 1]), let low = digit(text[position + 2])
        else { throw .encoding }
        bytes.append(high << 4 | low)
        position += 3
      case UInt8(ascii: "+") where plusIsBlank:
        bytes.append(0x20)
        position += 1
      case let byte:
        guard byte > 0x20, byte != 0x7f else { throw .path }
        bytes.append(byte)
        position += 1
      }
    }
    guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else { throw .text }
    return decoded
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
    default: return nil
    }
  }
}
