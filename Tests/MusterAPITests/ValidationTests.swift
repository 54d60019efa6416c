import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI

@Suite("What is wrong with a call")
struct ValidationTests {
  private struct Row: Sendable, CustomTestStringConvertible {
    let operation: String
    let arguments: String
    let detail: String
    var testDescription: String { "\(operation) \(arguments)" }

    init(_ operation: String, _ arguments: String, _ detail: String) {
      self.operation = operation
      self.arguments = arguments
      self.detail = detail
    }
  }

  private static let rows = [
    Row(
      "agents.list", #"{"page":0}"#,
      #"[{"loc":["query","page"],"msg":"ensure this value is greater than or equal to 1","type":"value_error.number.not_ge"}]"#
    ),
    Row(
      "agents.list", #"{"page":"1"}"#,
      #"[{"loc":["query","page"],"msg":"value is not a valid integer","type":"type_error.integer"}]"#),
    Row(
      "agents.list", #"{"page":1.5,"per_page":51}"#,
      #"[{"loc":["query","page"],"msg":"value is not a valid integer","type":"type_error.integer"},{"loc":["query","per_page"],"msg":"ensure this value is less than or equal to 50","type":"value_error.number.not_le"}]"#
    ),
    Row("agents.get", "{}", #"[{"loc":["path","agent_id"],"msg":"field required","type":"value_error.missing"}]"#),
    Row(
      "agents.get", #"{"agent_id":null}"#,
      #"[{"loc":["path","agent_id"],"msg":"field required","type":"value_error.missing"}]"#),
    Row(
      "agents.get", #"{"agent_id":""}"#,
      #"[{"loc":["path","agent_id"],"msg":"ensure this value has at least 1 characters","type":"value_error.any_str.min_length"}]"#
    ),
    Row(
      "agents.get", #"{"agent_id":7}"#,
      #"[{"loc":["path","agent_id"],"msg":"str type expected","type":"type_error.str"}]"#),
    Row("agents.create", "{}", #"[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]"#),
    Row("agents.create", #"{"body":null}"#, #"[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]"#),
    Row(
      "agents.create", #"{"body":{}}"#,
      #"[{"loc":["body","name"],"msg":"field required","type":"value_error.missing"}]"#),
    Row(
      "agents.create", #"{"body":[]}"#,
      #"[{"loc":["body"],"msg":"value is not a valid dict","type":"type_error.dict"}]"#),
    Row(
      "agents.create", #"{"body":{"name":" \t "}}"#,
      #"[{"loc":["body","name"],"msg":"ensure this value has at least 1 characters","type":"value_error.any_str.min_length"}]"#
    ),
    Row(
      "agents.create", #"{"body":{"name":"A","output_format":"html"}}"#,
      #"[{"loc":["body","output_format"],"msg":"value is not a valid enumeration member; permitted: 'text', 'markdown', 'json', 'voice'","type":"type_error.enum"}]"#
    ),
    Row(
      "agents.create",
      #"{"body":{"name":"A","graph":[{"item_id":"i","type":"tool","targets":[]},{"type":"tool","targets":[1]}]}}"#,
      #"[{"loc":["body","graph",1,"item_id"],"msg":"field required","type":"value_error.missing"},{"loc":["body","graph",1,"targets",0],"msg":"str type expected","type":"type_error.str"}]"#
    ),
    Row(
      "agents.update", #"{"agent_id":"a","deploy":"yes","body":{"name":""}}"#,
      #"[{"loc":["query","deploy"],"msg":"value could not be parsed to a boolean","type":"type_error.bool"},{"loc":["body","name"],"msg":"ensure this value has at least 1 characters","type":"value_error.any_str.min_length"}]"#
    ),
    Row(
      "agents.invoke", #"{"agent_id":"a","body":{}}"#,
      #"[{"loc":["body","input"],"msg":"field required","type":"value_error.missing"}]"#),
    Row(
      "agents.invoke", #"{"agent_id":"a","body":{"input":{"text":"x","user":{"id":"u"}}}}"#,
      #"[{"loc":["body","input","user","email"],"msg":"field required","type":"value_error.missing"}]"#),
    Row(
      "agents.invoke", #"{"agent_id":"a","body":{"input":{"text":"x"},"llm_reasoning_effort":"most"}}"#,
      #"[{"loc":["body","llm_reasoning_effort"],"msg":"value is not a valid enumeration member; permitted: 'low', 'medium', 'high', 'xhigh', null","type":"type_error.enum"}]"#
    ),
    Row(
      "tasks.list", #"{"status":"running"}"#,
      #"[{"loc":["query","status"],"msg":"value is not a valid enumeration member; permitted: 'pending', 'executing', 'paused', 'error', 'failed', 'completed', 'stopped'","type":"type_error.enum"}]"#
    ),
    Row(
      "tasks.list", #"{"from_date":"yesterday"}"#,
      #"[{"loc":["query","from_date"],"msg":"invalid datetime format","type":"value_error.datetime"}]"#),
    Row("tasks.get", "{}", #"[{"loc":["path","task_id"],"msg":"field required","type":"value_error.missing"}]"#),
  ]

  @Test("each mistake is answered 422 with its place, its message and its type", arguments: rows)
  private func table(row: Row) throws {
    let bench = try Bench()
    let failure = try bench.failure(row.operation, row.arguments)
    #expect(failure.status == .api)
    #expect(failure.httpStatus == 422)
    #expect(text(failure.document["detail"]) == row.detail)
    #expect(failure.document.keys == ["detail"])
    #expect(!failure.isRetryable)
  }

  @Test(
    "what an invoke needs beyond its schema is answered at its place",
    arguments: [
      (#"{"input":{}}"#, #"["body","input","text"]"#),
      (#"{"input":{"text":"","files":[]}}"#, #"["body","input","text"]"#),
      (#"{"input":{"text":null}}"#, #"["body","input","text"]"#), (#"{"id":"a/b"}"#, #"["body","id"]"#),
      (#"{"id":"a\nb"}"#, #"["body","id"]"#), (#"{"id":"a?b"}"#, #"["body","id"]"#),
      (#"{"id":"a#b"}"#, #"["body","id"]"#),
      (#"{"parent_execution_id":"a/b"}"#, #"["body","parent_execution_id"]"#),
      (#"{"id":"root","parent_execution_id":"p"}"#, #"["body","id"]"#),
      (#"{"output_schema":{"type":"thing"}}"#, #"["body","output_schema"]"#),
    ])
  func invoke(members: String, location: String) throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let failure = try bench.failure("agents.invoke", try bench.invocation(agent, members))
    #expect(failure.httpStatus == 422)
    #expect(text(failure.document.at("detail/0/loc")) == location)
  }

  @Test("ids are counted in bytes, up to 255")
  func longIDs() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let wide = String(repeating: "\u{e9}", count: 128)
    #expect(try bench.failure("agents.invoke", try bench.invocation(agent, #"{"id":"\#(wide)"}"#)).httpStatus == 422)
    let longest = String(repeating: "i", count: 255)
    #expect(try bench.invoke(agent, #"{"id":"\#(longest)"}"#)["id"]?.string == longest)
  }

  @Test(
    "a version is digits or draft", arguments: ["+2", "-2", " 2", "2 ", "0x2", "", "latest", "99999999999999999999"])
  func version(version: String) throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let failure = try bench.failure("agents.invoke", try bench.invocation(agent, "{}", #"{"version":"\#(version)"}"#))
    #expect(failure.httpStatus == 422)
    #expect(text(failure.document.at("detail/0/loc")) == #"["query","version"]"#)
  }

  @Test("a version that the agent does not have is not found", arguments: ["1", "3", "9223372036854775807", "0"])
  func unknownVersion(version: String) throws {
    let bench = try Bench()
    let agent = try bench.agent()
    for argument in ["\"\(version)\"", version] {
      let failure = try bench.failure("agents.invoke", try bench.invocation(agent, "{}", #"{"version":\#(argument)}"#))
      #expect(failure.httpStatus == 404)
      #expect(text(failure.document) == #"{"detail":"Agent version not found"}"#)
    }
  }

  @Test("arguments have to be an object, and the context knows the ticket only")
  func arguments() throws {
    let bench = try Bench()
    for arguments in ["[]", "null", "5", "\"x\""] {
      #expect(try bench.failure("agents.list", arguments).status == .json)
    }
    #expect(try bench.failure("agents.list", #"{"context":[]}"#).status == .misuse)
    #expect(try bench.failure("agents.list", #"{"context":{"colour":1}}"#).status == .unsupported)
    for ticket in ["0", "-1", "1.5", "\"1\"", "null", "77"] {
      #expect(try bench.failure("agents.list", #"{"context":{"ticket":\#(ticket)}}"#).status == .misuse)
    }
    #expect(try bench.call("agents.list", #"{"context":null,"page":null,"colour":"red"}"#)["page"]?.int64 == 1)
    #expect(try bench.failure("agents.dance").status == .unknownOperation)
  }

  @Test("unknown things are 404, things of another organization 403")
  func unknownAndForeign() throws {
    let path = try StorePath()
    let bench = try Bench(path.path)
    let other = try Bench(#"{"store":"\#(path.path)","organization_id":"other"}"#)
    let agent = try bench.agent()
    _ = try bench.invoke(agent, #"{"id":"t"}"#)
    for (operation, arguments) in [
      ("agents.get", "{}"), ("agents.deploy", "{}"), ("agents.delete", "{}"), ("agents.tasks", "{}"),
      ("agents.update", #"{"body":{"name":"B"}}"#), ("agents.invoke", #"{"body":{"input":{"text":"x"}}}"#),
    ] {
      let known = text(try json(arguments).setting([("agent_id", .string(agent))])) ?? ""
      let unknown = text(try json(arguments).setting([("agent_id", .string("nobody"))])) ?? ""
      #expect(try other.failure(operation, known).httpStatus == 403)
      #expect(text(try bench.failure(operation, unknown).document) == #"{"detail":"Agent not found"}"#)
    }
    for operation in ["tasks.get", "tasks.stop", "tasks.delete", "tasks.thread", "tasks.thread_full"] {
      #expect(try other.failure(operation, #"{"task_id":"t"}"#).httpStatus == 403)
      let unknown = try bench.failure(operation, #"{"task_id":"nothing"}"#)
      #expect(unknown.httpStatus == 404)
      #expect(text(unknown.document) == #"{"detail":"Task not found"}"#)
    }
    #expect(try other.call("agents.list")["total"]?.int64 == 0)
    #expect(try other.call("tasks.list")["total"]?.int64 == 0)
    #expect(try bench.call("tasks.get", #"{"task_id":"t"}"#)["status"]?.string == "completed")
  }
}
