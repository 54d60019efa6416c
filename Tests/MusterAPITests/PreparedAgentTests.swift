import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI

/// What a plane keeps of an agent never outlives a change of it, whoever makes it.
@Suite("What is kept of deployed versions")
struct PreparedAgentTests {
  /// Two planes that know nothing of each other but the file, as those of two processes.
  private let path: StorePath
  private let bench: Bench
  private let other: Bench

  init() throws {
    path = try StorePath()
    bench = try Bench(path.path)
    other = try Bench(path.path)
  }

  private func update(_ id: String, _ body: String, deploy: Bool = false) throws {
    _ = try other.call("agents.update", #"{"agent_id":"\#(id)","deploy":\#(deploy),"body":\#(body)}"#)
  }

  @Test("a deploy, a change of status and a deletion by another plane act at once")
  func changes() throws {
    let id = try bench.agent("reply:old")
    #expect(try bench.invoke(id)["result"]?.string == "old")
    #expect(try bench.invoke(id, arguments: #"{"version":2}"#)["agent_version"]?.string == "2")
    try update(id, #"{"model_name":"reply:new"}"#)
    #expect(try bench.invoke(id)["result"]?.string == "old")
    #expect(try bench.invoke(id, arguments: #"{"version":"draft"}"#)["result"]?.string == "new")
    _ = try other.call("agents.deploy", #"{"agent_id":"\#(id)"}"#)
    #expect(try bench.invoke(id)["result"]?.string == "new")
    #expect(try bench.invoke(id, arguments: #"{"version":2}"#)["result"]?.string == "old")
    try update(id, #"{"status":"INACTIVE"}"#)
    #expect(try bench.failure("agents.invoke", try bench.invocation(id)).httpStatus == 400)
    try update(id, #"{"status":"ACTIVE"}"#)
    #expect(try bench.invoke(id)["result"]?.string == "new")
    _ = try other.call("agents.delete", #"{"agent_id":"\#(id)"}"#)
    #expect(try bench.failure("agents.invoke", try bench.invocation(id)).httpStatus == 404)
    #expect(try bench.failure("agents.invoke", try bench.invocation(id, "{}", #"{"version":"x"}"#)).httpStatus == 404)
  }

  @Test("a credential or a header that another plane changes is the one that is sent")
  func credentials() throws {
    let id = try bench.agent("headers", #"{"llm_credentials":{"name":"n","value":"key-1"}}"#)
    func sent(_ name: String) throws -> String? {
      try json(try bench.invoke(id)["result"]?.string ?? "")[name]?.string
    }
    #expect(try sent("authorization") == "Bearer key-1")
    #expect(try sent("authorization") == "Bearer key-1")
    try update(id, #"{"llm_credentials":{"name":"n","value":"key-2"}}"#)
    #expect(try sent("authorization") == "Bearer key-1")
    try update(id, #"{"llm_credentials":{"name":"n","value":"key-3"}}"#, deploy: true)
    #expect(try sent("authorization") == "Bearer key-3")
    try update(id, #"{"llm_credentials":null,"llm_extra_headers":{"X-Mine":"one"}}"#, deploy: true)
    #expect(try sent("authorization") == "Bearer EMPTY")
    #expect(try sent("x-mine") == "one")
  }

  @Test("a version that asks for what is not done is refused each time, and its next one is not")
  func refusals() throws {
    let id = try bench.agent("echo", #"{"deep_planning":true}"#)
    for _ in 1...2 { #expect(try bench.failure("agents.invoke", try bench.invocation(id)).httpStatus == 501) }
    try update(id, #"{"deep_planning":false,"output_schema":{"type":"nothing"},"output_format":"json"}"#, deploy: true)
    for _ in 1...2 { #expect(try bench.failure("agents.invoke", try bench.invocation(id)).httpStatus == 400) }
    try update(id, #"{"output_schema":null,"output_format":"text"}"#, deploy: true)
    #expect(try bench.invoke(id)["status"]?.string == "completed")
  }

  @Test("more agents than are kept run all the same")
  func many() throws {
    let ids = try (0..<70).map { try bench.agent("reply:\($0)") }
    for _ in 1...2 {
      for (index, id) in ids.enumerated() { #expect(try bench.invoke(id)["result"]?.string == "\(index)") }
    }
  }
}
