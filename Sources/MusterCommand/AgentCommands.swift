/// `muster agents …`, and finding an agent by its name.
enum AgentCommands {
  static func list(_ options: Options, store: String) throws(Failure) -> Int32 {
    guard let arguments = Value.object() else { throw .operation("out of memory") }
    if let page = try options.integer("page") { arguments.set("page", page) }
    if let perPage = try options.integer("per-page") { arguments.set("per_page", perPage) }
    let answer = try call(try Plane(store: store), "agents.list", arguments)
    if options.has("json") {
      Output.text(answer + "\n")
      return ExitCode.success
    }
    let page = try Value.parse(answer)
    var table = Table([
      Table.Column(heading: "ID", keepsWhole: true), Table.Column(heading: "NAME"),
      Table.Column(heading: "STATUS", keepsWhole: true), Table.Column(heading: "MODEL"),
    ])
    for agent in page.member("items")?.items ?? [] {
      let provider = agent.string("model_provider") ?? ""
      let model = agent.string("model_name") ?? ""
      table.add([
        agent.string("id") ?? "", agent.string("name") ?? "", agent.string("status") ?? "", "\(provider)/\(model)",
      ])
    }
    Output.text(table.text(width: Output.columns))
    if page.integer("total_pages") > 1 {
      Output.note("page \(page.integer("page")) of \(page.integer("total_pages")), \(page.integer("total")) agents")
    }
    return ExitCode.success
  }

  static func create(_ options: Options, store: String) throws(Failure) -> Int32 {
    guard let arguments = Value.object(), let body = try body(of: options) else { throw .operation("out of memory") }
    for (option, field) in [
      ("name", "name"), ("model", "model_name"), ("provider", "model_provider"), ("api-base", "llm_api_base"),
    ] {
      if let value = options[option] { body.set(field, value) }
    }
    if body.member("name") == nil { throw .usage("agents create needs --name") }
    if let general = options["instructions"] {
      guard let instructions = body.member("instructions") ?? Value.object(), instructions.isObject else {
        throw .usage("`instructions` in --body is not an object")
      }
      instructions.set("general", general)
      body.set("instructions", instructions)
    }
    arguments.set("body", body)
    let answer = try call(try Plane(store: store), "agents.create", arguments)
    Output.text(options.has("json") ? answer + "\n" : (try Value.parse(answer).string("id") ?? "") + "\n")
    return ExitCode.success
  }

  /// The id of the agent that `text` names: its id, or the name of exactly one agent.
  static func find(_ text: String, in plane: Plane) throws(Failure) -> String {
    guard let arguments = Value.object() else { throw .operation("out of memory") }
    arguments.set("agent_id", text)
    do throws(Plane.CallFailure) {
      _ = try plane.call("agents.get", arguments.text)
      return text
    } catch {
      // 422: what cannot be an id may still be a name.
      guard error.httpStatus == 404 || error.httpStatus == 422 else { throw error.failure }
    }
    let found = try named(text, in: plane)
    guard let id = found.first else { throw .operation("no agent has the id or the name \(text)") }
    guard found.count == 1 else {
      throw .operation("\(found.count) agents have the name \(text); use an id: \(found.joined(separator: ", "))")
    }
    return id
  }

  private static func named(_ name: String, in plane: Plane) throws(Failure) -> [String] {
    var found: [String] = []
    var pages: Int64 = 1
    var number: Int64 = 1
    while number <= pages {
      guard let arguments = Value.object() else { throw .operation("out of memory") }
      arguments.set("page", number)
      arguments.set("per_page", 50)
      let page = try Value.parse(try call(plane, "agents.list", arguments))
      for agent in page.member("items")?.items ?? [] where agent.string("name") == name {
        if let id = agent.string("id") { found.append(id) }
      }
      pages = page.integer("total_pages")
      number += 1
    }
    return found
  }

  private static func body(of options: Options) throws(Failure) -> Value? {
    guard let text = options["body"] else { return Value.object() }
    do throws(Failure) {
      let body = try Value.parse(text)
      if body.isObject { return body }
    } catch {
      throw .usage("--body: \(error.message)")
    }
    throw .usage("--body is not a JSON object")
  }

  private static func call(_ plane: Plane, _ operation: String, _ arguments: Value) throws(Failure) -> String {
    do throws(Plane.CallFailure) {
      return try plane.call(operation, arguments.text)
    } catch {
      throw error.failure
    }
  }
}
