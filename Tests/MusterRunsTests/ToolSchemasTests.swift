import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Tools whose arguments and answers an agent changes")
struct ToolSchemasTests {
  private static let agent = #"""
    {"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"schemas":{
      "input":{"properties":{"n":{"description":"How many."},"key":{"permanentValue":"k"},"force":{"isBlocked":true}}},
      "output":{"properties":{"secret":{"isBlocked":true}}}}}}]}
    """#

  private static let spec = #"""
    {"probe":true,"result_limit":256,"parameters":{"type":"object","properties":{"n":{"type":"integer"},
      "key":{"type":"string"},"force":{"type":"boolean"}},"required":["n","key"]}}
    """#

  private static let call: ScriptedModel.Step = .calls([("add", #"{"n":1}"#)])

  @Test("the model is not told what it may not give, the tool gets what is always given, and the model what is left")
  func whole() throws {
    let long = String(repeating: "x", count: 500)
    let bench = try Bench(
      [.calls([("add", #"{"n":1,"force":true}"#)]), Self.call, .answer("done")], agent: Self.agent)
    let tool = try bench.tool("add", Self.spec) { _, _, _ in #"{"secret":"\#(long)","sum":2}"# }
    #expect(try bench.invoke("go").task.status == .completed)
    let shown = try #require(bench.model.requests.first?.tools.first?.parameters)
    #expect(shown["properties"]?.members.map { $0.key } == ["n"])
    #expect(shown["properties"]?["n"]?["description"]?.string == "How many.")
    #expect(shown["required"]?.elements.compactMap { $0.string } == ["n"])
    #expect(bench.messages(1).last?.contains("The argument /force cannot be given.") == true)
    #expect(tool.calls.count == 1)
    #expect(tool.calls.first?["arguments"].map { String(decoding: $0.bytes, as: UTF8.self) } == #"{"n":1,"key":"k"}"#)
    // Shaped before it would be cut.
    #expect(bench.messages(2).last == #"c0: {"sum":2}"#)
    #expect(try bench.journalProblem() == nil)
  }

  @Test("a run that is gone on with goes by what its turn began with", arguments: [true, false])
  func resumed(wasDone: Bool) throws {
    let path = try StorePath()
    let first = try Bench([Self.call], agent: Self.agent, path: path.path)
    let before = try first.tool("add", Self.spec) { _, _, _ in nil }
    _ = try first.launch("go")
    try awaitTrue("the tool is called") { before.calls.count == 1 }
    first.close()
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    // Meanwhile it says something else of itself.
    let tool = try bench.tool("add", #"{"probe":true,"parameters":{"type":"object"}}"#) { tool, _, _ in
      if tool.calls.count > 1 { return #"{"secret":1,"sum":2}"# }
      return #"{"done":\#(wasDone),"result":{"secret":1,"sum":2}}"#
    }
    try bench.driver.resume()
    try awaitTrue("the task ends") { try bench.task()?.status == .completed }
    #expect(tool.calls.count == (wasDone ? 1 : 2))
    for call in tool.calls {
      #expect(call["arguments"].map { String(decoding: $0.bytes, as: UTF8.self) } == #"{"n":1,"key":"k"}"#)
    }
    #expect(bench.messages(0).last == #"c0: {"sum":2}"#)
    #expect(bench.model.requests.first?.tools.first?.parameters["required"]?.elements.count == 1)
    bench.close()
  }
}
