/// The completion script for fish.
enum FishCompletions {
  static var script: String {
    """
    # fish completion for muster; written by `muster completions fish`.
    function __muster_at
      set -l place ''
      set -l skip 0
      for word in (commandline -opc)[2..]
        if test $skip = 1
          set skip 0
          continue
        end
        switch $word
          case \(Completions.valued.map { "--" + $0.name }.joined(separator: " "))
            set skip 1
          case '-*'
          case '*'
            set -l next (string trim -- "$place $word")
            contains -- $next \(placeNames); or break
            set place $next
        end
      end
      test "$place" = "$argv[1]"
    end
    complete -c muster -f
    \(places)
    """
  }

  private static var placeNames: String {
    Completions.places.filter { !$0.words.isEmpty }.map { quoted($0.words) }.joined(separator: " ")
  }

  private static var places: String {
    var lines = ""
    for place in Completions.places {
      let start = "complete -c muster -n \(quoted("__muster_at \(quoted(place.words))"))"
      for candidate in place.candidates where !candidate.word.hasPrefix("--") {
        lines += "\(start) -a \(quoted(candidate.word)) -d \(quoted(candidate.summary))\n"
      }
      lines += arguments(place.completion).map { "\(start) \($0)\n" } ?? ""
    }
    lines += options(CommandTable.globals, "complete -c muster")
    for command in CommandTable.all {
      lines += options(command.options, "complete -c muster -n \(quoted("__muster_at \(quoted(command.name))"))")
    }
    return lines
  }

  private static func options(_ options: [Command.Option], _ start: String) -> String {
    options.map { option in
      let value = option.value == nil ? "" : " " + (arguments(option.completion) ?? "-x")
      return "\(start) -l \(option.name)\(option.value == nil ? "" : " -r")\(value) -d \(quoted(option.summary))\n"
    }.joined()
  }

  private static func arguments(_ completion: Command.Completion) -> String? {
    switch completion {
    case .nothing: return nil
    case .files: return "-F"
    case .words(let words): return "-x -a \(quoted(words.joined(separator: " ")))"
    }
  }

  /// fish reads \\' and \\\\ within single quotes.
  private static func quoted(_ text: String) -> String {
    var result = "'"
    for character in text {
      if character == "'" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result + "'"
  }
}
