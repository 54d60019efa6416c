/// Walks the members of an object in a text in normal form, one at a time and without memory of its own.
struct JSONMemberCursor {
  private let text: [UInt8]
  /// Where the next member begins.
  private(set) var position: Int
  /// Behind the object's closing brace.
  private let end: Int

  /// Starts at `position`, which is behind the opening brace or behind a member's comma.
  init(text: [UInt8], position: Int, end: Int) {
    self.text = text
    self.position = position
    self.end = min(end, text.count)
  }

  /// The next member: its key's lexeme with quotes, and its value. Nil at the end.
  mutating func next() -> (key: Range<Int>, value: Range<Int>)? {
    guard position < end - 1 else { return nil }
    let keyEnd = JSONSkip.value(in: text, at: position)
    let valueEnd = JSONSkip.value(in: text, at: keyEnd + 1)
    guard keyEnd > position + 1, valueEnd > keyEnd + 1, valueEnd < end else {
      position = end
      return nil
    }
    let start = position
    position = valueEnd + 1
    return (start..<keyEnd, keyEnd + 1..<valueEnd)
  }
}

/// Walks the elements of an array in a text in normal form, one at a time and without memory of its own.
struct JSONElementCursor {
  private let text: [UInt8]
  /// Where the next element begins.
  private(set) var position: Int
  /// Behind the array's closing bracket.
  private let end: Int

  /// Starts at `position`, which is behind the opening bracket or behind an element's comma.
  init(text: [UInt8], position: Int, end: Int) {
    self.text = text
    self.position = position
    self.end = min(end, text.count)
  }

  /// The next element; nil at the end.
  mutating func next() -> Range<Int>? {
    guard position < end - 1 else { return nil }
    let start = position
    let valueEnd = JSONSkip.value(in: text, at: start)
    guard valueEnd > start, valueEnd < end else {
      position = end
      return nil
    }
    position = valueEnd + 1
    return start..<valueEnd
  }
}
