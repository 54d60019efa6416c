import Foundation
import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Tasks and threads")
struct TaskTests {
  /// The keys of the task object, in the order in which they are documented.
  static let keys = [
    "id", "agent_id", "organization_id", "input", "status", "internal_status", "last_executed_node_id", "agent_version",
    "created_at", "started_at", "paused_at", "finished_at", "result", "parent_execution", "sub_executions",
    "finished_sub_executions", "is_manually_stopped", "payload_extension", "hitl_request", "pending_eca_request",
    "source",
    "worker_id", "additional_context", "expected_output", "title", "triggering_agent_id", "instructions_override",
    "test_run_node_id", "is_orchestration", "output_format", "voice_id", "output_schema", "events_streaming",
    "used_mutating_tools", "is_continuous", "mcp_servers", "think_mode", "disable_attachment_injection",
    "deep_planning",
    "execution_attempts", "user_tokens", "user_oidc_token", "return_metrics", "tokens", "llm_model_provider",
    "llm_model_name", "llm_reasoning_effort",
  ]

  private func check(_ task: JSON, _ status: String, internal internalStatus: String? = nil) {
    #expect(task.keys == TaskTests.keys)
    #expect(task["status"]?.string == status)
    #expect(task["internal_status"]?.string == internalStatus)
    #expect(task["finished_at"]?.isNull == (status == "executing"))
    #expect(task["started_at"]?.isNull == false)
    let schema = SchemaCatalogue.compiled("AgentExecution")
    #expect(schema?.violations(of: task).isEmpty == true)
  }

