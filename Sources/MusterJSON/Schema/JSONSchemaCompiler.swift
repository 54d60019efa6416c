/// Turns schemas into an arena of rules. Work waits in a list instead of on the stack, so that a deep schema costs no
/// depth.
struct JSONSchemaCompiler {
  /// A schema that `#` stands for: the root, a component, or one with an `$id`.
  struct Base {
    let root: JSON
    /// 0: the root schema's text. 1: the components' text.
    let document: Int
    /// The pointer of `root`.
    let pointer: String
  }

  /// Where a schema stands; each is compiled once.
  struct Place: Hashable {
    let document: Int
    let position: Int
  }

  private struct Work {
    let schema: JSON
    let base: Int
  }

  /// A schema being compiled, with what the error of a keyword needs.
  struct Context {
    let node: Int
    let schema: JSON
    let base: Int
  }

  let components: JSON?
  var bases: [Base]
  var rules: [JSONSchemaRules] = []
  private var places: [Place: Int] = [:]
  private var work: [Work] = []

  init(root: JSON, components: JSON?) {
    self.components = components
    bases = [Base(root: root, document: 0, pointer: "#")]
  }

  /// Compiles the root, which becomes node 0, and all that it leads to.
  mutating func run() throws(JSONSchemaError) {
    _ = node(for: bases[0].root, base: 0)
    var next = 0
    while next < work.count {
      let item = work[next]
      try compile(Context(node: next, schema: item.schema, base: item.base))
      next += 1
    }
    try JSONSchemaLoops.check(self)
    settleAdmittedTypes()
  }

  /// The node of a schema; new ones wait for their turn.
  mutating func node(for schema: JSON, base: Int) -> Int {
    let place = Place(document: bases[base].document, position: schema.range.lowerBound)
    if let node = places[place] { return node }
    let node = rules.count
    places[place] = node
    rules.append(JSONSchemaRules(source: schema))
    work.append(Work(schema: schema, base: base))
    return node
  }

  /// The pointer of a node, for errors.
  func pointer(ofNode node: Int) -> String {
    guard node < work.count else { return "#" }
    return pointer(work[node].schema.range.lowerBound, base: work[node].base)
  }

  private func pointer(_ position: Int, base: Int) -> String {
    let root = bases[base].root
    return bases[base].pointer + JSONPath.pointer(JSONPath.elements(to: position, from: root.range, in: root.text))
  }

  /// An error of a kind about a keyword; `place` is the keyword's lexeme or value, or the schema itself.
  func error(_ kind: JSONSchemaError.Kind, _ keyword: String, at place: JSON, in context: Context) -> JSONSchemaError {
    JSONSchemaError(kind: kind, keyword: keyword, pointer: pointer(place.range.lowerBound, base: context.base))
  }

  private mutating func compile(_ context: Context) throws(JSONSchemaError) {
    switch context.schema.kind {
    case .boolean:
      let isFalse = context.schema.bool == false
      rules[context.node].isFalse = isFalse
      if isFalse { rules[context.node].admitted = [] }
    case .object:
      let base = innerBase(context.schema, base: context.base)
      let context = Context(node: context.node, schema: context.schema, base: base)
      // `properties` first: its keys take the first slots of the object's rules, in order.
      if let properties = context.schema["properties"] { try compileProperties(properties, in: context) }
      for member in context.schema.members { try compile(keyword: member, in: context) }
      settleAdmittedTypes(of: context.node)
    default:
      throw error(.invalid, "", at: context.schema, in: context)
    }
  }

  // MARK: - References

  /// What `#` stands for inside a schema: the schema itself when it has an `$id`.
  private mutating func innerBase(_ schema: JSON, base: Int) -> Int {
    let outer = bases[base]
    guard schema.range != outer.root.range, let id = schema["$id"]?.utf8, id.first != UInt8(ascii: "#") else {
      return base
    }
    let known = bases.firstIndex { $0.document == outer.document && $0.root.range == schema.range }
    if let known { return known }
    let pointer = pointer(schema.range.lowerBound, base: base)
    bases.append(Base(root: schema, document: outer.document, pointer: pointer))
    return bases.count - 1
  }

