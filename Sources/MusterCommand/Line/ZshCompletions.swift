/// The completion script for zsh.
enum ZshCompletions {
  static var script: String {
    """
    #compdef muster
    # zsh completion for muster; written by `muster completions zsh`.
    _muster() {
      local place= word
      local -i index
      local -a candidates
      case ${words[CURRENT - 1]} in
    \(values)  esac
      for ((index = 2; index < CURRENT; index++)); do
        word=${words[index]}
        case $word in
          (\(Completions.valued.map { "--" + $0.name }.joined(separator: "|"))) ((index++)) ;;
          (-*) ;;
          (*)
            case ${place:+$place }$word in
              (\(placeNames)) place=${place:+$place }$word ;;
              (*) break ;;
            esac
            ;;
        esac
      done
      case $place in
    \(places)  esac
      (( $#candidates )) && _describe -t commands muster candidates
    }
    if [ "$funcstack[1]" = _muster ]; then _muster "$@"; else compdef _muster muster; fi

    """
  }

  private static var placeNames: String {
    Completions.places.filter { !$0.words.isEmpty }.map { Completions.quoted($0.words) }.joined(separator: "|")
  }

  private static var values: String {
    Completions.valued.map { option in
      let action: String
      switch option.completion {
      case .nothing: action = "_message \(Completions.quoted(option.value ?? "value"))"
      case .files: action = "_files"
      case .words(let words): action = "compadd -- \(words.map(Completions.quoted).joined(separator: " "))"
      }
      return "    (--\(option.name)) \(action); return ;;\n"
    }.joined()
  }

  private static var places: String {
    Completions.places.map { place in
      let candidates = place.candidates.map { candidate in
        let word = candidate.word.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "\\:")
        return Completions.quoted("\(word):\(candidate.summary)")
      }.joined(separator: " ")
      let own: String
      switch place.completion {
      case .nothing: own = ""
      case .files: own = " _files;"
      case .words(let words): own = " compadd -- \(words.map(Completions.quoted).joined(separator: " "));"
      }
      return "    (\(Completions.quoted(place.words)))\(own) candidates=(\(candidates)) ;;\n"
    }.joined()
  }
}
