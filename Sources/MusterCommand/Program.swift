import CMuster

/// The program: finds the command, opens the store, and turns failures into a line and an exit code.
enum Program {
  private static let globals = Options.Accepted(valued: ["store"], flags: ["json", "help"])

  private struct Command: Sendable {
    let words: [String]
    let valued: Set<String>
    let operands: ClosedRange<Int>
    /// Checks the options before it opens the store, so that a slip of the keyboard makes no file.
    let run: @Sendable (_ options: Options, _ store: String) throws(Failure) -> Int32
  }

  private static let commands = [
    Command(words: ["agents", "list"], valued: ["page", "per-page"], operands: 0...0, run: AgentCommands.list),
    Command(
      words: ["agents", "create"], valued: ["name", "instructions", "model", "provider", "api-base", "body"],
      operands: 0...0, run: AgentCommands.create),
    Command(words: ["invoke"], valued: ["thread", "version", "timeout"], operands: 2...2, run: InvokeCommand.run),
    Command(words: ["call"], valued: [], operands: 1...2, run: CallCommand.run),
  ]

  /// Runs the program and gives its exit code. `arguments` are those of `main`.
  static func run(arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, count: Int32) -> Int32 {
    do throws(Failure) {
      var words: [String] = []
      for argument in UnsafeBufferPointer(start: arguments, count: Int(count)).dropFirst() {
        guard let argument, let word = String(validatingCString: argument) else {
          throw .usage("an argument is not UTF-8")
        }
        words.append(word)
      }
      return try run(words)
    } catch {
      Output.error(error.message)
      return error.code
    }
  }

  private static func run(_ words: [String]) throws(Failure) -> Int32 {
    // What stands before the command: only there `--version` is a question, `invoke` has an option of that name.
    let start = commandStart(of: words)
    var beginning = globals
    beginning.flags.insert("version")
    let leading = try Options(words[..<start], accepting: beginning)
    if leading.has("version") {
      Output.text("muster \(String(cString: muster_version()))\n")
      return ExitCode.success
    }
    if leading.has("help") || words[start...].first == "help" {
      Output.text(Usage.text)
      return ExitCode.success
    }
    guard let command = commands.first(where: { words[start...].starts(with: $0.words) }) else {
      let given = words[start...].prefix(2).joined(separator: " ")
      throw .usage(given.isEmpty ? "no command was given" : "unknown command \(given)")
    }
    var accepted = globals
    accepted.valued.formUnion(command.valued)
    let own = words[start...].dropFirst(command.words.count)
    let options = try Options(words[..<start] + own, accepting: accepted)
    if options.has("help") {
      Output.text(Usage.text)
      return ExitCode.success
    }
    guard command.operands.contains(options.operands.count) else {
      throw .usage("wrong number of arguments for \(command.words.joined(separator: " "))")
    }
    let usual = try Plane.environment("MUSTER_STORE") ?? "agents.db"
    return try command.run(options, options["store"] ?? usual)
  }

  /// The index of the first word that is neither a global option nor its value.
  private static func commandStart(of words: [String]) -> Int {
    var index = 0
    while index < words.count, words[index].hasPrefix("-") {
      index += words[index] == "--store" ? 2 : 1
    }
    return min(index, words.count)
  }
}
