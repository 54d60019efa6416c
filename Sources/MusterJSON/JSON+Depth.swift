extension JSON {
  /// Whether containers are nested deeper than `levels`: a scalar has none, an empty object one.
  package func isDeeper(than levels: Int) -> Bool {
    let span = text.span
    let end = min(range.upperBound, span.count)
    var depth = 0
    var position = max(range.lowerBound, 0)
    while position < end {
      switch span[position] {
      case UInt8(ascii: "\""):
        position = JSONSkip.string(in: span, at: position)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        if depth > levels { return true }
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      position += 1
    }
    return false
  }
}
