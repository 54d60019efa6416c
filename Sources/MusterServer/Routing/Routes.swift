import MusterAPI

/// Finds the operation that a method and a path name. Fixed segments go before parameters.
struct Routes: Sendable {
  /// What a path leads to.
  enum Match {
    case operation(Operation, parameters: [(name: String, value: String)])
    /// The path is known, the method is not: those that are.
    case otherMethods([String])
    case none
  }

  private enum Segment: Sendable, Equatable {
    case fixed(String)
    case parameter(String)
  }

  private struct Route: Sendable {
    let segments: [Segment]
    let operation: Operation
  }

  private let routes: [Route]

  init(_ operations: [Operation]) {
    routes = operations.filter { !$0.path.isEmpty }.map { operation in
      let segments = operation.path.utf8.dropFirst().split(separator: UInt8(ascii: "/")).map { part -> Segment in
        let text = String(decoding: Array(part), as: UTF8.self)
        return text.utf8.first == UInt8(ascii: "{")
          ? .parameter(String(decoding: Array(text.utf8.dropFirst().dropLast()), as: UTF8.self)) : .fixed(text)
      }
      return Route(segments: segments, operation: operation)
    }
  }

  func match(_ method: String, _ segments: [String]) -> Match {
    let fitting = routes.filter { Routes.fits($0.segments, segments) }
    // The fixed segment wins at the first place where two routes differ: then both fit, and one of them is a parameter.
    let best = fitting.max { left, right in
      for (first, second) in zip(left.segments, right.segments) where first != second {
        if case .parameter = first { return true }
        return false
      }
      return false
    }
    guard let best else { return .none }
    let same = fitting.filter { route in
      zip(route.segments, best.segments).allSatisfy { pair in
        switch pair {
        case (.fixed, .fixed), (.parameter, .parameter): return true
        default: return false
        }
      }
    }
    guard let route = same.first(where: { $0.operation.method == method }) else {
      return .otherMethods(same.map { $0.operation.method })
    }
    var parameters: [(name: String, value: String)] = []
    for (segment, value) in zip(route.segments, segments) {
      if case .parameter(let name) = segment { parameters.append((name, value)) }
    }
    return .operation(route.operation, parameters: parameters)
  }

  private static func fits(_ pattern: [Segment], _ segments: [String]) -> Bool {
    guard pattern.count == segments.count else { return false }
    for (part, segment) in zip(pattern, segments) {
      if case .fixed(let text) = part, text != segment { return false }
    }
    return true
  }
}
