/// Every command, in the order of the help.
enum CommandTable {
  static let all: [Command] =
    AgentCommands.all + [InvokeCommand.command] + TaskCommands.all + KeyCommands.all + [ServeCommand.command]
    + StoreCommands.all + [DoctorCommand.command, CallCommand.command, Completions.command, Help.command]

  /// Options that every command takes.
  static let globals: [Command.Option] = [
    .init("store", "FILE", "The store, or the address of a server.", completion: .files),
    .init("json", nil, "Print answers as JSON."),
    .init("help", nil, "Print what the command does."),
  ]

  /// The first words that commands share, with their number of commands.
  static var groups: [String] {
    var names: [String] = []
    for command in all where command.words.count > 1 && !names.contains(command.words[0]) {
      names.append(command.words[0])
    }
    return names
  }

  /// The command that a line begins with.
  static func command(_ words: some Collection<String>) -> Command? {
    all.first { words.starts(with: $0.words) }
  }

  /// The commands of a group.
  static func commands(in group: String) -> [Command] { all.filter { $0.words.count > 1 && $0.words[0] == group } }
}
