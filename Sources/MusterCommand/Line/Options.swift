/// The words of a command line: options with their values, and the operands between them.
struct Options {
  private(set) var operands: [String] = []
  private var values: [String: [String]] = [:]
  private var flags: Set<String> = []

  /// Reads `--name value`, `--name=value`, `--flag` and operands; after `--` all words are operands. Of an option that comes
  /// twice, the last counts unless it is a list. An option that is not accepted is refused.
  init(_ words: some Sequence<String>, accepting accepted: [Command.Option]) throws(Failure) {
    var rest = Array(words)[...]
    var onlyOperands = false
    while let word = rest.popFirst() {
      if onlyOperands || !word.hasPrefix("-") || word == "-" {
        operands.append(word)
      } else if word == "--" {
        onlyOperands = true
      } else {
        try readOption(word, &rest, accepted)
      }
    }
  }

  private mutating func readOption(
    _ word: String, _ rest: inout ArraySlice<String>, _ accepted: [Command.Option]
  ) throws(Failure) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let given = String(parts.first ?? "")
    let attached = parts.count > 1 ? String(parts[1]) : nil
    let name = given == "-h" ? "help" : given.hasPrefix("--") ? String(given.dropFirst(2)) : ""
    guard let option = accepted.first(where: { $0.name == name }) else { throw .usage("unknown option \(given)") }
    if option.value == nil {
      if attached != nil { throw .usage("\(given) takes no value") }
      flags.insert(name)
    } else {
      guard let value = attached ?? rest.popFirst() else { throw .usage("\(given) needs a value") }
      values[name, default: []].append(value)
    }
  }

  func has(_ flag: String) -> Bool { flags.contains(flag) }

  subscript(_ name: String) -> String? { values[name]?.last }

  /// Every value of an option that may be given several times.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// A whole number; the library decides about its range.
  func integer(_ name: String) throws(Failure) -> Int64? {
    guard let value = self[name] else { return nil }
    guard let number = Int64(value) else { throw .usage("--\(name) needs a whole number, not \(value)") }
    return number
  }

  /// At most one of the flags may be given; gives that one.
  func one(of names: String...) throws(Failure) -> String? {
    let given = names.filter { has($0) }
    if given.count > 1 { throw .usage("\(given.map { "--" + $0 }.joined(separator: " and ")) exclude each other") }
    return given.first
  }
}
