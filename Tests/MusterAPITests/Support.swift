import Foundation
import MusterJSON
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

/// A value from a text that must be JSON.
func json(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

func text(_ json: JSON?) -> String? { json.map { String(decoding: $0.bytes, as: UTF8.self) } }

extension JSON {
  /// The value at a JSON pointer of keys and indices.
  func at(_ pointer: String) -> JSON? {
    var value: JSON? = self
    for part in pointer.split(separator: "/") {
      if let index = Int(part), value?.kind == .array {
        let elements = value?.elements ?? []
        value = index < elements.count ? elements[index] : nil
      } else {
        value = value?[String(part)]
      }
    }
    return value
  }

  var keys: [String] { members.map { $0.key } }
}

/// A plane whose agents ask the shared model server.
final class Bench: @unchecked Sendable {
  let plane: ControlPlane
  let lines = Lines()
  private let base: String

  init(_ configuration: String = ":memory:") throws {
    base = try ModelServer.shared.get().base
    let lines = lines
    plane = try ControlPlane(configuration: Array(configuration.utf8), log: Log { _, _, line in lines.add(line) })
  }

  deinit { plane.close() }

  func call(_ name: String, _ arguments: String = "{}", milliseconds: Int64 = 20_000) throws -> JSON {
    try JSON.parse(try plane.call(name, try Arguments(try json(arguments)), timeoutMilliseconds: milliseconds))
  }

  /// The failure of a call that must fail.
  func failure(_ name: String, _ arguments: String = "{}", milliseconds: Int64 = 20_000) throws -> Failure {
    do {
      let answer = try call(name, arguments, milliseconds: milliseconds)
      Issue.record("\(name) gave \(text(answer) ?? "")")
      throw Unexpected()
    } catch let failure as Failure {
      return failure
    }
  }

  /// Makes an agent that asks the model server for a model; gives its id.
  func agent(_ model: String = "echo", _ members: String = "{}") throws -> String {
    let body = try json(
      #"{"name":"A","model_provider":"openai_compatible","llm_api_base":"\#(base)"}"#
    ).setting([("model_name", .string(model))] + (try json(members).members.map { ($0.key, $0.value) }))
    return try #require(try call("agents.create", #"{"body":\#(text(body) ?? "")}"#)["id"]?.string)
  }

  func invoke(_ agent: String, _ members: String = "{}", arguments: String = "{}", milliseconds: Int64 = 20_000) throws
    -> JSON
  {
    try call("agents.invoke", try invocation(agent, members, arguments), milliseconds: milliseconds)
  }

  func invocation(_ agent: String, _ members: String = "{}", _ arguments: String = "{}") throws -> String {
    let body = try json(#"{"input":{"text":"hello"}}"#).setting(try json(members).members.map { ($0.key, $0.value) })
    let all = try json(arguments).setting([("agent_id", .string(agent)), ("body", body)])
    return text(all) ?? ""
  }

  /// The secrets that are kept for an agent, as text.
  func secrets(_ agent: String) throws -> JSON? {
    guard case .found(let row) = try plane.store.agent(agent, in: plane.host.organizationID) else { return nil }
    return row.secrets.map { JSON.trusted($0) }
  }
}

struct Unexpected: Error {}

final class Lines: @unchecked Sendable {
  private let lock = NSLock()
  private var lines: [String] = []
  func add(_ line: String) { lock.withLock { lines.append(line) } }
  var all: [String] { lock.withLock { lines } }
}

extension Later {
  /// The failure that it ended with; nil when it gave a value.
  func failure() throws -> Failure? { try error(Failure.self) }
}