  /// The schema that a `$ref` names.
  mutating func resolve(_ member: JSON.Member, in context: Context) throws(JSONSchemaError) -> Int {
    guard let reference = member.value.utf8 else { throw error(.invalid, "$ref", at: member.lexeme, in: context) }
    guard reference.first == UInt8(ascii: "#") else {
      throw error(.unsupported, "$ref", at: member.lexeme, in: context)
    }
    let unresolved = error(.unresolved, "$ref", at: member.lexeme, in: context)
    var tokens = Self.tokens(reference.dropFirst())
    var base = context.base
    if tokens.count >= 3, tokens[0] == Array("components".utf8), tokens[1] == Array("schemas".utf8) {
      let name = String(decoding: tokens[2], as: UTF8.self)
      guard let component = components?[name] else { throw unresolved }
      base = componentBase(component, name: name)
      tokens.removeFirst(3)
    } else if !reference.dropFirst().isEmpty, tokens.isEmpty {
      throw unresolved
    }
    var target = bases[base].root
    for token in tokens {
      guard let next = Self.step(target, token) else { throw unresolved }
      target = next
      base = innerBase(target, base: base)
    }
    guard target.kind == .object || target.kind == .boolean else { throw unresolved }
    return node(for: target, base: base)
  }

  private mutating func componentBase(_ component: JSON, name: String) -> Int {
    let known = bases.firstIndex { $0.document == 1 && $0.root.range == component.range }
    if let known { return known }
    bases.append(
      Base(root: component, document: 1, pointer: "#/components/schemas" + JSONPath.pointer([.key(name)])))
    return bases.count - 1
  }

  /// The tokens of a pointer in a URI fragment; empty when it is empty or no pointer.
  private static func tokens(_ fragment: ArraySlice<UInt8>) -> [[UInt8]] {
    guard fragment.first == UInt8(ascii: "/") else { return [] }
    var tokens: [[UInt8]] = []
    var position = fragment.startIndex
    while position < fragment.endIndex {
      var byte = fragment[position]
      let rest = fragment.endIndex - position
      if byte == UInt8(ascii: "/") {
        tokens.append([])
        position += 1
        continue
      }
      if byte == UInt8(ascii: "%"), rest > 2, let high = JSONString.nibble(fragment[position + 1]),
        let low = JSONString.nibble(fragment[position + 2])
      {
        byte = UInt8(truncatingIfNeeded: high << 4 | low)
        position += 2
      } else if byte == UInt8(ascii: "~"), rest > 1 {
        position += 1
        byte = fragment[position] == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~")
      }
      tokens[tokens.count - 1].append(byte)
      position += 1
    }
    return tokens
  }

  private static func step(_ json: JSON, _ token: [UInt8]) -> JSON? {
    switch json.kind {
    case .object: return json[String(decoding: token, as: UTF8.self)]
    case .array:
      guard let index = JSONNumber.int64(token[...]), index >= 0 else { return nil }
      var cursor = JSONElementCursor(text: json.text, position: json.range.lowerBound + 1, end: json.range.upperBound)
      var passed: Int64 = 0
      while let element = cursor.next() {
        if passed == index { return JSON(text: json.text, range: element) }
        passed += 1
      }
      return nil
    default: return nil
    }
  }

  // MARK: - Types that are possible

  private mutating func settleAdmittedTypes(of node: Int) {
    var admitted = JSONSchemaTypes.all
    if let types = rules[node].types {
      admitted = types.reduce(into: []) { $0.formUnion(JSONSchemaTypes($1)) }
    }
    if let values = rules[node].enumeration {
      admitted.formIntersection(values.reduce(into: []) { $0.formUnion(JSONSchemaTypes(of: $1)) })
    }
    if let value = rules[node].constant { admitted.formIntersection(JSONSchemaTypes(of: value)) }
    rules[node].admitted = admitted
  }

  /// Narrows by what references lead to. There are no loops any more, so that each chain ends.
  private mutating func settleAdmittedTypes() {
    var isSettled = [Bool](repeating: false, count: rules.count)
    for start in rules.indices {
      var chain = [start]
      while let last = chain.last, !isSettled[last], let next = rules[last].reference { chain.append(next) }
      for node in chain.reversed() where !isSettled[node] {
        if let reference = rules[node].reference { rules[node].admitted.formIntersection(rules[reference].admitted) }
        if rules[node].isNullable { rules[node].admitted.insert(.null) }
        isSettled[node] = true
      }
    }
  }
}
