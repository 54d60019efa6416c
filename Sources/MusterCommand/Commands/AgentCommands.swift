/// `muster agents …`.
enum AgentCommands {
  private static let fields: [Command.Option] = [
    .init("name", "NAME", "Its name."),
    .init("instructions", "TEXT", "What it is told before each conversation."),
    .init("model", "NAME", "The model."),
    .init("provider", "NAME", "The model's provider: openai or openai_compatible."),
    .init("api-base", "URL", "The model's address."),
    .init("body", "JSON", "Further fields as a JSON object, or @FILE with one.", completion: .files),
  ]
  private static let agent = Command.Operand("AGENT")
  private static let templateFields: [Command.Option] = [
    .init("name", "NAME", "The name of what is made; default: the agent's."),
    .init("description", "TEXT", "Its description."),
    .init("without-knowledge-bases", nil, "Leave knowledge bases out."),
  ]

  static let all = [
    Command(
      "agents list", "List agents, newest first.",
      options: [.init("page", "N", "The page, from 1."), .init("per-page", "N", "Agents a page, at most 50.")],
      run: list),
    Command("agents get", "Show an agent.", operands: [agent], run: get),
    Command("agents create", "Make an agent and print its id.", options: fields, run: create),
    Command(
      "agents update", "Change an agent's working copy.", operands: [agent],
      options: fields + [.init("deploy", nil, "Make it the version that runs, too.")],
      details: "An agent is named by its id or by its name, if only one has it.", run: update),
    Command("agents deploy", "Make an agent's working copy the version that runs.", operands: [agent], run: deploy),
    Command("agents delete", "Remove an agent with its versions and tasks for good.", operands: [agent], run: delete),
    Command(
      "agents export", "Make a template of an agent, without credentials, and print its id.", operands: [agent],
      options: templateFields, run: export),
    Command(
      "agents import", "Make an agent from a template and print its id.", operands: [.init("TEMPLATE")],
      options: [.init("name", "NAME", "The name of the agent.")] + templateFields.dropFirst(), run: importTemplate),
  ]

  // MARK: - Reading

  @Sendable private static func list(_ session: Session) throws(Failure) -> Int32 {
    let arguments = try Paging.arguments(session.options)
    let answer = try session.open().answer("agents.list", arguments)
    if session.isJSON {
      session.printJSON(answer)
      return ExitCode.success
    }
    let page = try Value.parse(answer)
    var table = Table([
      Table.Column(heading: "ID", keepsWhole: true), Table.Column(heading: "NAME"),
      Table.Column(heading: "STATUS", keepsWhole: true, style: Style.status), Table.Column(heading: "MODEL"),
    ])
    for agent in page.member("items")?.items ?? [] {
      table.add([
        agent.string("id") ?? "", agent.string("name") ?? "", agent.string("status") ?? "", model(of: agent),
      ])
    }
    table.show()
    Paging.note(page, "agents")
    return ExitCode.success
  }

  private static func model(of agent: Value) -> String {
    "\(agent.string("model_provider") ?? "")/\(agent.string("model_name") ?? "")"
  }

  @Sendable private static func get(_ session: Session) throws(Failure) -> Int32 {
    let plane = try session.open()
    let arguments = try Value.object("agent_id", try AgentFinder.find(session.operand(0), in: plane))
    return try show(try plane.answer("agents.get", arguments), session)
  }

  private static func show(_ answer: String, _ session: Session) throws(Failure) -> Int32 {
    if session.isJSON {
      session.printJSON(answer)
      return ExitCode.success
    }
    let agent = try Value.parse(answer)
    let status = agent.string("status")
    var sheet = Sheet()
    sheet.add("id", agent.string("id"))
    sheet.add("name", agent.string("name"), style: .bold)
    sheet.add("status", status, style: Style.status(status ?? ""))
    sheet.add("description", agent.string("description"))
    sheet.add("model", model(of: agent))
    sheet.add("api base", agent.string("llm_api_base"))
    sheet.add("instructions", agent.member("instructions")?.string("general"))
    let version = agent.integer("version")
    sheet.add(
      "version", agent.flag("has_pending_changes") ? "\(version), with changes that are not deployed" : "\(version)")
    sheet.add("made", Time.minute(agent.string("created_at")))
    sheet.add("changed", Time.minute(agent.string("updated_at")))
    sheet.show()
    return ExitCode.success
  }

  // MARK: - Changing

