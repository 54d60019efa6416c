/// One command: what stands on its line, what the help says of it, and what it does. Parsing, help and completions are
/// made from this alone.
struct Command: Sendable {
  struct Operand: Sendable {
    let name: String
    var isOptional = false
    let completion: Completion

    init(_ name: String, isOptional: Bool = false, completion: Completion = .nothing) {
      self.name = name
      self.isOptional = isOptional
      self.completion = completion
    }
  }

  struct Option: Sendable {
    let name: String
    /// What stands for its value in the help; nil for a flag.
    let value: String?
    let summary: String
    let completion: Completion

    init(_ name: String, _ value: String? = nil, _ summary: String, completion: Completion = .nothing) {
      self.name = name
      self.value = value
      self.summary = summary
      self.completion = completion
    }
  }

  /// What a shell can offer for a value.
  enum Completion: Sendable {
    case nothing
    case files
    case words([String])
  }

  /// The words that name it: one, or those of its group and its own.
  let words: [String]
  let summary: String
  let operands: [Operand]
  let options: [Option]
  /// Paragraphs below the summary in its own help.
  let details: String
  /// Checks the line before it opens the store, so that a slip of the keyboard makes no file.
  let run: @Sendable (Session) throws(Failure) -> Int32

  init(
    _ words: String, _ summary: String, operands: [Operand] = [], options: [Option] = [], details: String = "",
    run: @escaping @Sendable (Session) throws(Failure) -> Int32
  ) {
    self.words = words.split(separator: " ").map(String.init)
    self.summary = summary
    self.operands = operands
    self.options = options
    self.details = details
    self.run = run
  }

  var name: String { words.joined(separator: " ") }

  /// How many operands it takes.
  var operandCounts: ClosedRange<Int> { operands.prefix { !$0.isOptional }.count...operands.count }
}
