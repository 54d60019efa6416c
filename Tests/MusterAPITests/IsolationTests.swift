import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Who may do what")
struct IsolationTests {
  @Test("every operation says how it keeps what belongs to others, and nothing else does")
  func coverage() {
    for operation in OperationTable.all { _ = Coverage.of(operation) }
    let names = Set(OperationTable.all.map { $0.name })
    for name in Coverage.all.keys { #expect(names.contains(name), "\(name) is no operation") }
  }

  @Test("a key of another organization sees and changes nothing, whatever operation it calls")
  func foreign() throws {
    let bench = try KeyBench()
    let stranger = try bench.caller(#"{"organization_id":"elsewhere","can_manage_keys":true}"#)
    #expect(stranger.organizationID == "elsewhere")
    let before = try bench.rows()
    #expect(before.count > 10)
    for operation in OperationTable.all {
      try check(operation, as: stranger, of: "elsewhere", bench)
      #expect(try bench.rows() == before, "\(operation.name) changed something of another organization")
    }
  }

  private func check(_ operation: Operation, as caller: Caller, of organization: String, _ bench: KeyBench) throws {
    let name = operation.name
    switch Coverage.of(operation) {
    case .refused(let arguments):
      let (status, answer) = try bench.call(name, bench.filled(arguments), as: caller)
      #expect(status == 403, "\(name): \(text(answer) ?? "")")
      #expect(bench.shows(answer) == [], "\(name)")
    case .filtered:
      let (status, answer) = try bench.call(name, as: caller)
      #expect(status == 0)
      #expect(bench.shows(answer) == [], "\(name)")
      let items = answer["items"]?.elements ?? []
      #expect(items.allSatisfy { $0["organization_id"]?.string == organization }, "\(name)")
      #expect(answer["total"]?.int64 == Int64(items.count), "\(name)")
    case .own(let arguments):
      let (status, answer) = try bench.call(name, bench.filled(arguments), as: caller)
      #expect(status == 0, "\(name): \(text(answer) ?? "")")
      #expect(answer["organization_id"]?.string == organization, "\(name)")
    case .common(let arguments):
      let (status, answer) = try bench.call(name, arguments, as: caller)
      #expect(status == 0)
      #expect(text(answer) == text(try bench.call(name, arguments, as: bench.plane.host).answer))
    case .removing(let arguments):
      let (status, answer) = try bench.call(name, arguments, as: caller)
      #expect(status == (caller.agents == nil ? 0 : 403), "\(name): \(text(answer) ?? "")")
    case .host:
      #expect(try bench.call(name, as: caller).status == 403)
    case nil: break
    }
  }

  @Test("an id of another organization's task is free in one's own, and means nothing of the other")
  func sameIDs() throws {
    let bench = try KeyBench()
    let stranger = try bench.caller(#"{"organization_id":"elsewhere"}"#)
    let before = try bench.rows()
    let base = try ModelServer.shared.get().base
    let made = try bench.call(
      "agents.create",
      #"{"body":{"name":"B","model_provider":"openai_compatible","model_name":"transcript","llm_api_base":"\#(base)"}}"#,
      as: stranger
    ).answer
    let agent = try #require(made["id"]?.string)
    let (status, task) = try bench.call(
      "agents.invoke",
      #"{"agent_id":"\#(agent)","body":{"id":"the-task","parent_execution_id":"below","input":{"text":"mine"}}}"#,
      as: stranger)
    #expect(status == 0)
    #expect(bench.shows(task) == [])
    #expect(task["organization_id"]?.string == "elsewhere")
    #expect(try bench.call("tasks.delete", #"{"task_id":"the-task"}"#, as: stranger).status == 0)
    #expect(try bench.rows() == before)
    #expect(try bench.bench.call("tasks.get", #"{"task_id":"the-task"}"#)["status"]?.string == "completed")
  }

  @Test("a read-only key is refused whatever is not reading, and changes nothing")
  func readOnly() throws {
    let bench = try KeyBench()
    let reader = try bench.caller(#"{"read_only":true}"#)
    let before = try bench.rows()
    for operation in OperationTable.all {
      let arguments: String
      switch Coverage.of(operation) {
      case .refused(let given), .own(let given), .common(let given), .removing(let given):
        arguments = bench.filled(given)
      default: arguments = "{}"
      }
      let (status, answer) = try bench.call(operation.name, arguments, as: reader)
      if operation.access == .read {
        #expect(status == 0, "\(operation.name): \(text(answer) ?? "")")
      } else {
        #expect(status == 403, "\(operation.name): \(text(answer) ?? "")")
      }
      #expect(operation.method == "GET" || operation.access != .read, "\(operation.name)")
    }
    #expect(try bench.rows() == before)
  }

  @Test("a key that may not manage keys is refused by each operation on keys")
  func notManaging() throws {
    let bench = try KeyBench()
    let caller = try bench.caller("{}")
    for operation in OperationTable.all where operation.name.hasPrefix("keys.") && operation.access != .host {
      #expect(operation.access == .manageKeys)
      guard case .refused(let arguments) = Coverage.of(operation) else { continue }
      let (status, answer) = try bench.call(operation.name, bench.filled(arguments), as: caller)
      #expect(status == 403)
      #expect(text(answer) == #"{"detail":"API key may not manage API keys"}"#)
    }
    #expect(try bench.call("keys.create", #"{"body":{"name":"k"}}"#, as: caller).status == 403)
    #expect(try bench.call("keys.list", as: caller).status == 403)
  }

  @Test("a key that is limited to some agents sees and changes nothing of the others")
  func limited() throws {
    let bench = try KeyBench()
    let caller = try bench.caller(#"{"agents":["\#(bench.other)"]}"#)
    let before = try bench.rows()
    for operation in OperationTable.all where operation.access != .manageKeys {
      switch Coverage.of(operation) {
      case .own(let arguments):
        let (status, answer) = try bench.call(operation.name, bench.filled(arguments), as: caller)
        #expect(status == 403)
        #expect(text(answer) == #"{"detail":"API key is limited to some agents"}"#)
      default: try check(operation, as: caller, of: bench.organization, bench)
      }
    }
    let unknown = try bench.call("agents.get", #"{"agent_id":"nobody"}"#, as: caller)
    #expect(unknown.status == 403)
    #expect(text(unknown.answer) == #"{"detail":"API key not allowed for this agent"}"#)
    #expect(try bench.rows() == before)
  }

  @Test("a limited key may do with its own agent what does not make or remove agents")
  func limitedToOne() throws {
    let bench = try KeyBench()
    let caller = try bench.caller(#"{"agents":["\#(bench.agent)","\#(bench.agent)"]}"#)
    #expect(caller.agents == [bench.agent])
    let lists = ["agents.list": 1, "agents.list_full": 1, "tasks.list": 2]
    for (name, total) in lists {
      #expect(try bench.call(name, as: caller).answer["total"]?.int64 == Int64(total), "\(name)")
    }
    let path = #"{"agent_id":"\#(bench.agent)""#
    #expect(try bench.call("agents.tasks", path + "}", as: caller).answer["total"]?.int64 == 2)
    #expect(try bench.call("agents.update", path + #","body":{"name":"Robin"}}"#, as: caller).status == 0)
    #expect(try bench.call("agents.deploy", path + "}", as: caller).status == 0)
    #expect(try bench.call("tasks.list", #"{"agent_id":"\#(bench.other)"}"#, as: caller).answer["total"]?.int64 == 0)
    let run = try bench.call("agents.invoke", path + #","body":{"id":"the-task","input":{"text":"x"}}}"#, as: caller)
    #expect(run.answer["status"]?.string == "completed")
    #expect(try bench.call("tasks.stop", #"{"task_id":"the-task"}"#, as: caller).status == 0)
    #expect(try bench.call("tasks.get", #"{"task_id":"nothing"}"#, as: caller).status == 404)
    #expect(try bench.call("agents.delete", path + "}", as: caller).status == 403)
  }

  @Test("sub-tasks of other agents are neither shown to a limited key nor removed by it, and it adds none to them")
  func subtasks() throws {
    let bench = try KeyBench()
    _ = try bench.bench.invoke(
      bench.other, #"{"id":"by-other","parent_execution_id":"the-task","input":{"text":"of the other"}}"#)
    let caller = try bench.caller(#"{"agents":["\#(bench.agent)"]}"#)
    let thread = try bench.call("tasks.thread_full", #"{"task_id":"the-task"}"#, as: caller).answer
    #expect(thread.keys == ["root", "below"])
    #expect(text(thread)?.contains("of the other") == false)
    let whole = try bench.call("tasks.thread_full", #"{"task_id":"the-task"}"#, as: bench.plane.host).answer
    #expect(Set(whole.keys) == ["root", "below", "by-other"])
    let before = try bench.rows()
    #expect(try bench.call("tasks.delete", #"{"task_id":"the-task"}"#, as: caller).status == 403)
    for member in [#""id":"by-other""#, #""id":"new","parent_execution_id":"by-other""#] {
      let refused = try bench.call(
        "agents.invoke", #"{"agent_id":"\#(bench.agent)","body":{\#(member),"input":{"text":"x"}}}"#, as: caller)
      #expect(refused.status == 403)
    }
    #expect(try bench.rows() == before)
    #expect(try bench.call("tasks.delete", #"{"task_id":"below"}"#, as: caller).status == 0)
  }
}
