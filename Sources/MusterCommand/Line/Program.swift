import CMuster

/// The program: finds the command, and turns failures into a line and an exit code.
enum Program {
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
    let leading = try Options(
      words[..<start], accepting: CommandTable.globals + [.init("version", nil, "Print the version.")])
    if leading.has("version") {
      Output.text("muster \(String(cString: muster_version()))\n")
      return ExitCode.success
    }
    let rest = words[start...]
    guard let command = CommandTable.command(rest) else {
      if leading.has("help") || rest.contains(where: { $0 == "--help" || $0 == "-h" }) {
        return try Help.show(rest.prefix { !$0.hasPrefix("-") })
      }
      let given = rest.prefix(2).joined(separator: " ")
      if let group = rest.first, CommandTable.groups.contains(group) {
        let known = CommandTable.commands(in: group).map { $0.words[1] }.joined(separator: ", ")
        throw .usage(
          rest.count > 1 ? "unknown command \(given); there are: \(known)" : "\(group) needs one of: \(known)")
      }
      throw .usage(given.isEmpty ? "no command was given" : "unknown command \(given)")
    }
    let own = rest.dropFirst(command.words.count)
    let options = try Options(words[..<start] + own, accepting: CommandTable.globals + command.options)
    if options.has("help") { return try Help.show(command.words[...]) }
    guard command.operandCounts.contains(options.operands.count) else {
      throw .usage("wrong number of arguments; usage: \(Help.line(of: command))")
    }
    return try command.run(try Session(options))
  }

  /// The index of the first word that is neither a global option nor its value.
  private static func commandStart(of words: [String]) -> Int {
    let valued = CommandTable.globals.filter { $0.value != nil }.map { "--" + $0.name }
    var index = 0
    while index < words.count, words[index].hasPrefix("-") { index += valued.contains(words[index]) ? 2 : 1 }
    return min(index, words.count)
  }
}
