/// Completion scripts for shells, made from the table of commands.
enum Completions {
  static let command = Command(
    "completions", "Print a completion script.",
    operands: [.init("SHELL", completion: .words(["bash", "zsh", "fish"]))],
    details: """
      bash: source <(muster completions bash)
      zsh: muster completions zsh >~/.zfunc/_muster, with ~/.zfunc in fpath
      fish: muster completions fish >~/.config/fish/completions/muster.fish
      """
  ) { session throws(Failure) in
    switch session.operand(0) {
    case "bash": Output.text(BashCompletions.script)
    case "zsh": Output.text(ZshCompletions.script)
    case "fish": Output.text(FishCompletions.script)
    case let other: throw .usage("there are completions for bash, zsh and fish, not for \(other)")
    }
    return ExitCode.success
  }

  /// A place on the line after some words of a command, and what may stand there.
  struct Place {
    /// The words so far, with a space between.
    let words: String
    let candidates: [(word: String, summary: String)]
    let completion: Command.Completion
  }

  /// Every place: before a command, within a group, and after a command.
  static var places: [Place] {
    let all = CommandTable.all
    var first: [(word: String, summary: String)] = []
    for command in all where !first.contains(where: { $0.word == command.words[0] }) {
      first.append((command.words[0], command.words.count > 1 ? "commands on \(command.words[0])" : command.summary))
    }
    var places = [Place(words: "", candidates: first + options(CommandTable.globals), completion: .nothing)]
    for group in CommandTable.groups {
      places.append(
        Place(
          words: group, candidates: CommandTable.commands(in: group).map { ($0.words[1], $0.summary) },
          completion: .nothing))
    }
    for command in all {
      places.append(
        Place(
          words: command.name, candidates: options(command.options + CommandTable.globals),
          completion: command.operands.first?.completion ?? .nothing))
    }
    return places
  }

  private static func options(_ options: [Command.Option]) -> [(word: String, summary: String)] {
    options.map { ("--\($0.name)", $0.summary) }
  }

  /// Every option with a value, once.
  static var valued: [Command.Option] {
    var found: [Command.Option] = []
    for option in CommandTable.globals + CommandTable.all.flatMap({ $0.options })
    where option.value != nil && !found.contains(where: { $0.name == option.name }) {
      found.append(option)
    }
    return found
  }

  /// A text in single quotes, as all three shells read it.
  static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
