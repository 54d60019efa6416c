/// Checks one value against a compiled schema.
///
/// What is left to do stands in a list instead of on the stack, so that neither a deep value nor a deep schema needs
/// depth. Alternatives are tried in scopes: in a scope a violation is not reported, it ends the scope.
struct JSONSchemaValidator {
  /// Something left to do; places are positions in the text.
  enum Work {
    case apply(node: Int, value: Range<Int>)
    case missing(node: Int, slot: Int, object: Range<Int>)
    /// The elements from `position` on, of which the first has `index`.
    case elements(node: Int, position: Int, end: Int, index: Int)
    /// The members from `position` on whose keys are not in `properties`.
    case additional(node: Int, position: Int, end: Int)
    /// The keys from `position` on.
    case names(node: Int, position: Int, end: Int)
    case begin(JSONSchemaScope.Kind, node: Int, value: Range<Int>)
    /// The innermost scope's branch is done.
    case conclude
  }

  let rules: [JSONSchemaRules]
  let text: [UInt8]
  private let root: Range<Int>
  private let limit: Int
  /// Steps that are left. Reading bytes costs as well: one step for sixteen.
  private var fuel: Int
  private var tasks: [Work] = []
  var scopes: [JSONSchemaScope] = []
  private var violations: [JSONSchemaViolation] = []

  /// A check may take this many steps, and so many more for each byte of the value. A schema without nested
  /// alternatives needs fewer for any value; nested alternatives would need a number that doubles with each level.
  static let steps = 200_000
  static let stepsPerByte = 16

  init(rules: [JSONSchemaRules], value: JSON, limit: Int) {
    self.rules = rules
    text = value.text
    root = value.range
    self.limit = max(limit, 1)
    fuel = Self.steps + Self.stepsPerByte * value.range.count
  }

  mutating func run(from node: Int) -> [JSONSchemaViolation] {
    tasks.append(.apply(node: node, value: root))
    while violations.count < limit, let task = tasks.popLast() {
      guard fuel > 0 else {
        violations.append(JSONSchemaViolation(path: [], reason: .tooComplex))
        break
      }
      fuel -= 1
      perform(task)
    }
    return violations
  }

  private mutating func perform(_ task: Work) {
    switch task {
    case .apply(let node, let value): apply(node, value)
    case .missing(let node, let slot, let object):
      if let key = rules[node].object?.rules.names[slot] { fail(.missing(key: key), at: object, key: key) }
    case .elements(let node, let position, let end, let index): nextElement(node, position, end, index)
    case .additional(let node, let position, let end): nextAdditional(node, position, end)
    case .names(let node, let position, let end): nextName(node, position, end)
    case .begin(let kind, let node, let value): begin(kind, node, value)
    case .conclude: conclude()
    }
  }

  // MARK: - What the parts use

  func json(_ range: Range<Int>) -> JSON { JSON(text: text, range: range) }

  mutating func push(_ task: Work) { tasks.append(task) }

  /// Pays for reading so many bytes.
  mutating func chargeBytes(_ count: Int) { fuel -= count / 16 }

  mutating func chargeSteps(_ count: Int) { fuel -= count }

  var taskCount: Int { tasks.count }

  /// Whether the check, or the innermost scope's branch, has come to its end.
  var isOver: Bool { violations.count >= limit || scopes.last?.hasFailed ?? false }

  /// Reports a violation at a value or, with `key`, at a member of it that is missing; in a scope it ends the scope's
  /// branch instead.
  mutating func fail(_ reason: @autoclosure () -> JSONSchemaViolation.Reason, at place: Range<Int>, key: String? = nil)
  {
    if var scope = scopes.popLast() {
      scope.hasFailed = true
      scopes.append(scope)
      tasks.removeLast(max(0, tasks.count - scope.tasks))
      return
    }
    guard violations.count < limit else { return }
    chargeBytes(place.lowerBound - root.lowerBound)
    var path = JSONPath.elements(to: place.lowerBound, from: root, in: text)
    if let key { path.append(.key(key)) }
    violations.append(JSONSchemaViolation(path: path, reason: reason()))
  }

