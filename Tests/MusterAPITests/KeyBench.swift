import Foundation
import MusterHTTP
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterStore

/// A store in a file with an agent, its tasks and a key, and callers with keys of all kinds.
final class KeyBench: Sendable {
  let bench: Bench
  let agent: String
  let other: String
  let key: String
  let template: String
  /// What nobody else may see.
  let secrets: [String]
  private let path: StorePath

  var plane: ControlPlane { bench.plane }
  var organization: String { plane.host.organizationID }

  init() throws {
    path = try StorePath()
    bench = try Bench(path.path)
    agent = try bench.agent("echo", #"{"name":"Nightingale","instructions":{"general":"Sing softly."}}"#)
    other = try bench.agent("echo", #"{"name":"Other"}"#)
    _ = try bench.invoke(agent, #"{"id":"the-task","input":{"text":"a private matter"}}"#)
    _ = try bench.invoke(agent, #"{"id":"below","parent_execution_id":"the-task","input":{"text":"deeper still"}}"#)
    let made = try bench.call("keys.create", #"{"body":{"name":"Gatekeeper"}}"#)
    key = try #require(made["id"]?.string)
    let exported = try bench.call("agents.export", #"{"agent_id":"\#(agent)","body":{"name":"T"}}"#)
    template = try #require(exported["id"]?.string)
    secrets = ["Nightingale", "Sing softly", "a private matter", "deeper still", "Gatekeeper"]
  }

  /// A new key's text.
  func keyText(_ members: String) throws -> String {
    let body = try json(#"{"name":"k"}"#).setting(try json(members).members.map { ($0.key, $0.value) })
    return try #require(try bench.call("keys.create", #"{"body":\#(text(body) ?? "")}"#)["key"]?.string)
  }

  /// The holder of a new key.
  func caller(_ members: String) throws -> Caller {
    var caller = try plane.authenticate(key: try keyText(members))
    // The model server of the tests is on this machine.
    caller.network = .open
    return caller
  }

  /// Calls an operation; gives its answer and the failure's HTTP status, 0 for none.
  func call(_ name: String, _ arguments: String = "{}", as caller: Caller) throws -> (status: Int32, answer: JSON) {
    do throws(Failure) {
      let answer = try plane.call(name, try self.arguments(of: arguments), timeoutMilliseconds: 20_000, as: caller)
      return (0, JSON.trusted(answer))
    } catch {
      return (error.httpStatus, error.document)
    }
  }

  private func arguments(of text: String) throws(Failure) -> Arguments {
    try Arguments(JSON.trusted(Array(text.utf8)))
  }

  /// The arguments of an entry with the ids of what it is about.
  func filled(_ arguments: String) -> String {
    arguments.replacingOccurrences(of: "AGENT", with: agent).replacingOccurrences(of: "TASK", with: "the-task")
      .replacingOccurrences(of: "KEY", with: key).replacingOccurrences(of: "TEMPLATE", with: template)
      .replacingOccurrences(of: "ORGANIZATION", with: organization)
  }

  func shows(_ answer: JSON) -> [String] {
    let shown = text(answer) ?? ""
    return secrets.filter { shown.contains($0) }
  }

  /// Every row of the organization, as text.
  func rows() throws -> [String] {
    let organization = organization
    return try plane.store.read { (database) throws(StoreError) in
      let tables = try database.statement("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .all { $0.text(0) }
      var rows: [String] = []
      for table in tables {
        var columns = try database.statement("SELECT name FROM pragma_table_info(?)").bind(1, table).all { $0.text(0) }
        guard table == "journal" || columns.contains("organization_id") else { continue }
        if table == "journal" { columns = ["task", "sequence"] + columns }
        let all = columns.map { "quote(\($0))" }.joined(separator: " || ',' || ")
        let condition =
          table == "journal"
          ? "task IN (SELECT key FROM tasks WHERE organization_id = ?)" : "organization_id = ?"
        rows += try database.statement("SELECT '\(table) ' || \(all) FROM \(table) WHERE \(condition) ORDER BY 1")
          .bind(1, organization).all { $0.text(0) }
      }
      return rows
    }
  }
}
