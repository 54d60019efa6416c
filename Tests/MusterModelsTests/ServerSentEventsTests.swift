import Testing

@testable import MusterModels

@Suite("Server-sent events")
struct ServerSentEventsTests {
  /// The events of a text that comes in such pieces: `!` before what is an error, `~` before what the end cut off.
  private func events(_ pieces: [[UInt8]], limit: Int = 100) -> [String] {
    var reader = ServerSentEvents(limit: limit)
    var found: [String] = []
    func note(_ event: ServerSentEvents.Event) {
      found.append(
        (event.isError ? "!" : "") + (event.isCut ? "~" : "") + String(decoding: event.data, as: UTF8.self))
    }
    for piece in pieces {
      reader.append(piece)
      while let event = reader.next() { note(event) }
    }
    if let event = reader.finish() { note(event) }
    if reader.isTooLong { found.append("too long") }
    return found
  }

  private func expect(_ bytes: [UInt8], _ expected: [String], limit: Int = 100) {
    #expect(events([bytes], limit: limit) == expected)
    for place in 0...bytes.count {
      let cut = events([Array(bytes[..<place]), Array(bytes[place...])], limit: limit)
      if cut != expected { Issue.record("cut at \(place): \(cut)") }
    }
    let single = events(bytes.map { [$0] }, limit: limit)
    #expect(single == expected, "byte by byte")
  }

  @Test(
    "events are read however they are written, and wherever they are cut",
    arguments: [
      ("data: a\n\ndata: b\n\n", ["a", "b"]), ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
      ("data: a\r\rdata: b\r\r", ["a", "b"]), ("data: a\r\n\ndata: b\n\r\n", ["a", "b"]),
      ("data:a\n\ndata:  b\n\n", ["a", " b"]), ("data: a:b: c\n\n", ["a:b: c"]),
      ("data: a\ndata: b\ndata:\ndata: c\n\n", ["a\nb\n\nc"]), ("data\ndata: a\n\n", ["\na"]),
      (": a comment\n\n:\n\ndata: a\n: another\ndata: b\n\n", ["a\nb"]),
      ("event: message\nid: 7\nretry: 10\ndata: a\n\n", ["a"]),
      ("data: a\n\n\n\n\ndata: b\n\n", ["a", "b"]), ("\n\ndata: a\n\n", ["a"]),
      ("data:\n\ndata\n\nid: 1\n\ndata: a\n\n", ["a"]),
      ("dat: a\ndatas: b\n data: c\nDATA: d\nnothing known here: e\ndata: f\n\n", ["f"]),
      ("data: h\u{e9}\u{1f600}\n\n", ["h\u{e9}\u{1f600}"]),
      ("event: error\ndata: a\n\ndata: b\n\n", ["!a", "b"]), ("error: {\"a\":1}\n\ndata: b\n\n", ["!{\"a\":1}", "b"]),
      ("event: error\n\ndata: b\n\n", ["b"]),
      ("", []), ("\n", []), ("data", []), (":", []),
    ] as [(String, [String])])
  func forms(text: String, expected: [String]) { expect(Array(text.utf8), expected) }

  @Test("a byte order mark at the beginning is none of the text; elsewhere, or cut short, it is")
  func mark() {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    expect(mark + Array("data: a\n\n".utf8), ["a"])
    expect(mark + mark + Array("data: a\n\ndata: b\n\n".utf8), ["b"])
    expect(mark[..<2] + Array("data: a\n\ndata: b\n\n".utf8), ["b"])
    expect(Array("data: a\n\n".utf8) + mark + Array("data: b\n\ndata: c\n\n".utf8), ["a", "c"])
    expect(mark, [])
  }

  @Test("what the end of the stream cuts off is told as such")
  func cut() {
    expect(Array("data: a\n\ndata: b".utf8), ["a", "~b"])
    expect(Array("data: a\n".utf8), ["~a"])
    expect(Array("data: a\r".utf8), ["~a"])
    expect(Array("data: a\ndata: b\r\n".utf8), ["~a\nb"])
    expect(Array("error: x".utf8), ["!~x"])
    expect(Array("data: a\n\n: rest".utf8), ["a"])
  }

  @Test("a line and an event may be so long and no longer, and nothing is read behind one that is longer")
  func limits() {
    let line = "data: 0123456789"
    expect(Array("\(line)\n\ndata: b\n\n".utf8), ["0123456789", "b"], limit: line.utf8.count)
    expect(Array("data: a\n\n\(line)\n\ndata: b\n\n".utf8), ["a", "too long"], limit: line.utf8.count - 1)
    expect(Array("data: a\n\n\(line)".utf8), ["a", "too long"], limit: line.utf8.count - 1)
    expect(Array(": a comment that is longer\n\ndata: b\n\n".utf8), ["too long"], limit: 12)
    let event = "data: 01234\ndata: 567890\n"
    expect(Array("\(event)\ndata: b\n\n".utf8), ["01234\n567890", "b"], limit: 12)
    expect(Array("data: a\n\n\(event)data:\n\ndata: b\n\n".utf8), ["a", "too long"], limit: 12)
  }

  @Test("an event that somebody keeps is not changed by the next")
  func kept() {
    var reader = ServerSentEvents(limit: 100)
    reader.append(Array("data: first\n\ndata: second\n\n".utf8))
    let first = reader.next()
    let second = reader.next()
    let third = reader.next()
    #expect(first?.data == Array("first".utf8))
    #expect(second?.data == Array("second".utf8))
    #expect(third == nil)
  }
}