  // MARK: - One schema, one value

  private mutating func apply(_ node: Int, _ range: Range<Int>) {
    let value = json(range)
    if rules[node].isFalse { return fail(.falseSchema, at: range) }
    if rules[node].isNullable, value.isNull { return }
    chargeBytes(value.kind == .real ? range.count * 2 : 0)
    let type = JSONSchemaTypes(of: value)
    if let types = rules[node].types, !types.contains(where: { !JSONSchemaTypes($0).isDisjoint(with: type) }) {
      return fail(type == .null ? .nullNotAllowed : .wrongType(expected: types), at: range)
    }
    checkChoice(node, value)
    switch type {
    case .whole, .fraction: checkNumber(node, value)
    case .string: checkString(node, value)
    case .array: checkArray(node, value)
    default: break
    }
    if isOver { return }
    // The last is done first.
    if rules[node].condition != nil { push(.begin(.condition, node: node, value: range)) }
    if rules[node].forbidden != nil { push(.begin(.not, node: node, value: range)) }
    if !rules[node].oneOf.isEmpty { push(.begin(.oneOf, node: node, value: range)) }
    if !rules[node].anyOf.isEmpty { push(.begin(.anyOf, node: node, value: range)) }
    if type == .object { checkObject(node, range) }
    if type == .array { pushElements(node, range) }
    if isOver { return }
    for branch in rules[node].allOf.reversed() { push(.apply(node: branch, value: range)) }
    if let reference = rules[node].reference { push(.apply(node: reference, value: range)) }
  }

  /// `enum` and `const`.
  private mutating func checkChoice(_ node: Int, _ value: JSON) {
    guard rules[node].enumeration != nil || rules[node].constant != nil else { return }
    chargeBytes(value.range.count * 4)
    chargeSteps(rules[node].enumerationTexts.count / 8)
    let canonical = JSONEquality.canonical(value)
    if let allowed = rules[node].enumeration, !rules[node].enumerationTexts.contains(canonical) {
      fail(.notInEnum(allowed: allowed), at: value.range)
    }
    if !isOver, let expected = rules[node].constant, rules[node].constantText != canonical {
      fail(.notConst(expected: expected), at: value.range)
    }
  }

  private mutating func checkNumber(_ node: Int, _ value: JSON) {
    guard !rules[node].lowerBounds.isEmpty || !rules[node].upperBounds.isEmpty || rules[node].divisor != nil else {
      return
    }
    let number = JSONDecimal(value.bytes)
    for bound in rules[node].lowerBounds where !isOver {
      if number < bound.value || (bound.isExclusive && number == bound.value) {
        fail(.belowMinimum(exclusive: bound.isExclusive, bound: bound.lexeme), at: value.range)
      }
    }
    for bound in rules[node].upperBounds where !isOver {
      if bound.value < number || (bound.isExclusive && number == bound.value) {
        fail(.aboveMaximum(exclusive: bound.isExclusive, bound: bound.lexeme), at: value.range)
      }
    }
    if !isOver, let divisor = rules[node].divisor, !number.isMultiple(of: divisor.value) {
      fail(.notMultipleOf(divisor: divisor.lexeme), at: value.range)
    }
  }

  private mutating func checkString(_ node: Int, _ value: JSON) {
    guard rules[node].minLength != nil || rules[node].maxLength != nil else { return }
    chargeBytes(value.range.count)
    let start = value.range.lowerBound + 1
    let length = JSONString.length(start..<max(start, value.range.upperBound - 1), in: text)
    if let bound = rules[node].minLength, length < bound { fail(.tooShort(bound: bound), at: value.range) }
    if !isOver, let bound = rules[node].maxLength, length > bound { fail(.tooLong(bound: bound), at: value.range) }
  }
}
