/// `muster keys …`.
enum KeyCommands {
  private static let common: [Command.Option] = [
    .init("name", "NAME", "For people."),
    .init("agent", "AGENT", "Good for this agent only; may be given several times."),
    .init("read-only", nil, "It may only read."),
    .init("manage-keys", nil, "It may make, change and revoke keys."),
    .init("expires", "TIME", "How long it is good, as a number and s, m, h, d or w, or until when."),
  ]
  private static let key = Command.Operand("KEY")

  static let all = [
    Command(
      "keys create", "Make an API key and print it, this once.", options: common,
      details: "The key is kept nowhere: what is stored is enough to recognise it, not to write it again.", run: create),
    Command("keys list", "List API keys, newest first.", options: Paging.options, run: list),
    Command(
      "keys update", "Change what an API key may do, at once.", operands: [key],
      options: common + [
        .init("all-agents", nil, "Good for every agent."), .init("read-write", nil, "It may change things, too."),
        .init("no-manage-keys", nil, "It may not manage keys."),
      ],
      details: "A key is named by its id, the public part. --expires never takes the end away.", run: update),
    Command("keys revoke", "Refuse an API key from now on, for good.", operands: [key], run: revoke),
  ]

  @Sendable private static func create(_ session: Session) throws(Failure) -> Int32 {
    let body = try body(session.options)
    if body.member("name") == nil { throw .usage("keys create needs --name") }
    guard let arguments = Value.object() else { throw .outOfMemory }
    let plane = try session.open()
    try setAgents(session.options, body, plane)
    arguments.set("body", body)
    let answer = try plane.answer("keys.create", arguments)
    if session.isJSON {
      session.printJSON(answer)
    } else {
      Output.text((try Value.parse(answer).string("key") ?? "") + "\n")
      Output.note("it is not shown again")
    }
    return ExitCode.success
  }

  @Sendable private static func list(_ session: Session) throws(Failure) -> Int32 {
    let answer = try session.open().answer("keys.list", try Paging.arguments(session.options))
    if session.isJSON {
      session.printJSON(answer)
      return ExitCode.success
    }
    let page = try Value.parse(answer)
    var table = Table([
      Table.Column(heading: "ID", keepsWhole: true), Table.Column(heading: "NAME"),
      Table.Column(heading: "RIGHTS", keepsWhole: true), Table.Column(heading: "AGENTS", keepsWhole: true),
      Table.Column(heading: "EXPIRES", keepsWhole: true, style: Style.status),
    ])
    for key in page.member("items")?.items ?? [] {
      let rights = key.flag("can_manage_keys") ? "all, keys" : key.flag("read_only") ? "read" : "all"
      let expires = key.string("expires_at")
      table.add([
        key.string("id") ?? "", key.string("name") ?? "", rights,
        key.isPresent("agents") ? "\(key.member("agents")?.items.count ?? 0)" : "all",
        Time.isPast(expires) ? "expired" : Time.minute(expires) ?? "never",
      ])
    }
    table.show()
    Paging.note(page, "keys")
    return ExitCode.success
  }

  @Sendable private static func update(_ session: Session) throws(Failure) -> Int32 {
    let body = try body(session.options)
    let plane = try session.open()
    try setAgents(session.options, body, plane)
    if body.isEmpty { throw .usage("keys update needs something to change") }
    let arguments = try Value.object("key_id", session.operand(0))
    arguments.set("body", body)
    let answer = try plane.answer("keys.update", arguments)
    if session.isJSON { session.printJSON(answer) } else { Output.note("changed \(session.operand(0))") }
    return ExitCode.success
  }

  @Sendable private static func revoke(_ session: Session) throws(Failure) -> Int32 {
    _ = try session.open().answer("keys.revoke", try Value.object("key_id", session.operand(0)))
    Output.note("revoked \(session.operand(0))")
    return ExitCode.success
  }

  // MARK: - Bodies

  private static func body(_ options: Options) throws(Failure) -> Value {
    guard let body = Value.object() else { throw .outOfMemory }
    if let name = options["name"] { body.set("name", name) }
    if let flag = try options.one(of: "read-only", "read-write") { body.set("read_only", flag == "read-only") }
    if let flag = try options.one(of: "manage-keys", "no-manage-keys") {
      body.set("can_manage_keys", flag == "manage-keys")
    }
    if options.has("all-agents"), options["agent"] != nil {
      throw .usage("--all-agents and --agent exclude each other")
    }
    if let expires = options["expires"] {
      if expires == "never" {
        body.setNull("expires_at")
      } else {
        // The library says what is wrong with a time.
        body.set("expires_at", Time.moment(expires, isPast: false) ?? expires)
      }
    }
    return body
  }

  private static func setAgents(_ options: Options, _ body: Value, _ plane: Plane) throws(Failure) {
    if options.has("all-agents") { body.setNull("agents") }
    var ids: [String] = []
    for agent in options.all("agent") { ids.append(try AgentFinder.find(agent, in: plane)) }
    if let agents = Value.array(ids), !ids.isEmpty { body.set("agents", agents) }
  }
}