  @Test("a task has every documented key in every state")
  func states() throws {
    let bench = try Bench()
    check(try bench.invoke(try bench.agent()), "completed")
    check(try bench.invoke(try bench.agent("status:400")), "error", internal: "model_http")
    check(try bench.invoke(try bench.agent("refusal")), "failed", internal: "refused")
    let unusable = try bench.invoke(try bench.agent("reply:no json"), #"{"output_format":"json"}"#)
    check(unusable, "failed", internal: "output_schema")
    #expect(unusable["result"]?.string?.hasPrefix("The answer is not valid JSON") == true)
    let hanging = try bench.agent("hang")
    let run = Later { try bench.invoke(hanging, #"{"id":"t"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"t"}"#)) != nil }
    check(try bench.call("tasks.get", #"{"task_id":"t"}"#), "executing")
    let stopped = try bench.call("tasks.stop", #"{"task_id":"t"}"#)
    check(stopped, "stopped")
    #expect(stopped["is_manually_stopped"]?.bool == true)
    #expect(stopped["result"]?.isNull == true)
    #expect(text(try run.value()) == text(stopped))
    #expect(text(try bench.call("tasks.stop", #"{"task_id":"t"}"#)) == text(stopped))
  }

  @Test("a call whose time runs out answers TIMEOUT and names its task")
  func timeout() throws {
    let bench = try Bench()
    let hanging = try bench.agent("hang")
    let failure = try bench.failure("agents.invoke", try bench.invocation(hanging, #"{"id":"t"}"#), milliseconds: 200)
    #expect(failure.status == .timeout)
    #expect(failure.httpStatus == 504)
    #expect(failure.document.at("detail/task_id")?.string == "t")
    let task = try bench.call("tasks.get", #"{"task_id":"t"}"#)
    check(task, "stopped", internal: "timeout")
    #expect(task["is_manually_stopped"]?.bool == false)
  }

  @Test("a time of 0 is the plane's own limit")
  func defaultTimeout() throws {
    let bench = try Bench(#"{"store":":memory:","limits":{"call_timeout_ms":150}}"#)
    let hanging = try bench.agent("hang")
    #expect(try bench.failure("agents.invoke", try bench.invocation(hanging), milliseconds: 0).status == .timeout)
  }

  @Test("what a request says is given back as it came")
  func echoes() throws {
    let bench = try Bench()
    let task = try bench.invoke(
      try bench.agent(),
      """
      {"input":{"text":"caf\\u00e9 \\/","user":{"id":"u","first_name":"Ann","last_name":"Lee","email":"","x":1}},"id":"t",\
      "title":"T","source":"mine","payload_extension":{"b":1.50,"a":[null]},"additional_context":"C","expected_output":"E",\
      "instructions_override":"I","triggering_agent_id":"g","events_streaming":true,"disable_attachment_injection":true,\
      "unknown":5,"parent_execution_id":"p","llm_reasoning_effort":"low"}
      """)
    check(task, "completed")
    #expect(text(task.at("input/text")) == #""caf\u00e9 \/""#)
    #expect(text(task.at("input/files")) == "[]")
    #expect(task.at("input/user/display_name")?.string == "Ann Lee")
    #expect(task.at("input/user/role")?.string == "member")
    #expect(text(task.at("input/user/x")) == "1")
    #expect(text(task["payload_extension"]) == #"{"b":1.50,"a":[null]}"#)
    #expect(task["parent_execution"]?.string == "p")
    #expect(task["llm_reasoning_effort"]?.string == "low")
    #expect(task["llm_model_name"]?.string == "echo")
    for (key, value) in [
      ("title", "T"), ("source", "mine"), ("additional_context", "C"), ("expected_output", "E"),
      ("instructions_override", "I"), ("triggering_agent_id", "g"),
    ] { #expect(task[key]?.string == value) }
    #expect(task["events_streaming"]?.bool == true)
    #expect(task["disable_attachment_injection"]?.bool == true)
  }

  @Test(
    "a user is shown with a name: first and last, else the address, else the id",
    arguments: [
      (#"{"email":"e","first_name":"Ann"}"#, "Ann"), (#"{"email":"e","last_name":"Lee","first_name":""}"#, "Lee"),
      (#"{"email":"e","id":"i"}"#, "e"), (#"{"email":"","id":"i"}"#, "i"), (#"{"email":""}"#, ""),
    ])
  func displayName(user: String, name: String) throws {
    let bench = try Bench()
    let task = try bench.invoke(try bench.agent(), #"{"input":{"text":"x","user":\#(user)}}"#)
    #expect(task.at("input/user/display_name")?.string == name)
  }

  @Test("the next turn of a thread is the same task with new input and result; its first moment stays")
  func turns() throws {
    let bench = try Bench()
    let agent = try bench.agent("script:one|two")
    let first = try bench.invoke(agent, #"{"id":"t","title":"T"}"#)
    let second = try bench.invoke(agent, #"{"id":"t"}"#)
    #expect(first["result"]?.string == "one")
    #expect(second["result"]?.string == "two")
    #expect(text(first["created_at"]) == text(second["created_at"]))
    #expect(second["title"]?.isNull == true)
    #expect(try bench.call("tasks.list")["total"]?.int64 == 1)
    let other = try bench.agent()
    let refused = try bench.failure("agents.invoke", try bench.invocation(other, #"{"id":"t"}"#))
    #expect(refused.httpStatus == 409)
  }

  @Test("an item of a list has its documented keys, and a title from the prompt where there is none")
  func items() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    _ = try bench.invoke(agent, #"{"id":"t","input":{"text":"hello","user":{"id":"u","email":"e"}}}"#)
    let item = try #require(try bench.call("tasks.list").at("items/0"))
    #expect(
      item.keys == [
        "id", "agent_id", "organization_id", "status", "user_id", "parent_task_id", "triggering_agent_id", "created_at",
        "updated_at", "source_node_type", "result", "title",
      ])
    #expect(item["user_id"]?.string == "u")
    #expect(item["source_node_type"]?.string == "sdk")
    #expect(item["result"]?.string == "echo: hello")
    #expect(item["title"]?.string == "hello")
    #expect(text(try bench.call("agents.tasks", #"{"agent_id":"\#(agent)"}"#).at("items/0")) == text(item))
  }

  @Test("a thread has prompts and answers in order; the full one the system message and the sub-tasks too")
  func threads() throws {
    let bench = try Bench()
    let agent = try bench.agent("script:one|two", #"{"instructions":{"general":"caf\u00e9"}}"#)
    _ = try bench.invoke(agent, #"{"id":"t","input":{"text":"1 \u00e9"}}"#)
    _ = try bench.invoke(agent, #"{"id":"t","input":{"text":"2"}}"#)
    _ = try bench.invoke(agent, #"{"id":"child","parent_execution_id":"t"}"#)
    _ = try bench.invoke(agent, #"{"id":"grandchild","parent_execution_id":"child"}"#)
    let thread = try bench.call("tasks.thread", #"{"task_id":"t"}"#)
    let shown = thread.elements.map {
      "\($0["id"]?.string ?? "") \($0["role"]?.string ?? "") \(text($0["content"]) ?? "")"
    }
    #expect(
      shown == [
        #"t_user_1 user "1 \u00e9""#, #"t_agent_1 assistant "one""#, #"t_user_2 user "2""#,
        #"t_agent_2 assistant "two""#,
      ])
    for message in thread.elements {
      #expect(message.keys == ["id", "role", "content", "created_at", "metrics"])
      #expect(message["created_at"]?.kind == .integer)
      #expect(message["metrics"]?.isNull == (message["role"]?.string == "user"))
    }
    #expect(thread.elements.last?["metrics"]?.keys == ["input_tokens", "output_tokens", "total_tokens"])
    let full = try bench.call("tasks.thread_full", #"{"task_id":"t"}"#)
    #expect(full.keys == ["root", "child", "grandchild"])
    #expect(
      full["root"]?.elements.compactMap { $0["role"]?.string } == ["system", "user", "assistant", "user", "assistant"])
    #expect(full.at("root/0/id")?.string == "t_system_1")
    let parent = try bench.call("tasks.get", #"{"task_id":"t"}"#)
    #expect(text(parent["sub_executions"]) == #"["child"]"#)
    #expect(text(parent["finished_sub_executions"]) == #"["child"]"#)
  }

  @Test("tasks that are each other's parents are walked once")
  func cycle() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    _ = try bench.invoke(agent, #"{"id":"a","parent_execution_id":"b"}"#)
    _ = try bench.invoke(agent, #"{"id":"b","parent_execution_id":"a"}"#)
    _ = try bench.invoke(agent, #"{"id":"self","parent_execution_id":"self"}"#)
    #expect(try bench.call("tasks.thread_full", #"{"task_id":"a"}"#).keys == ["root", "b"])
    #expect(try bench.call("tasks.thread_full", #"{"task_id":"self"}"#).keys == ["root"])
    #expect(try bench.call("tasks.delete", #"{"task_id":"a"}"#).isNull)
    #expect(try bench.failure("tasks.get", #"{"task_id":"b"}"#).httpStatus == 404)
  }

  @Test("a task that is deleted while it runs ends its call with 404")
  func deleteRunning() throws {
    let bench = try Bench()
    let agent = try bench.agent("hang")
    let run = Later { try bench.invoke(agent, #"{"id":"t"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"t"}"#)) != nil }
    #expect(try bench.call("tasks.delete", #"{"task_id":"t"}"#).isNull)
    #expect(try run.failure()?.httpStatus == 404)
    #expect(try bench.failure("tasks.delete", #"{"task_id":"t"}"#).httpStatus == 404)
    // The id is free again.
    #expect(try bench.invoke(try bench.agent(), #"{"id":"t"}"#)["status"]?.string == "completed")
  }

  @Test("filters narrow a list together, and its total counts what is left")
  func filters() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    _ = try bench.invoke(
      agent, #"{"id":"1","input":{"text":"x","user":{"id":"u","email":"e"}},"triggering_agent_id":"g"}"#)
    _ = try bench.invoke(agent, #"{"id":"2","parent_execution_id":"1"}"#)
    _ = try bench.invoke(try bench.agent("status:400"), #"{"id":"3"}"#)
    func ids(_ arguments: String) throws -> [String] {
      let page = try bench.call("tasks.list", arguments)
      let ids = page["items"]?.elements.compactMap { $0["id"]?.string } ?? []
      #expect(page["total"]?.int64 == Int64(ids.count))
      return ids
    }
    #expect(try ids("{}") == ["3", "2", "1"])
    #expect(try ids(#"{"agent_id":"\#(agent)"}"#) == ["2", "1"])
    #expect(try ids(#"{"user_id":"u"}"#) == ["1"])
    #expect(try ids(#"{"triggering_agent_id":"g"}"#) == ["1"])
    #expect(try ids(#"{"parent_task_id":"1"}"#) == ["2"])
    #expect(try ids(#"{"status":"error"}"#) == ["3"])
    #expect(try ids(#"{"internal_status":"model_http"}"#) == ["3"])
    #expect(try ids(#"{"status":"completed","user_id":"u"}"#) == ["1"])
    #expect(try ids(#"{"status":"paused"}"#) == [])
    let made = try bench.call("tasks.get", #"{"task_id":"2"}"#)["created_at"]?.string ?? ""
    #expect(try ids(#"{"from_date":"\#(made)"}"#) == ["3", "2"])
    #expect(try ids(#"{"to_date":"\#(made)"}"#) == ["2", "1"])
    #expect(try ids(#"{"from_date":"\#(made)","to_date":"\#(made)"}"#) == ["2"])
    #expect(try ids(#"{"to_date":"1999-01-01"}"#) == [])
  }
}
