/// Reads server-sent events, as the HTML standard has them, from bytes that may be cut anywhere.
///
/// Two things are taken that the standard drops: an event that the end of the stream cuts off, because servers leave out
/// the last empty line, and the field `error`, in which llama.cpp's server told errors until September 2025.
struct ServerSentEvents {
  struct Event {
    /// What its data lines say, joined by line feeds; never empty.
    let data: [UInt8]
    /// Whether it is named `error`.
    let isError: Bool
    /// Whether the stream ended before the event did: the data may lack its end.
    let isCut: Bool
  }

  /// A line, or the data of one event, had more bytes than the limit: nothing is read any more.
  private(set) var isTooLong = false

  private let limit: Int
  /// What came last, and how much of it is read.
  private var input: [UInt8] = []
  private var position = 0
  /// The beginning of a line whose end has not come.
  private var held: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var isError = false
  /// Whether `data` was given out, and begins anew.
  private var isGiven = false
  /// Whether a carriage return was the last: a line feed that follows belongs to it.
  private var skipsLineFeed = false
  /// How much of a byte order mark has been found at the very beginning; nil behind it.
  private var mark: Int? = 0

  private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
  /// Buffers that have grown beyond this are not kept for the next line.
  private static let keptBytes = 4096

  /// - Parameter limit: the most bytes that a line may have, and the data of an event.
  init(limit: Int) { self.limit = limit }

  /// Takes some bytes; what they hold is then told by `next`.
  mutating func append(_ bytes: [UInt8]) {
    if position < input.count {
      input.removeFirst(position)
      input.append(contentsOf: bytes)
    } else {
      input = bytes
    }
    position = 0
  }

  /// The next event; nil when more bytes are needed.
  mutating func next() -> Event? {
    releaseGiven()
    while !isTooLong, position < input.count {
      if skipsLineFeed {
        skipsLineFeed = false
        if input[position] == UInt8(ascii: "\n") {
          position += 1
          continue
        }
      }
      if let found = mark {
        skipMark(found)
        continue
      }
      let start = position
      let end = ServerSentEvents.lineEnd(input.span, from: start)
      guard end &- start <= limit &- held.count else {
        isTooLong = true
        break
      }
      guard end < input.count else {
        held.append(contentsOf: input[start..<end])
        break
      }
      position = end + 1
      skipsLineFeed = input[end] == UInt8(ascii: "\r")
      if held.isEmpty {
        if start == end, let event = close(isCut: false) { return event }
        read(input, start..<end)
      } else {
        held.append(contentsOf: input[start..<end])
        readHeld()
      }
    }
    input = []
    position = 0
    // Until more comes, which may take long, nothing is kept that is as soon had again.
    if !hasData { data = [] }
    if held.isEmpty { held = [] }
    return nil
  }

  /// What the end of the stream makes an event; everything that was appended has been read.
  mutating func finish() -> Event? {
    releaseGiven()
    if !held.isEmpty { readHeld() }
    return isTooLong ? nil : close(isCut: true)
  }

  // MARK: - Lines

  private mutating func skipMark(_ found: Int) {
    if found < 3, input[position] == ServerSentEvents.byteOrderMark[found] {
      position += 1
      mark = found + 1
    } else {
      // What looked like a mark and is none stands at the beginning of the first line.
      if found < 3 { held.append(contentsOf: ServerSentEvents.byteOrderMark.prefix(found)) }
      mark = nil
    }
  }

  private mutating func readHeld() {
    read(held, 0..<held.count)
    if held.count > ServerSentEvents.keptBytes { held = [] } else { held.removeAll(keepingCapacity: true) }
  }

  /// Reads one line, which may be empty.
  private mutating func read(_ text: [UInt8], _ line: Range<Int>) {
    // No name that is known has more than five letters.
    var colon = line.lowerBound
    while colon < line.upperBound, text[colon] != UInt8(ascii: ":") {
      guard colon &- line.lowerBound < 5 else { return }
      colon += 1
    }
    var start = min(colon + 1, line.upperBound)
    if start < line.upperBound, text[start] == 0x20 { start += 1 }
    let name = text[line.lowerBound..<colon]
    if name.elementsEqual("data".utf8) {
      add(text[start..<line.upperBound])
    } else if name.elementsEqual("error".utf8) {
      isError = true
      add(text[start..<line.upperBound])
    } else if name.elementsEqual("event".utf8), text[start..<line.upperBound].elementsEqual("error".utf8) {
      isError = true
    }
  }

  private mutating func add(_ value: ArraySlice<UInt8>) {
    guard value.count < limit &- data.count || (!hasData && value.count <= limit) else {
      isTooLong = true
      return
    }
    if hasData { data.append(UInt8(ascii: "\n")) }
    hasData = true
    data.append(contentsOf: value)
  }

  /// Ends the event that is being read, if there is one.
  private mutating func close(isCut: Bool) -> Event? {
    defer {
      hasData = false
      isError = false
    }
    guard !data.isEmpty else { return nil }
    isGiven = true
    return Event(data: data, isError: isError, isCut: isCut)
  }

  /// Makes room for the next event. The buffer serves again unless somebody has kept it.
  private mutating func releaseGiven() {
    guard isGiven else { return }
    isGiven = false
    if data.count > ServerSentEvents.keptBytes { data = [] } else { data.removeAll(keepingCapacity: true) }
  }

  /// The position of the next line feed or carriage return, eight bytes at a time; the text's end if there is none.
  private static func lineEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let raw = text.bytes
    var position = start
    while position &+ 8 <= raw.byteCount {
      let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
      let feed = word ^ 0x0a0a_0a0a_0a0a_0a0a
      let carriage = word ^ 0x0d0d_0d0d_0d0d_0d0d
      let found = (((feed &- ones) & ~feed) | ((carriage &- ones) & ~carriage)) & 0x8080_8080_8080_8080
      if found != 0 { return position &+ found.trailingZeroBitCount / 8 }
      position &+= 8
    }
    while position < text.count, text[position] != UInt8(ascii: "\n"), text[position] != UInt8(ascii: "\r") {
      position += 1
    }
    return position
  }
}
