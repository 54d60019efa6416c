import BenchFloor
import MusterHTTP
import MusterJSON
import MusterModels
import MusterRuns
import MusterStore
import MusterSystem
import MusterTools

/// A store with an agent, and a driver with an injected model and a tool.
final class Plant: @unchecked Sendable {
  let store: Store
  let model: InjectedModel
  let driver: RunDriver
  private let tools = ToolRegistry(threads: 64, log: .none)
  private let configuration: AgentConfiguration

  private static let agent = "agent-1"

  /// - Parameter tool: members of the tool beside the usual ones.
  init(_ path: String, tool members: String, hangs: Bool = false, isDurable: Bool = true, isNew: Bool = true) {
    let instructions = String(repeating: "Answer what is asked, in short sentences. ", count: 36)
    let document = JSON.literalText(
      #"{"model_provider":"openai_compatible","model_name":"fixed","llm_api_base":"http://127.0.0.1:9/v1","#
        + #""llm_reasoning_effort":"medium","output_format":"markdown","tools":["add"],"#
        + #""instructions":{"general":"\#(instructions)"}}"#)
    configuration = AgentConfiguration(document: document, secrets: nil)
    let model = InjectedModel(hangs: hangs)
    self.model = model
    do {
      store = try StoreRegistry.open(path: path, busyTimeoutMilliseconds: 5_000)
      driver = RunDriver(
        store: store, models: model, tools: tools,
        settings: .init(isDurable: isDurable, defaultProvider: "openai", defaultBase: nil), log: .none)
      let spec = JSON.literalText(
        #"{"name":"add","description":"Adds two numbers.","parameters":{"type":"object","properties":"#
          + #"{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"]}\#(members)}"#)
      try tools.register(try ToolSpec(spec), AddingTool(tools))
      if isNew {
        let now = Timestamp.now()
        try store.insertAgent(
          AgentRow(
            organizationID: store.firstOrganizationID, id: Plant.agent, revision: 1, version: 2, createdAt: now,
            updatedAt: now, document: Array(document.bytes), secrets: nil), durable: false)
      }
    } catch {
      bench_die("the plant cannot be made")
    }
  }

  func invocation() -> Invocation {
    Invocation(
      organizationID: store.firstOrganizationID, agentID: Plant.agent, agentVersion: "2", requestedVersion: nil,
      agent: configuration, taskID: Identifier.make(), isNewTask: true,
      request: .literalText(#"{"input":{"text":"What is 19 and 23?"}}"#), network: .open)
  }

  /// A turn on this thread, with two answers of the model and a call of the tool between them.
  func turn() {
    do throws(RunError) {
      let snapshot = try driver.invoke(invocation(), deadline: .never, interrupt: Interrupt())
      if snapshot.task.status != .completed { bench_die("a turn did not complete") }
    } catch {
      bench_die("a turn failed")
    }
  }

  func close() {
    driver.beginClosing()
    tools.beginClosing()
    driver.close()
    tools.close()
    StoreRegistry.close(store)
  }
}

extension JSON {
  /// A text that is known to be JSON.
  static func literalText(_ text: String) -> JSON { .trusted(Array(text.utf8)) }
}
