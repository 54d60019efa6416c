/// The completion script for bash.
enum BashCompletions {
  static var script: String {
    """
    # bash completion for muster; written by `muster completions bash`.
    _muster() {
      local current=${COMP_WORDS[COMP_CWORD]} place= word index
      COMPREPLY=()
      case ${COMP_WORDS[COMP_CWORD - 1]} in
    \(values)  esac
      for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        case $word in
          \(Completions.valued.map { "--" + $0.name }.joined(separator: "|"))) ((index++)) ;;
          -*) ;;
          *)
            case ${place:+$place }$word in
              \(placeNames)) place=${place:+$place }$word ;;
              *) break ;;
            esac
            ;;
        esac
      done
      case $place in
    \(places)  esac
    }
    complete -F _muster muster

    """
  }

  private static var placeNames: String {
    Completions.places.filter { !$0.words.isEmpty }.map { Completions.quoted($0.words) }.joined(separator: "|")
  }

  private static var values: String {
    Completions.valued.map { "    --\($0.name)) \(reply($0.completion, [])); return ;;\n" }.joined()
  }

  private static var places: String {
    Completions.places.map { place in
      "    \(Completions.quoted(place.words))) \(reply(place.completion, place.candidates.map { $0.word })) ;;\n"
    }.joined()
  }

  private static func reply(_ completion: Command.Completion, _ words: [String]) -> String {
    let candidates: [String]
    switch completion {
    case .nothing: candidates = words
    case .words(let own): candidates = own + words
    case .files:
      return "mapfile -t COMPREPLY < <(compgen -W \(Completions.quoted(words.joined(separator: " "))) -- \"$current\"; "
        + "compgen -f -- \"$current\")"
    }
    if candidates.isEmpty { return "COMPREPLY=()" }
    return
      "mapfile -t COMPREPLY < <(compgen -W \(Completions.quoted(candidates.joined(separator: " "))) -- \"$current\")"
  }
}
