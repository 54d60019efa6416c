import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterStore

@Suite("tasks.fork")
struct ForkTests {
  private func ended(_ bench: Bench, _ id: String) throws -> JSON {
    try awaitTrue("the task ends") {
      try bench.call("tasks.get", #"{"task_id":"\#(id)"}"#)["status"]?.string == "completed"
    }
    return try bench.call("tasks.get", #"{"task_id":"\#(id)"}"#)
  }

  @Test("gives the new task as it was accepted, with an id of its own and the name of what it goes on from")
  func accepted() throws {
    let bench = try Bench()
    let agent = try bench.agent("script:one|two")
    let first = try bench.invoke(agent, #"{"id":"t","title":"T","parent_execution_id":"p","output_format":"text"}"#)
    let arguments = #"{"task_id":"t","body":{"event":2,"input":{"text":"again"}}}"#
    let made = try bench.call("tasks.fork", arguments)
    let id = try #require(made["id"]?.string)
    #expect(id != "t")
    #expect(made["status"]?.string == "pending")
    #expect(text(made["forked_from"]) == #"{"task_id":"t","event":2}"#)
    #expect(made["parent_execution"]?.isNull == true)
    #expect(made["title"]?.string == "T")
    #expect(made["output_format"]?.string == "text")
    #expect(made.at("input/text")?.string == "again")
    let task = try ended(bench, id)
    #expect(task["result"]?.string == "two")
    #expect(text(task["forked_from"]) == text(made["forked_from"]))
    #expect(text(try bench.call("tasks.get", #"{"task_id":"t"}"#)) == text(first))
    #expect(first["forked_from"] == nil)
    let thread = try bench.call("tasks.thread", #"{"task_id":"\#(id)"}"#)
    #expect(thread.elements.compactMap { $0["content"]?.string } == ["hello", "one", "again", "two"])
    let replay = try bench.call("tasks.replay", #"{"task_id":"\#(id)"}"#)
    #expect(replay["is_identical"]?.bool == true)
    #expect(text(replay["events"]) == text(try bench.call("tasks.events", #"{"task_id":"\#(id)"}"#)))
    #expect(try bench.call("store.check")["ok"]?.bool == true)
  }

  @Test("asks another model, of the provider and with the instructions that it is told")
  func changed() throws {
    let bench = try Bench()
    let agent = try bench.agent("status:400", #"{"instructions":{"general":"Be brief."}}"#)
    #expect(try bench.invoke(agent, #"{"id":"t"}"#)["status"]?.string == "error")
    let made = try bench.call(
      "tasks.fork",
      #"{"task_id":"t","body":{"event":"1.1.0","input":null,"llm_model_name":"echo","instructions":"Be long."}}"#)
    let id = try #require(made["id"]?.string)
    #expect(made["llm_model_name"]?.string == "echo")
    #expect(try ended(bench, id)["result"]?.string == "echo: hello")
    let full = try bench.call("tasks.thread_full", #"{"task_id":"\#(id)"}"#)
    #expect(full.at("root/0/content")?.string == "Be long.")
  }

  @Test(
    "what cannot be is refused, and leaves no task",
    arguments: [
      (#"{}"#, 422, "event"), (#"{"event":0}"#, 422, "event"), (#"{"event":3}"#, 422, "event"),
      (#"{"event":"x"}"#, 422, "event"), (#"{"event":2}"#, 422, "input"),
      (#"{"event":1,"output_format":"text"}"#, 422, "output_format"),
      (#"{"event":1,"input":{"text":""}}"#, 422, "text"), (#"{"event":1,"instructions":""}"#, 422, "instructions"),
      (#"{"event":1,"llm_model_provider":"nim"}"#, 501, "llm_model_provider"),
      (#"{"event":1,"input":{"text":"x","files":["http://h/f"]}}"#, 501, "input.files"),
    ])
  func refused(body: String, status: Int32, word: String) throws {
    let bench = try Bench()
    _ = try bench.invoke(try bench.agent(), #"{"id":"t"}"#)
    let failure = try bench.failure("tasks.fork", #"{"task_id":"t","body":\#(body)}"#)
    #expect(failure.httpStatus == status)
    #expect(text(failure.document)?.contains(word) == true, "\(text(failure.document) ?? "")")
    #expect(try bench.call("tasks.list")["total"]?.int64 == 1)
  }

  @Test("an agent that is not active is not run")
  func inactive() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    _ = try bench.invoke(agent, #"{"id":"t"}"#)
    _ = try bench.call("agents.update", #"{"agent_id":"\#(agent)","body":{"status":"INACTIVE"}}"#)
    #expect(try bench.failure("tasks.fork", #"{"task_id":"t","body":{"event":1}}"#).httpStatus == 400)
  }

  @Test("a repetition with the same key makes no second task")
  func repeated() throws {
    let bench = try Bench()
    _ = try bench.invoke(try bench.agent(), #"{"id":"t"}"#)
    let arguments = #"{"task_id":"t","body":{"event":1},"context":{"idempotency_key":"k"}}"#
    let first = try bench.call("tasks.fork", arguments)
    #expect(text(try bench.call("tasks.fork", arguments)) == text(first))
    #expect(try bench.call("tasks.list")["total"]?.int64 == 2)
    try bench.plane.store.write(owed: false) { database throws(StoreError) in
      try database.execute("UPDATE idempotency SET answer = NULL")
    }
    #expect(try bench.call("tasks.fork", arguments)["id"]?.string == first["id"]?.string)
  }
}
