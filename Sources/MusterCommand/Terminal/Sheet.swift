import Glibc

/// One thing, with a line for each of its properties.
struct Sheet {
  private var lines: [(name: String, value: String, style: Style)] = []

  /// Adds a line; nothing for a value that is not there.
  mutating func add(_ name: String, _ value: String?, style: Style = .plain) {
    if let value, !value.isEmpty { lines.append((name, Output.printable(value, keepingLines: true), style)) }
  }

  /// Prints the lines, the values one below the other, also those of several lines.
  func show() {
    let isStyled = Style.isWanted(on: STDOUT_FILENO)
    let width = (lines.map { $0.name.utf8.count }.max() ?? 0) + 2
    let margin = "\n" + String(repeating: " ", count: width)
    var text = ""
    for line in lines {
      let name = line.name + String(repeating: " ", count: width - line.name.utf8.count)
      let value = line.value.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: margin)
      text += (isStyled ? Style.faint.applied(to: name) + line.style.applied(to: value) : name + value) + "\n"
    }
    Output.styled(text)
  }
}
