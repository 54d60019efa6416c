import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("Agents")
struct AgentTests {
  private func found(_ store: Store, _ id: String, in organization: String? = nil) throws -> AgentRow {
    guard case .found(let row) = try store.agent(id, in: organization ?? store.firstOrganizationID) else {
      throw Unexpected()
    }
    return row
  }

  @Test("What is inserted is found as it was, with its first version", arguments: [nil, #"{"key":"secret"}"#])
  func insert(secrets: String?) throws {
    try withStore { store, _ throws in
      let row = agent("a1", in: store.firstOrganizationID, secrets: secrets)
      try store.insertAgent(row, durable: true)
      let back = try found(store, "a1")
      #expect(back.organizationID == row.organizationID && back.id == "a1")
      #expect(back.revision == 1 && back.version == 1)
      #expect(back.createdAt == row.createdAt && back.updatedAt == row.updatedAt)
      #expect(back.document == row.document)
      #expect(back.secrets == row.secrets)
      let version = try #require(try store.agentVersion(1, of: "a1", in: row.organizationID))
      #expect(version.version == 1 && version.document == row.document && version.secrets == row.secrets)
    }
  }

  @Test(
    "Texts keep their bytes",
    arguments: ["", "{}", #"{"name":"Ünïcode 🦉 \u00e9 \n"}"#, String(repeating: "x", count: 1_000_000)])
  func bytes(document: String) throws {
    try withStore { store, _ throws in
      var row = agent("a1", in: store.firstOrganizationID)
      row.document = Array(document.utf8)
      try store.insertAgent(row, durable: false)
      #expect(try found(store, "a1").document == row.document)
    }
  }

  @Test("An id is there once in an organization, and a second insert changes nothing")
  func twice() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.insertAgent(agent("a1", in: organization), durable: true)
      #expect(throws: StoreError.self) { try store.insertAgent(agent("a1", in: organization), durable: true) }
      #expect(try store.agents(PageRequest(page: 1, perPage: 10), in: organization).total == 1)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("An update counts the revision, and one from an old reading changes nothing")
  func conflict() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.insertAgent(agent("a1", in: organization), durable: true)
      var mine = try found(store, "a1")
      var theirs = mine
      mine.document = Array("{\"mine\":1}".utf8)
      theirs.document = Array("{\"theirs\":1}".utf8)
      #expect(try store.updateAgent(theirs, durable: true))
      #expect(try !store.updateAgent(mine, durable: true))
      let now = try found(store, "a1")
      #expect(now.document == theirs.document)
      #expect(now.revision == 2)
      #expect(try store.agentVersion(2, of: "a1", in: organization) == nil)
      #expect(try !store.updateAgent(agent("missing", in: organization), durable: true))
      #expect(try store.number("SELECT count(*) FROM agent_versions") == 1)
    }
  }

  @Test("Of many threads that change one agent, no change is lost")
  func concurrent() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.insertAgent(agent("a1", in: organization), durable: false)
      let failures = Shared(0)
      inParallel(8) { _ in
        for _ in 0..<10 {
          do {
            while true {
              guard case .found(var row) = try store.agent("a1", in: organization) else { throw Unexpected() }
              row.updatedAt = Timestamp(microseconds: row.updatedAt.microseconds + 1)
              if try store.updateAgent(row, durable: false) { break }
            }
          } catch {
            failures.change { $0 += 1 }
          }
        }
      }
      #expect(failures.value == 0)
      #expect(try found(store, "a1").updatedAt.microseconds == 82)
      #expect(try found(store, "a1").revision == 81)
    }
  }