  @Sendable private static func create(_ session: Session) throws(Failure) -> Int32 {
    guard let arguments = Value.object() else { throw .outOfMemory }
    let body = try body(session.options)
    if body.member("name") == nil { throw .usage("agents create needs --name") }
    arguments.set("body", body)
    return try printID(try session.open().answer("agents.create", arguments), session)
  }

  @Sendable private static func update(_ session: Session) throws(Failure) -> Int32 {
    guard let arguments = Value.object() else { throw .outOfMemory }
    let body = try body(session.options)
    if body.isEmpty { throw .usage("agents update needs something to change") }
    let plane = try session.open()
    let id = try AgentFinder.find(session.operand(0), in: plane)
    if let instructions = body.member("instructions"), session.options["instructions"] != nil {
      // A change replaces the object: what else the instructions hold is kept.
      let known = try Value.parse(try plane.answer("agents.get", try Value.object("agent_id", id)))
      if let all = known.member("instructions"), all.isObject {
        all.merge(instructions)
        body.set("instructions", all)
      }
    }
    arguments.set("agent_id", id)
    arguments.set("body", body)
    if session.options.has("deploy") { arguments.set("deploy", true) }
    return try show(try plane.answer("agents.update", arguments), session)
  }

  @Sendable private static func deploy(_ session: Session) throws(Failure) -> Int32 {
    let plane = try session.open()
    let arguments = try Value.object("agent_id", try AgentFinder.find(session.operand(0), in: plane))
    return try show(try plane.answer("agents.deploy", arguments), session)
  }

  @Sendable private static func delete(_ session: Session) throws(Failure) -> Int32 {
    let plane = try session.open()
    let id = try AgentFinder.find(session.operand(0), in: plane)
    _ = try plane.answer("agents.delete", try Value.object("agent_id", id))
    Output.note("removed \(id)")
    return ExitCode.success
  }

  // MARK: - Templates

  @Sendable private static func export(_ session: Session) throws(Failure) -> Int32 {
    let plane = try session.open()
    let id = try AgentFinder.find(session.operand(0), in: plane)
    let body = try templateBody(session.options)
    if body.member("name") == nil {
      let agent = try Value.parse(try plane.answer("agents.get", try Value.object("agent_id", id)))
      body.set("name", agent.string("name") ?? "")
    }
    let arguments = try Value.object("agent_id", id)
    arguments.set("body", body)
    return try printID(try plane.answer("agents.export", arguments), session)
  }

  @Sendable private static func importTemplate(_ session: Session) throws(Failure) -> Int32 {
    let body = try templateBody(session.options)
    if body.member("name") == nil { throw .usage("agents import needs --name") }
    let arguments = try Value.object("template_id", session.operand(0))
    arguments.set("body", body)
    return try printID(try session.open().answer("agents.import", arguments), session)
  }

  private static func templateBody(_ options: Options) throws(Failure) -> Value {
    guard let body = Value.object() else { throw .outOfMemory }
    if let name = options["name"] { body.set("name", name) }
    if let description = options["description"] { body.set("description", description) }
    if options.has("without-knowledge-bases") { body.set("with_knowledge_bases", false) }
    return body
  }

  private static func printID(_ answer: String, _ session: Session) throws(Failure) -> Int32 {
    session.isJSON ? session.printJSON(answer) : Output.text((try Value.parse(answer).string("id") ?? "") + "\n")
    return ExitCode.success
  }

  // MARK: - Bodies

  /// The fields of an agent that the options give; they go over those of `--body`.
  private static func body(_ options: Options) throws(Failure) -> Value {
    let body = try givenBody(options)
    for (option, field) in [
      ("name", "name"), ("model", "model_name"), ("provider", "model_provider"), ("api-base", "llm_api_base"),
    ] {
      if let value = options[option] { body.set(field, value) }
    }
    if let general = options["instructions"] {
      guard let instructions = body.member("instructions") ?? Value.object(), instructions.isObject else {
        throw .usage("`instructions` in --body is not an object")
      }
      instructions.set("general", general)
      body.set("instructions", instructions)
    }
    return body
  }

  private static func givenBody(_ options: Options) throws(Failure) -> Value {
    guard let given = options["body"] else {
      guard let body = Value.object() else { throw .outOfMemory }
      return body
    }
    let text = given.hasPrefix("@") ? try Input.file(String(given.dropFirst())) : given
    do throws(Failure) {
      let body = try Value.parse(text)
      if body.isObject { return body }
    } catch {
      throw .usage("--body: \(error.message)")
    }
    throw .usage("--body is not a JSON object")
  }
}
