import Foundation
import MusterSystem
import TestSupport
import Testing

@Suite("Identifier")
struct IdentifierTests {
  @Test("An id is a UUID of version 7 in lower case")
  func form() throws {
    for _ in 0..<1000 {
      let id = Array(Identifier.make().utf8)
      try #require(id.count == 36)
      for (index, byte) in id.enumerated() {
        switch index {
        case 8, 13, 18, 23: #expect(byte == UInt8(ascii: "-"))
        case 14: #expect(byte == UInt8(ascii: "7"))
        case 19: #expect("89ab".utf8.contains(byte))
        default: #expect("0123456789abcdef".utf8.contains(byte))
        }
      }
    }
  }

  @Test("An id begins with the milliseconds of the clock")
  func time() throws {
    let before = Timestamp.now().microseconds / 1000
    let id = Identifier.make()
    let after = Timestamp.now().microseconds / 1000
    let milliseconds = try #require(Int64(id.replacingOccurrences(of: "-", with: "").prefix(12), radix: 16))
    #expect(before <= milliseconds && milliseconds <= after)
  }

  @Test("Ids of different milliseconds are ordered as text")
  func order() {
    var ids: [String] = []
    for _ in 0..<20 {
      ids.append(Identifier.make())
      usleep(2000)
    }
    #expect(ids == ids.sorted())
  }

  @Test("Threads never make the same id")
  func uniqueness() {
    let all = Shared<Set<String>>([])
    inParallel(8) { _ in
      let mine = (0..<2000).map { _ in Identifier.make() }
      all.change { $0.formUnion(mine) }
    }
    #expect(all.value.count == 16_000)
  }
}