  @Test("Deploying keeps each state as a version that never changes")
  func versions() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.insertAgent(agent("a1", in: organization), durable: true)
      for number in Int64(2)...4 {
        var row = try found(store, "a1")
        row.version = number
        row.document = Array("{\"n\":\(number)}".utf8)
        row.secrets = number == 3 ? Array("{}".utf8) : nil
        #expect(try store.updateAgent(row, durable: true))
      }
      var staged = try found(store, "a1")
      staged.document = Array("{\"staged\":true}".utf8)
      #expect(try store.updateAgent(staged, durable: true))
      #expect(try found(store, "a1").version == 4)
      for number in Int64(2)...4 {
        let version = try #require(try store.agentVersion(number, of: "a1", in: organization))
        #expect(version.document == Array("{\"n\":\(number)}".utf8))
        #expect((version.secrets != nil) == (number == 3))
      }
      for number in [Int64(0), 5, -1, .max] {
        #expect(try store.agentVersion(number, of: "a1", in: organization) == nil)
      }
      #expect(try store.agentVersion(1, of: "a1", in: "other") == nil)
    }
  }

  @Test("A version that was just deployed is the working copy, and stays what it was when that changes")
  func versionWithoutRow() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.insertAgent(agent("a1", in: organization, secrets: "{\"k\":1}"), durable: true)
      let first = try #require(try store.agentVersion(1, of: "a1", in: organization))
      #expect(first.document == Array(#"{"id":"a1"}"#.utf8) && first.secrets == Array("{\"k\":1}".utf8))
      var row = try found(store, "a1")
      let earlier = row
      row.document = Array("{\"staged\":true}".utf8)
      row.secrets = nil
      #expect(try store.updateAgent(row, durable: true))
      let kept = try #require(try store.agentVersion(1, of: "a1", in: organization))
      #expect(kept.document == first.document && kept.secrets == first.secrets)
      // A change from an old reading keeps nothing that was not deployed.
      #expect(try !store.updateAgent(earlier, durable: true))
      #expect(try store.number("SELECT count(*) FROM agent_versions") == 1)
      var deployed = try found(store, "a1")
      deployed.version = 2
      #expect(try store.updateAgent(deployed, durable: true))
      #expect(try store.agentVersion(2, of: "a1", in: organization)?.document == Array("{\"staged\":true}".utf8))
      #expect(try store.agentVersion(1, of: "a1", in: organization)?.document == first.document)
    }
  }

  @Test("A look-up tells what is missing from what belongs to others")
  func lookup() throws {
    try withStore { store, _ throws in
      try store.ensureOrganization("other")
      try store.insertAgent(agent("a1", in: "other"), durable: true)
      guard case .foreign = try store.agent("a1", in: store.firstOrganizationID) else { throw Unexpected() }
      guard case .missing = try store.agent("a2", in: store.firstOrganizationID) else { throw Unexpected() }
      guard case .found = try store.agent("a1", in: "other") else { throw Unexpected() }
      #expect(try !store.deleteAgent("a1", in: store.firstOrganizationID, durable: true))
      #expect(try found(store, "a1", in: "other").id == "a1")
    }
  }

  @Test("One id may be used in two organizations, and neither sees the other's agent")
  func organizations() throws {
    try withStore { store, _ throws in
      let first = store.firstOrganizationID
      try store.ensureOrganization("other")
      try store.ensureOrganization("other")
      #expect(try store.number("SELECT count(*) FROM organizations") == 2)
      try store.insertAgent(agent("a1", in: first), durable: true)
      try store.insertAgent(agent("a1", in: "other"), durable: true)
      var row = try found(store, "a1", in: "other")
      row.document = Array("{\"changed\":1}".utf8)
      #expect(try store.updateAgent(row, durable: true))
      #expect(try found(store, "a1").document == agent("a1", in: first).document)
      #expect(try store.deleteAgent("a1", in: first, durable: true))
      #expect(try found(store, "a1", in: "other").document == row.document)
      #expect(try store.agents(PageRequest(page: 1, perPage: 10), in: first).total == 0)
      #expect(try store.agents(PageRequest(page: 1, perPage: 10), in: "other").total == 1)
    }
  }

  @Test("Deleting an agent takes its versions, tasks and journals along, and nothing else")
  func delete() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.ensureOrganization("other")
      for id in ["a1", "a2"] { try store.insertAgent(agent(id, in: organization), durable: true) }
      try store.insertAgent(agent("a1", in: "other"), durable: true)
      for (id, owner) in [("a1", organization), ("a2", organization), ("a1", "other")] {
        guard case .found(let row) = try store.agent(id, in: owner) else { throw Unexpected() }
        #expect(try store.updateAgent(row, durable: true))
      }
      for number in 0..<5 {
        _ = try store.run(start("mine\(number)", in: organization))
        _ = try store.run(start("theirs\(number)", in: organization, of: "a2"))
      }
      _ = try store.run(start("mine0", in: "other"))
      #expect(try store.deleteAgent("a1", in: organization, durable: true))
      #expect(try !store.deleteAgent("a1", in: organization, durable: true))
      guard case .foreign = try store.agent("a1", in: organization) else { throw Unexpected() }
      #expect(try store.number("SELECT count(*) FROM agents") == 2)
      #expect(try store.number("SELECT count(*) FROM agent_versions") == 2)
      #expect(try store.number("SELECT count(*) FROM tasks") == 6)
      #expect(try store.number("SELECT count(*) FROM journal") == 12)
      #expect(try store.number("SELECT count(*) FROM journal WHERE task NOT IN (SELECT key FROM tasks)") == 0)
      #expect(try store.wrongCounts() == 0)
    }
  }
}
