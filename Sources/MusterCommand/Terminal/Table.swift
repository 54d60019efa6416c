import Glibc

/// Rows under headings, cut to the width of a terminal.
struct Table {
  struct Column {
    let heading: String
    /// Cut last: an identifier that is cut cannot be copied.
    var keepsWhole = false
    /// How a cell is shown where there are colours.
    var style: @Sendable (String) -> Style = { _ in .plain }
  }

  let columns: [Column]
  private(set) var rows: [[String]] = []
  /// Whether colours are wanted.
  private let isStyled: Bool
  private static let gap = 2
  /// Columns are not made narrower than this while another one can still give.
  private static let narrow = 8

  init(_ columns: [Column], isStyled: Bool = Style.isWanted(on: STDOUT_FILENO)) {
    self.columns = columns
    self.isStyled = isStyled
  }

  mutating func add(_ cells: [String]) {
    rows.append(cells.map { Output.printable($0, keepingLines: false) })
  }

  /// The table with a line end after each row.
  func text(width: Int) -> String {
    let widths = widths(within: width)
    var text = ""
    for (number, row) in ([columns.map(\.heading)] + rows).enumerated() {
      var line = ""
      var gap = 0
      for (index, (cell, width)) in zip(row, widths).enumerated() {
        let cut = Self.cut(cell, to: width)
        // No spaces at the end of a line.
        if !cut.isEmpty {
          let style = number == 0 ? .bold : columns[index].style(cell)
          line += String(repeating: " ", count: gap) + (isStyled ? style.applied(to: cut) : cut)
          gap = 0
        }
        gap += width - DisplayWidth.of(cut) + Self.gap
      }
      text += line + "\n"
    }
    return text
  }

  /// Prints the table as wide as the terminal is.
  func show() { Output.styled(text(width: Output.columns)) }

  private func widths(within total: Int) -> [Int] {
    var widths = columns.map { DisplayWidth.of($0.heading) }
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], DisplayWidth.of(cell))
      }
    }
    var excess = widths.reduce(0, +) + Self.gap * max(0, widths.count - 1) - total
    while excess > 0, let widest = widestColumn(of: widths) {
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  /// The column that gives next: the widest of those that may be cut, then the others, down to one column of text.
  private func widestColumn(of widths: [Int]) -> Int? {
    let giving = widths.indices.filter { !columns[$0].keepsWhole && widths[$0] > Self.narrow }
    let rest = widths.indices.filter { widths[$0] > 1 }
    return (giving.isEmpty ? rest : giving).max { widths[$0] < widths[$1] }
  }

  private static func cut(_ text: String, to width: Int) -> String {
    if DisplayWidth.of(text) <= width { return text }
    var result = ""
    var used = 0
    for character in text {
      used += DisplayWidth.of(character)
      if used > width - 1 { break }
      result.append(character)
    }
    return result + "…"
  }
}
