import Foundation
import MusterHTTP
import MusterJSON
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Network policies of runs")
struct NetworkTests {
  private func ask(_ bench: Bench, _ agent: String, as caller: Caller? = nil) throws -> JSON {
    let arguments = try Arguments(try json(try bench.invocation(agent)))
    return try JSON.parse(
      try bench.plane.call("agents.invoke", arguments, timeoutMilliseconds: 20_000, as: caller))
  }

  private func caller(_ bench: Bench, _ network: NetworkPolicy) -> Caller {
    var caller = Caller(
      organizationID: bench.plane.host.organizationID, keyID: "k", agents: nil, isReadOnly: false, canManageKeys: false)
    caller.network = network
    return caller
  }

  /// The policy that is in the first record of a task's latest turn.
  private func pinned(_ bench: Bench, _ task: JSON) throws -> String? {
    let id = try #require(task["id"]?.string)
    guard case .found(let row) = try bench.plane.store.task(id, in: bench.plane.host.organizationID) else { return nil }
    let records = try bench.plane.store.recordsOfTurn(row)
    return JSON.trusted(try #require(records.first).body)["network"]?.string
  }

  @Test("a run of the host is not restricted; one of an API caller asks public addresses only, and says so")
  func defaults() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let free = try ask(bench, agent)
    #expect(free["status"]?.string == "completed")
    #expect(try pinned(bench, free) == "open")

    let task = try ask(bench, agent, as: caller(bench, .public))
    #expect(task["status"]?.string == "error")
    #expect(task["internal_status"]?.string == "model_forbidden")
    #expect(try pinned(bench, task) == "public")
    let result = try #require(task["result"]?.string)
    let port = try ModelServer.shared.get().port
    #expect(result.contains("--allow-network 127.0.0.1:\(port)"))
  }

  @Test("what the operator allows is asked")
  func allowed() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let port = try ModelServer.shared.get().port
    for entry in ["loopback", "127.0.0.1", "127.0.0.1:\(port)"] {
      let task = try ask(bench, agent, as: caller(bench, try NetworkPolicy(allowing: [entry])))
      #expect(task["status"]?.string == "completed")
      #expect(try pinned(bench, task) == "public,\(entry)")
    }
  }

  @Test("a refused host is named as the agent has it, and not by the address that it leads to")
  func noAddress() throws {
    let bench = try Bench()
    let port = try ModelServer.shared.get().port
    let agent = try bench.agent("echo", #"{"llm_api_base":"http://localhost:\#(port)/v1"}"#)
    let task = try ask(bench, agent, as: caller(bench, .public))
    #expect(task["internal_status"]?.string == "model_forbidden")
    let shown = (text(task) ?? "") + bench.lines.all.joined()
    #expect(shown.contains("localhost:\(port)") && !shown.contains("127.0.0.1") && !shown.contains("::1"))
  }

  @Test("the configuration restricts the host's own runs as well")
  func configuration() throws {
    for (member, status) in [
      (#""public""#, "error"), (#"["private"]"#, "error"), (#"["loopback"]"#, "completed"), (#""open""#, "completed"),
    ] {
      let bench = try Bench(#"{"store":":memory:","network":\#(member)}"#)
      #expect(try ask(bench, try bench.agent())["status"]?.string == status)
    }
  }

  @Test("the plane's own base is never restricted, also when an agent names it")
  func ownBase() throws {
    let base = try ModelServer.shared.get().base
    let bench = try Bench(
      #"{"store":":memory:","network":"public","default_model":{"provider":"openai_compatible","name":"echo","api_base":"\#(base)"}}"#
    )
    let created = try bench.call("agents.create", #"{"body":{"name":"A"}}"#)
    let silent = try #require(created["id"]?.string)
    #expect(try ask(bench, silent)["status"]?.string == "completed")
    #expect(try ask(bench, silent, as: caller(bench, .public))["status"]?.string == "completed")
    #expect(try ask(bench, try bench.agent(), as: caller(bench, .public))["status"]?.string == "completed")
    let other = try bench.agent("echo", #"{"llm_api_base":"\#(base)/../v1"}"#)
    #expect(try ask(bench, other, as: caller(bench, .public))["internal_status"]?.string == "model_forbidden")
  }
}
