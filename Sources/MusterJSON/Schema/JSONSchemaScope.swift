/// A try: schemas are applied to a value, and only the verdict counts.
struct JSONSchemaScope {
  enum Kind {
    case anyOf, oneOf, not, condition, contains
    /// A key, which is a string value, against `propertyNames`.
    case name
  }

  let kind: Kind
  let node: Int
  let value: Range<Int>
  /// The next alternative; for `contains` the next element's position.
  var next = 0
  /// How many alternatives or elements have matched.
  var matches = 0
  var hasFailed = false
  /// How many tasks were waiting when the branch began; a failure drops all others.
  var tasks = 0

  init(_ kind: Kind, node: Int, value: Range<Int>) {
    self.kind = kind
    self.node = node
    self.value = value
  }
}

extension JSONSchemaValidator {
  mutating func begin(_ kind: JSONSchemaScope.Kind, _ node: Int, _ value: Range<Int>) {
    var scope = JSONSchemaScope(kind, node: node, value: value)
    switch kind {
    case .anyOf, .oneOf:
      let branches = kind == .anyOf ? rules[node].anyOf : rules[node].oneOf
      if let only = onlyAlternative(branches, value) { return push(.apply(node: only, value: value)) }
      tryAlternative(scope)
    case .not: tryBranch(rules[node].forbidden, scope)
    case .condition: tryBranch(rules[node].condition, scope)
    case .name: tryBranch(rules[node].object?.rules.propertyNames, scope)
    case .contains:
      scope.next = value.lowerBound + 1
      tryElement(scope)
    }
  }

  /// The innermost scope's branch is done: its verdict stands.
  mutating func conclude() {
    guard var scope = scopes.popLast() else { return }
    let matches = !scope.hasFailed
    switch scope.kind {
    case .anyOf:
      if !matches { tryAlternative(scope) }
    case .oneOf:
      if matches { scope.matches += 1 }
      if scope.matches > 1 { fail(.notExactlyOne, at: scope.value) } else { tryAlternative(scope) }
    case .not: if matches { fail(.matchesForbidden, at: scope.value) }
    case .condition:
      let next = matches ? rules[scope.node].consequence : rules[scope.node].alternative
      if let next { push(.apply(node: next, value: scope.value)) }
    case .name:
      let key = json(scope.value).string ?? ""
      if !matches { fail(.invalidKey(key: key), at: scope.value) }
    case .contains:
      if matches { scope.matches += 1 }
      tryElement(scope)
    }
  }

  private mutating func tryBranch(_ node: Int?, _ scope: JSONSchemaScope, on value: Range<Int>? = nil) {
    guard let node else { return }
    var scope = scope
    scope.hasFailed = false
    push(.conclude)
    scope.tasks = taskCount
    scopes.append(scope)
    push(.apply(node: node, value: value ?? scope.value))
  }

  // MARK: - anyOf, oneOf

  /// The alternative whose violations are worth telling: the only one that the value's type allows or, if there is
  /// none, the only one that is not there just for null. All others fail.
  private mutating func onlyAlternative(_ branches: [Int], _ value: Range<Int>) -> Int? {
    chargeSteps(branches.count)
    let type = JSONSchemaTypes(of: json(value))
    var possible: Int?
    var hasPossible = false
    var hasTwo = false
    for branch in branches where !rules[branch].admitted.isDisjoint(with: type) {
      hasTwo = hasPossible
      hasPossible = true
      possible = branch
      if hasTwo { return nil }
    }
    if hasPossible { return possible }
    let others = branches.filter { rules[$0].admitted != .null }
    return others.count == 1 ? others.first : nil
  }

  /// Goes on to the next alternative that the value's type allows; at the end says whether there were as many as
  /// there must be.
  private mutating func tryAlternative(_ scope: JSONSchemaScope) {
    var scope = scope
    let branches = scope.kind == .anyOf ? rules[scope.node].anyOf : rules[scope.node].oneOf
    let type = JSONSchemaTypes(of: json(scope.value))
    while scope.next < branches.count {
      let branch = branches[scope.next]
      scope.next += 1
      if !rules[branch].admitted.isDisjoint(with: type) { return tryBranch(branch, scope) }
    }
    if scope.kind == .anyOf {
      fail(.noneMatches, at: scope.value)
    } else if scope.matches != 1 {
      fail(.notExactlyOne, at: scope.value)
    }
  }

  // MARK: - contains

  /// Goes on to the next element, or says whether enough and not too many have matched.
  private mutating func tryElement(_ scope: JSONSchemaScope) {
    guard let array = rules[scope.node].array else { return }
    let least = array.minContains ?? 1
    if let most = array.maxContains, scope.matches > most { return fail(.tooManyMatches(bound: most), at: scope.value) }
    if array.maxContains == nil, scope.matches >= least { return }
    var cursor = JSONElementCursor(text: text, position: scope.next, end: scope.value.upperBound)
    if let element = cursor.next() {
      chargeBytes(element.count)
      var scope = scope
      scope.next = cursor.position
      tryBranch(array.contains, scope, on: element)
    } else if scope.matches < least {
      fail(.tooFewMatches(bound: least), at: scope.value)
    }
  }
}
