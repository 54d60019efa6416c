/// The help, made from the table of commands.
enum Help {
  static let command = Command(
    "help", "Print what a command does.", operands: [.init("COMMAND", isOptional: true), .init("", isOptional: true)]
  ) { session throws(Failure) in try show(session.options.operands[...]) }

  /// The help of the command or the group that the words name, or of the program.
  static func show(_ words: some Collection<String>) throws(Failure) -> Int32 {
    if words.isEmpty {
      Output.text(overview)
    } else if let command = CommandTable.command(words) {
      Output.text(text(of: command))
    } else if let group = words.first, words.count == 1, CommandTable.groups.contains(group) {
      Output.text("Usage: muster \(group) COMMAND\n\n" + list(CommandTable.commands(in: group)))
    } else {
      throw .usage("unknown command \(words.joined(separator: " "))")
    }
    return ExitCode.success
  }

  /// How a command is used, on one line.
  static func line(of command: Command) -> String {
    "muster \(words(of: command))" + (command.options.isEmpty ? "" : " [OPTION]...")
  }

  /// A command with its operands.
  private static func words(of command: Command) -> String {
    var line = command.name
    for operand in command.operands where !operand.name.isEmpty {
      line += operand.isOptional ? " [\(operand.name)]" : " \(operand.name)"
    }
    return line
  }

  private static func text(of command: Command) -> String {
    var text = "Usage: \(line(of: command))\n\n\(command.summary)\n"
    if !command.details.isEmpty { text += "\n" + wrapped(command.details, indent: 0) }
    return text + "\nOptions:\n" + list(command.options + CommandTable.globals)
  }

  private static var overview: String {
    var text = "Usage: muster [--store FILE] [--json] COMMAND\n"
    var open: String?
    for command in CommandTable.all {
      let group = command.words.count > 1 ? command.words[0] : ""
      if group != open { text += "\n" }
      open = group
      text += entry(words(of: command), command.summary)
    }
    return text + "\nOptions:\n" + list(CommandTable.globals)
      + entry("--version", "Print the version.") + "\nEnvironment:\n"
      + environment.map { entry($0.name, $0.summary) }.joined() + "\nExit codes:\n"
      + ExitCode.all.map { entry("\($0.code)", $0.meaning) }.joined()
      + "\n`muster help COMMAND` says more of a command.\n"
  }

  /// The variables that the program itself reads.
  static let environment: [(name: String, summary: String)] = [
    ("MUSTER_STORE", "The store; default: agents.db in the current folder."),
    ("MUSTER_BASE_URL", "The address of a server to use in place of a store."),
    ("MUSTER_API_KEY", "The API key for that server."),
    ("MUSTER_MODEL", "The model of agents that are made without one,"),
    ("MUSTER_MODEL_PROVIDER", "its provider (openai or openai_compatible)"),
    ("MUSTER_MODEL_BASE", "and its address, such as http://127.0.0.1:8080/v1."),
    ("NO_COLOR", "Without colours, if it is not empty."),
  ]

  private static func list(_ commands: [Command]) -> String {
    commands.map { entry(words(of: $0), $0.summary) }.joined()
  }

  private static func list(_ options: [Command.Option]) -> String {
    options.map { entry("--\($0.name)" + ($0.value.map { " \($0)" } ?? ""), $0.summary) }.joined()
  }

  private static let column = 30
  private static let width = 100

  /// A name and, beside it or below, what it is.
  private static func entry(_ name: String, _ summary: String) -> String {
    let margin = String(repeating: " ", count: column)
    var start = "  \(name)  "
    if start.utf8.count > column { start = "  \(name)\n" + margin } else { start += margin.dropFirst(start.utf8.count) }
    return start + wrapped(summary, indent: column).drop { $0 == " " }
  }

  private static func wrapped(_ text: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var lines = ""
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = margin
      for word in paragraph.split(separator: " ") {
        if line.count > indent, line.count + 1 + word.count > width {
          lines += line + "\n"
          line = margin
        }
        line += (line.count > indent ? " " : "") + word
      }
      lines += line + "\n"
    }
    return lines
  }
}
