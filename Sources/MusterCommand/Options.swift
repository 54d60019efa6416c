/// The words of a command line: options with their values, and the operands between them.
struct Options {
  /// What a command accepts, without the dashes.
  struct Accepted {
    var valued: Set<String> = []
    var flags: Set<String> = []
  }

  private(set) var operands: [String] = []
  private var values: [String: String] = [:]
  private var flags: Set<String> = []

  /// Reads `--name value`, `--name=value`, `--flag` and operands; after `--` all words are operands. Of an option that comes
  /// twice, the last counts. An option that is not accepted is refused.
  init(_ words: some Sequence<String>, accepting accepted: Accepted) throws(Failure) {
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
    _ word: String, _ rest: inout ArraySlice<String>, _ accepted: Accepted
  ) throws(Failure) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let option = String(parts.first ?? "")
    let name = option == "-h" ? "help" : String(option.dropFirst(2))
    let attached = parts.count > 1 ? String(parts[1]) : nil
    if (option.hasPrefix("--") || option == "-h"), accepted.flags.contains(name) {
      if attached != nil { throw .usage("\(option) takes no value") }
      flags.insert(name)
    } else if option.hasPrefix("--"), accepted.valued.contains(name) {
      guard let value = attached ?? rest.popFirst() else { throw .usage("\(option) needs a value") }
      values[name] = value
    } else {
      throw .usage("unknown option \(option)")
    }
  }

  func has(_ flag: String) -> Bool { flags.contains(flag) }

  subscript(_ name: String) -> String? { values[name] }

  /// A whole number; the library decides about its range.
  func integer(_ name: String) throws(Failure) -> Int64? {
    guard let value = values[name] else { return nil }
    guard let number = Int64(value) else { throw .usage("--\(name) needs a whole number, not \(value)") }
    return number
  }
}
