/// Turns schemas into an arena of rules. Work waits in a list instead of on the stack, so that a deep schema costs no
/// depth; each schema and each member on the way of a reference is looked at once, so that time grows with size.
struct JSONSchemaCompiler {
  /// A schema that `#` stands for: the root, a component, or one with an `$id`.
  struct Base {
    let root: JSON
    /// 0: the root schema's text. 1: the components' text.
    let document: Int
    /// The root or the component that `root` is in or is itself, and the pointer of that.
    let origin: JSON
    let originPointer: String
  }

  /// Where a value stands in the schemas' texts.
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

  private let components: JSON?
  private var bases: [Base]
  private var basePlaces: [Place: Int]
  var rules: [JSONSchemaRules] = []
  private var nodePlaces: [Place: Int] = [:]
  private var work: [Work] = []
  private var directory = JSONSchemaDirectory()

  init(root: JSON, components: JSON?) {
    self.components = components
    bases = [Base(root: root, document: 0, origin: root, originPointer: "#")]
    basePlaces = [Place(document: 0, position: root.range.lowerBound): 0]
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
    JSONSchemaSettling.settle(&rules)
  }

  /// The node of a schema; new ones wait for their turn.
  mutating func node(for schema: JSON, base: Int) -> Int {
    let place = Place(document: bases[base].document, position: schema.range.lowerBound)
    if let node = nodePlaces[place] { return node }
    let node = rules.count
    nodePlaces[place] = node
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
    let origin = bases[base].origin
    let path = JSONPath.elements(to: position, from: origin.range, in: origin.text)
    return bases[base].originPointer + JSONPath.pointer(path)
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
    return addBase(
      Base(root: schema, document: outer.document, origin: outer.origin, originPointer: outer.originPointer))
  }

  private mutating func addBase(_ base: Base) -> Int {
    let place = Place(document: base.document, position: base.root.range.lowerBound)
    if let known = basePlaces[place] { return known }
    bases.append(base)
    basePlaces[place] = bases.count - 1
    return bases.count - 1
  }

  /// The schema that a `$ref` names.
  mutating func resolve(_ member: JSON.Member, in context: Context) throws(JSONSchemaError) -> Int {
    guard let reference = member.value.utf8 else { throw error(.invalid, "$ref", at: member.lexeme, in: context) }
    guard reference.first == UInt8(ascii: "#") else {
      throw error(.unsupported, "$ref", at: member.lexeme, in: context)
    }
    let tokens = Self.tokens(reference.dropFirst())
    guard reference.count == 1 || !tokens.isEmpty, let target = target(tokens, base: context.base) else {
      throw error(.unresolved, "$ref", at: member.lexeme, in: context)
    }
    return node(for: target.schema, base: target.base)
  }

  private mutating func target(_ tokens: [[UInt8]], base start: Int) -> (schema: JSON, base: Int)? {
    var base = start
    var rest = tokens[...]
    if rest.count >= 3, rest[0].elementsEqual("components".utf8), rest[1].elementsEqual("schemas".utf8) {
      guard let components, let component = directory.step(components, rest[2], document: 1) else { return nil }
      let pointer = JSONPath.pointer([.key(String(decoding: rest[2], as: UTF8.self))])
      base = addBase(
        Base(root: component, document: 1, origin: component, originPointer: "#/components/schemas" + pointer))
      rest = rest.dropFirst(3)
    }
    var schema = bases[base].root
    for token in rest {
      guard let next = directory.step(schema, token, document: bases[base].document) else { return nil }
      schema = next
      if schema.kind == .object { base = innerBase(schema, base: base) }
    }
    return schema.kind == .object || schema.kind == .boolean ? (schema, base) : nil
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
}
