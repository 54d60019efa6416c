package import MusterJSON

/// What a turn begins with: everything that must not change while it runs. One object that all who know the turn share.
package final class Beginning: Sendable {
  /// How an answer is to be written.
  package enum Format: String, Sendable {
    case text, markdown, json
  }

  /// Where the text of the system message is.
  package enum System: Sendable {
    case none
    /// A JSON string.
    case text(JSON)
    /// In an earlier record of the task, unchanged.
    case record(Int64)
  }

  package let engineVersion: Int64
  /// The version of the agent that runs: a number, or "draft".
  package let agentVersion: String
  /// The version that the caller asked for, if any.
  package let requestedVersion: String?
  /// The caller's request, its documented keys only; it holds no secrets.
  package let request: JSON
  package let provider: String
  package let model: String
  /// The host of the model's address.
  package let host: String?
  package let reasoningEffort: String?
  package let format: Format
  /// The JSON Schema that the answer has to match; for the format json only.
  package let schema: JSON?
  package let system: System
  /// The first earlier turn that the model gets to see; nil: none.
  package let historyFromTurn: Int64?
  /// How many calls of tools of those turns the model gets to see, the last ones; 0: all; nil: none.
  package let historyToolCalls: Int64?
  /// How often the model may be asked for one answer before the run ends in error.
  package let attempts: Int64
  /// How often an answer that does not match the schema is sent back.
  package let repairs: Int64
  /// The tools that the model is offered; nil: none.
  package let tools: ToolList?
  /// The earlier record of the task that has the same tools, if one has.
  package let toolsRecord: Int64?
  /// How often calls of tools with arguments that do not fit are sent back.
  package let toolRepairs: Int64
  package let limits: Limits
  /// What the model costs, if that is limited.
  package let price: Price?
  /// How it works with other agents; nil: it leads none.
  package let team: Team?
  /// Which call of another task it answers; nil: none.
  package let delegated: Delegated?
  /// Whether it goes on although whoever began it is gone.
  package let isDetached: Bool
  /// The last record that the task has of the one that it was forked from, if that was in the middle of this turn.
  package let forkedAt: Int64?
  /// The network policy under which it runs, as text; records without one are of a time when every run was `open`.
  package let network: String

  package init(
    agentVersion: String, requestedVersion: String?, request: JSON, provider: String, model: String, host: String?,
    reasoningEffort: String?, format: Format, schema: JSON?, system: System, historyFromTurn: Int64?,
    historyToolCalls: Int64? = nil, attempts: Int64, repairs: Int64, tools: ToolList? = nil, toolsRecord: Int64? = nil,
    toolRepairs: Int64 = 0, limits: Limits = Limits(), price: Price? = nil, team: Team? = nil,
    delegated: Delegated? = nil, isDetached: Bool = false, forkedAt: Int64? = nil, network: String,
    engineVersion: Int64 = Engine.version
  ) {
    self.forkedAt = forkedAt
    self.engineVersion = engineVersion
    self.price = price
    self.team = team
    self.delegated = delegated
    self.isDetached = isDetached
    self.tools = tools
    self.toolsRecord = toolsRecord
    self.toolRepairs = toolRepairs
    self.limits = limits
    self.agentVersion = agentVersion
    self.requestedVersion = requestedVersion
    self.request = request
    self.provider = provider
    self.model = model
    self.host = host
    self.reasoningEffort = reasoningEffort
    self.format = format
    self.schema = schema
    self.system = system
    self.historyFromTurn = historyFromTurn
    self.historyToolCalls = historyToolCalls
    self.attempts = attempts
    self.repairs = repairs
    self.network = network
  }

  /// The same, but its system message is in an earlier record.
  package convenience init(_ other: Beginning, systemRecord: Int64) {
    self.init(other, system: .record(systemRecord), tools: other.tools)
  }

  /// The same, with the tools that an earlier record of its task has.
  package convenience init(_ other: Beginning, tools: ToolList) {
    self.init(other, system: other.system, tools: tools)
  }

  private convenience init(_ other: Beginning, system: System, tools: ToolList?) {
    self.init(
      agentVersion: other.agentVersion, requestedVersion: other.requestedVersion, request: other.request,
      provider: other.provider, model: other.model, host: other.host, reasoningEffort: other.reasoningEffort,
      format: other.format, schema: other.schema, system: system, historyFromTurn: other.historyFromTurn,
      historyToolCalls: other.historyToolCalls,
      attempts: other.attempts, repairs: other.repairs, tools: tools, toolsRecord: other.toolsRecord,
      toolRepairs: other.toolRepairs, limits: other.limits, price: other.price, team: other.team,
      delegated: other.delegated,
      isDetached: other.isDetached, forkedAt: other.forkedAt, network: other.network, engineVersion: other.engineVersion
    )
  }

  package init(_ json: JSON) throws(UnreadableRecord) {
    let body = JSONMembers(json)
    guard let version = body["engine"]?.int64, version >= 1, version <= Engine.version else {
      throw UnreadableRecord(what: "turn of another engine version")
    }
    guard let agentVersion = body["agent_version"]?.string, let request = body["request"], request.kind == .object,
      let model = body["model"], let provider = model["provider"]?.string, let name = model["name"]?.string,
      let format = body["format"]?.string.flatMap({ Format(rawValue: $0) }), let limits = body["limits"],
      let attempts = limits["attempts"]?.int64, let repairs = limits["repairs"]?.int64
    else { throw UnreadableRecord(what: "beginning of a turn") }
    engineVersion = version
    self.agentVersion = agentVersion
    requestedVersion = body["requested_version"]?.string
    self.request = request
    self.provider = provider
    self.model = name
    host = model["host"]?.string
    reasoningEffort = model["reasoning_effort"]?.string
    self.format = format
    schema = body.present("schema")
    if let text = body.present("system") {
      guard text.kind == .string else { throw UnreadableRecord(what: "system message of a turn") }
      system = .text(text)
    } else if let record = body["system_record"]?.int64 {
      system = .record(record)
    } else {
      system = .none
    }
    historyFromTurn = body["history_from_turn"]?.int64
    historyToolCalls = body["history_tool_calls"]?.int64
    self.attempts = attempts
    self.repairs = repairs
    let list = body.present("tools")
    if let list { tools = try ToolList(list) } else { tools = nil }
    toolsRecord = body["tools_record"]?.int64
    toolRepairs = limits["tool_repairs"]?.int64 ?? 0
    self.limits = Limits(limits)
    price = body.present("price").flatMap { Price($0) }
    if let team = body.present("team") { self.team = try Team(team) } else { team = nil }
    if let delegated = body.present("delegated") {
      self.delegated = try Delegated(delegated)
    } else {
      delegated = nil
    }
    isDetached = body["detached"]?.bool ?? false
    forkedAt = body["forked_at"]?.int64
    if let policy = body.present("network") {
      guard let text = policy.string else { throw UnreadableRecord(what: "network policy of a turn") }
      network = text
    } else {
      network = "open"
    }
  }

  package var json: JSON {
    var writer = JSONWriter(capacity: request.bytes.count + 512)
    writer.beginObject()
    writer.member("engine", engineVersion)
    writer.member("agent_version", agentVersion)
    writer.member("requested_version", requestedVersion)
    writer.member("request", request)
    writer.key("model")
    writer.beginObject()
    writer.member("provider", provider)
    writer.member("name", model)
    writer.member("host", host)
    writer.member("reasoning_effort", reasoningEffort)
    writer.endObject()
    writer.member("format", format.rawValue)
    writer.memberIfPresent("schema", schema)
    switch system {
    case .none: break
    case .text(let text): writer.member("system", text)
    case .record(let sequence): writer.member("system_record", sequence)
    }
    if let toolsRecord {
      writer.member("tools_record", toolsRecord)
    } else if let tools {
      writer.member("tools", tools.json)
    }
    if let historyFromTurn { writer.member("history_from_turn", historyFromTurn) }
    if let historyToolCalls { writer.member("history_tool_calls", historyToolCalls) }
    writer.key("limits")
    writer.beginObject()
    writer.member("attempts", attempts)
    writer.member("repairs", repairs)
    if toolRepairs > 0 { writer.member("tool_repairs", toolRepairs) }
    limits.write(to: &writer)
    writer.endObject()
    if let price {
      writer.key("price")
      price.write(to: &writer)
    }
    if let team {
      writer.key("team")
      team.write(to: &writer)
    }
    if let delegated {
      writer.key("delegated")
      delegated.write(to: &writer)
    }
    if isDetached { writer.member("detached", true) }
    if let forkedAt { writer.member("forked_at", forkedAt) }
    writer.member("network", network)
    writer.endObject()
    return writer.json
  }
}
