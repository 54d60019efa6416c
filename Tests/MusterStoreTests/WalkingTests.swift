import Foundation
import Testing

@testable import MusterStore

@Suite("Walking through pages")
struct WalkingTests {
  private let size: Int64 = 3

  private func fill(_ store: Store, _ numbers: Range<Int>) throws {
    for number in numbers {
      try store.insertAgent(agent("\(number)", in: store.firstOrganizationID), durable: false)
    }
  }

  private func ids(_ store: Store, page: Int64, perPage: Int64? = nil) throws -> [String] {
    let request = PageRequest(page: page, perPage: perPage ?? size)
    let found = try store.agents(request, in: store.firstOrganizationID)
    var text: [UInt8] = []
    #expect(try store.appendAgents(request, in: store.firstOrganizationID, to: &text) == found.total)
    #expect(text == Array(found.rows.joined(separator: [UInt8(ascii: ",")])))
    return found.rows.map { String(decoding: $0.dropFirst(7).dropLast(2), as: UTF8.self) }
  }

  private func names(_ numbers: [Int]) -> [String] { numbers.map { "\($0)" } }

  @Test("After a row was added above, removed above, or both, the next page is the one that OFFSET gives")
  func changes() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try fill(store, 0..<12)
      #expect(try ids(store, page: 1) == names([11, 10, 9]))
      try fill(store, 12..<13)
      #expect(try ids(store, page: 2) == names([9, 8, 7]))
      #expect(try store.deleteAgent("10", in: organization, durable: false))
      #expect(try ids(store, page: 3) == names([5, 4, 3]))
      // As many rows as before, but others.
      #expect(try ids(store, page: 1) == names([12, 11, 9]))
      try fill(store, 13..<14)
      #expect(try store.deleteAgent("12", in: organization, durable: false))
      #expect(try ids(store, page: 2) == names([8, 7, 6]))
      // The same highest row, but fewer.
      #expect(try store.deleteAgent("11", in: organization, durable: false))
      #expect(try ids(store, page: 3) == names([4, 3, 2]))
      // A row that came and went leaves everything as it was.
      try fill(store, 14..<15)
      #expect(try store.deleteAgent("14", in: organization, durable: false))
      #expect(try ids(store, page: 4) == names([1, 0]))
    }
  }

  @Test("A change by another process counts like one of our own")
  func otherProcess() throws {
    try withStore { store, folder throws in
      try fill(store, 0..<9)
      #expect(try ids(store, page: 1) == names([8, 7, 6]))
      // A connection of its own, as another process has it.
      let other = try Database(path: folder.file("agents.db"), access: .existing, busyTimeoutMilliseconds: 20_000)
      try other.execute(
        """
        BEGIN IMMEDIATE;
        DELETE FROM agents WHERE id = '7';
        UPDATE counts SET rows = rows - 1 WHERE list = 1;
        COMMIT
        """)
      #expect(try ids(store, page: 2) == names([4, 3, 2]))
    }
  }

  @Test("Many walkers with pages of different sizes, in different organizations, do not disturb each other")
  func manyWalkers() throws {
    try withStore { store, _ throws in
      try fill(store, 0..<60)
      try store.ensureOrganization("other")
      for number in 0..<60 { try store.insertAgent(agent("o\(number)", in: "other"), durable: false) }
      let all = names((0..<60).reversed())
      var walked = [[String]](repeating: [], count: 20)
      for page in Int64(1)...60 {
        for walker in walked.indices {
          walked[walker] += try ids(store, page: page, perPage: Int64(walker + 1))
          let others = try store.agents(PageRequest(page: page, perPage: Int64(walker + 1)), in: "other")
          #expect(others.rows.allSatisfy { $0.starts(with: Array(#"{"id":"o"#.utf8)) })
        }
      }
      for walker in walked { #expect(walker == all) }
    }
  }

  @Test("A place is found for the very list and state for which it was noted")
  func places() {
    let places = ListPlaces()
    let state = ListPlaces.State(rows: 100, top: 500)
    places.note(20, from: 0, last: 480, of: state, in: "a")
    #expect(places.below(offset: 20, of: state, in: "a") == 480)
    #expect(places.below(offset: 20, of: state, in: "b") == nil)
    #expect(places.below(offset: 21, of: state, in: "a") == nil)
    #expect(places.below(offset: 20, of: .init(rows: 99, top: 500), in: "a") == nil)
    #expect(places.below(offset: 20, of: .init(rows: 100, top: 501), in: "a") == nil)
    places.note(20, from: 20, last: 460, of: state, in: "a")
    #expect(places.below(offset: 40, of: state, in: "a") == 460)
    for number in Int64(0)..<100 { places.note(1, from: number * 7 + 1000, last: 1, of: state, in: "a") }
    #expect(places.below(offset: 99 * 7 + 1001, of: state, in: "a") == 1)
    #expect(places.below(offset: 40, of: state, in: "a") == nil)
  }
}
