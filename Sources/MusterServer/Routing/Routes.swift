import MusterAPI

/// Finds the operation that a method and a path name. A fixed segment goes before a parameter at the first place where
/// two patterns differ.
struct Routes: Sendable {
  /// What a path leads to.
  struct Match {
    let route: Route
    /// The parameters of the path, by name.
    let parameters: [(name: String, value: String)]
  }

  /// A pattern of paths, with what each method does there.
  struct Route: Sendable {
    /// The pattern: `/v1/agents/{agent_id}`.
    let pattern: String
    let parameters: [String]
    fileprivate(set) var targets: [(method: String, target: Target)] = []

    func target(_ method: String) -> Target? { targets.first { $0.method == method }?.target }

    /// The methods that are answered, for the header `Allow`.
    var allowed: String {
      var methods = targets.map { $0.method }
      if methods.contains("GET") { methods.append("HEAD") }
      return (methods + ["OPTIONS"]).joined(separator: ", ")
    }
  }

  /// What a method does on a path.
  enum Target: Sendable {
    case operation(Operation)
    /// An operation as the Python client calls it.
    case client(ClientRoute)
    /// Documented, and nothing yet: what the refusal calls it.
    case inactive(String)
  }

  /// A place in the tree of patterns: what may follow the segments so far.
  private struct Node: Sendable {
    var fixed: [String: Int] = [:]
    var parameter: Int?
    var route: Int?
  }

  private var nodes = [Node()]
  private var routes: [Route] = []

  init(_ routes: [(method: String, path: String, target: Target)]) {
    for route in routes { add(route.method, route.path, route.target) }
  }

  init(_ operations: [Operation], inactive: [(method: String, path: String, name: String)] = []) {
    self.init(
      operations.filter { !$0.path.isEmpty }.map { ($0.method, $0.path, .operation($0)) }
        + inactive.map { ($0.method, $0.path, .inactive($0.name)) })
  }

  private mutating func add(_ method: String, _ path: String, _ target: Target) {
    var place = 0
    var parameters: [String] = []
    for part in path.utf8.dropFirst().split(separator: UInt8(ascii: "/")) {
      let next: Int?
      if part.first == UInt8(ascii: "{") {
        parameters.append(String(decoding: Array(part.dropFirst().dropLast()), as: UTF8.self))
        next = nodes[place].parameter
        if next == nil { nodes[place].parameter = nodes.count }
      } else {
        let text = String(decoding: Array(part), as: UTF8.self)
        next = nodes[place].fixed[text]
        if next == nil { nodes[place].fixed[text] = nodes.count }
      }
      if next == nil { nodes.append(Node()) }
      place = next ?? nodes.count - 1
    }
    let index = nodes[place].route ?? routes.count
    if index == routes.count {
      routes.append(Route(pattern: path, parameters: parameters))
      nodes[place].route = index
    }
    routes[index].targets.append((method, target))
  }

  /// The pattern that fits; nil when the path is unknown.
  func match(_ segments: [String]) -> Match? {
    var values: [String] = []
    guard let index = find(segments, 0, from: 0, &values) else { return nil }
    let route = routes[index]
    var parameters: [(name: String, value: String)] = []
    for (name, value) in zip(route.parameters, values) { parameters.append((name, value)) }
    return Match(route: route, parameters: parameters)
  }

  /// Follows the segments from `position` on; no deeper than the patterns are.
  private func find(_ segments: [String], _ position: Int, from place: Int, _ values: inout [String]) -> Int? {
    let node = nodes[place]
    guard position < segments.count else { return node.route }
    let segment = segments[position]
    if let next = node.fixed[segment], let found = find(segments, position + 1, from: next, &values) { return found }
    guard let next = node.parameter else { return nil }
    values.append(segment)
    if let found = find(segments, position + 1, from: next, &values) { return found }
    values.removeLast()
    return nil
  }
}
