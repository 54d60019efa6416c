import MusterEngine
import MusterHTTP
import MusterJSON
import MusterStore
import MusterSystem

/// Makes the first record of a turn.
struct TurnBuilder {
  /// How often the model may be asked for one answer.
  private static let attempts: Int64 = 3
  /// How often an answer that does not match its schema is sent back.
  private static let repairs: Int64 = 1
  /// How often calls of tools that cannot be made are sent back.
  private static let toolRepairs: Int64 = 3
  /// How often the model may be asked in a turn with tools.
  private static let modelCalls: Int64 = 100
  /// How many tasks may be below each other.
  private static let depth: Int64 = 8

  let store: Store
  let settings: RunDriver.Settings

  /// Pins what the turn runs with. `known` is the task as it stands after its last turn.
  func beginning(
    of invocation: Invocation, tools: ToolList?, team: Team?, isDetached: Bool, after known: TaskRow?
  ) throws(RunError) -> Beginning {
    let request = invocation.request
    let agent = invocation.agent
    let model = TurnBuilder.model(of: invocation)
    let format = Beginning.Format(rawValue: request["output_format"]?.string ?? agent.outputFormat) ?? .markdown
    let requestSchema = request["output_schema"].flatMap { $0.kind == .object && !$0.isEmpty ? $0 : nil }
    // A request that brings a schema wants JSON, whatever format the agent has.
    let effective = requestSchema != nil && request["output_format"] == nil ? .json : format
    let schema = effective == .json ? requestSchema ?? agent.outputSchema : nil
    let limits = limits(invocation, tools)
    let price = try settings.price(of: model.name, under: limits)
    let history = history(invocation, after: known)
    return Beginning(
      agentVersion: invocation.agentVersion, requestedVersion: invocation.requestedVersion, request: request,
      provider: model.provider, model: model.name, host: model.host, reasoningEffort: model.reasoningEffort,
      format: effective, schema: schema,
      system: try system(invocation, format: effective, schema: schema, after: known),
      historyFromTurn: history,
      // Some providers refuse calls in a conversation without tools.
      historyToolCalls: history == nil || tools == nil || team?.kind == .sequence
        ? nil : max(agent.historyToolCalls, 0),
      attempts: TurnBuilder.attempts, repairs: TurnBuilder.repairs,
      tools: tools, toolsRecord: try team == nil ? toolsRecord(tools, after: known) : nil,
      toolRepairs: tools == nil ? 0 : TurnBuilder.toolRepairs, limits: limits, price: price, team: team,
      delegated: invocation.delegated, isDetached: isDetached,
      network: invocation.network.text)
  }

  /// What a turn asks.
  struct Model {
    let provider: String
    let name: String
    let host: String?
    let reasoningEffort: String?
  }

  static func model(of invocation: Invocation) -> Model {
    let request = invocation.request
    let agent = invocation.agent
    let provider = request["llm_model_provider"]?.string ?? agent.provider
    return Model(
      provider: provider, name: request["llm_model_name"]?.string ?? agent.model,
      host: provider == agent.provider ? agent.base.map { HTTPURL.host(of: $0) } : nil,
      reasoningEffort: effort(request: request, agent: agent))
  }

  /// `medium` is every provider's own default, and models that do not reason refuse the parameter: it is sent only when the caller asks for it.
  private static func effort(request: JSON, agent: AgentConfiguration) -> String? {
    if let asked = request["llm_reasoning_effort"]?.string { return asked }
    return agent.reasoningEffort == "medium" ? nil : agent.reasoningEffort
  }

  /// The system message: its text, or the earlier record that already has the same.
  private func system(
    _ invocation: Invocation, format: Beginning.Format, schema: JSON?, after known: TaskRow?
  ) throws(RunError) -> Beginning.System {
    guard
      let text = SystemPrompt.text(invocation.agent, request: invocation.request, format: format, schema: schema)
    else { return .none }
    let wanted = JSON.string(text)
    if let known, let sequence = known.systemSequence {
      let record: JournalRecord?
      do throws(StoreError) {
        record = try store.record(sequence, of: known)
      } catch {
        throw .store(error)
      }
      if let record, JSON.trusted(record.body)["system"]?.hasSameBytes(wanted) == true { return .record(sequence) }
    }
    return .text(wanted)
  }

  /// What the turn may use up: what the caller says, and with tools an end to asking in any case.
  private func limits(_ invocation: Invocation, _ tools: ToolList?) -> Limits {
    // A sub-task has its share of what the task above it has, and no more of its own.
    var limits = invocation.limits ?? settings.limits.asked(invocation.request["limits"])
    if tools != nil {
      limits.modelCalls = limits.modelCalls ?? TurnBuilder.modelCalls
      limits.depth = limits.depth ?? TurnBuilder.depth
    }
    let most = invocation.request["tool_call_limit"]?.int64 ?? invocation.agent.toolCallLimit
    if tools != nil, most > 0 { limits.toolCallsAnswered = most }
    return limits
  }

  /// The earlier record that has the same tools, of an agent that leads none (whose calls are told by what is called): that with which the last turn began, or the one that it names.
  private func toolsRecord(_ tools: ToolList?, after known: TaskRow?) throws(RunError) -> Int64? {
    guard let tools, let known else { return nil }
    do throws(StoreError) {
      guard let last = try store.record(known.firstSequence, of: known) else { return nil }
      let body = JSON.trusted(last.body)
      let sequence = body["tools_record"]?.int64 ?? known.firstSequence
      guard
        let record = sequence == known.firstSequence ? last : try store.record(sequence, of: known),
        JSON.trusted(record.body)["tools"]?.hasSameBytes(tools.json) == true
      else { return nil }
      return sequence
    } catch {
      throw .store(error)
    }
  }

  private func history(_ invocation: Invocation, after known: TaskRow?) -> Int64? {
    // What was said above it has what was said in its own thread.
    if case .full? = invocation.delegated?.memory { return nil }
    let agent = invocation.agent
    guard let known, agent.sessionStorage, agent.historyRuns > 0 else { return nil }
    return max(known.turn &- agent.historyRuns &+ 1, 1)
  }

  /// The title in lists: the caller's, or the beginning of the prompt.
  static func title(of request: JSON) -> String? {
    if let title = request["title"]?.string, !title.isEmpty { return title }
    guard let text = request["input"]?["text"]?.utf8, !text.isEmpty else { return nil }
    return String(decoding: text[..<end(of: 80, in: text)], as: UTF8.self)
  }

  /// Behind the first characters (Unicode scalars) of a text; where it ends if there are not so many.
  private static func end(of count: Int, in text: [UInt8]) -> Int {
    if text.count <= count { return text.count }
    var left = count
    for position in text.indices where text[position] & 0xc0 != 0x80 {
      if left == 0 { return position }
      left -= 1
    }
    return text.count
  }
}
