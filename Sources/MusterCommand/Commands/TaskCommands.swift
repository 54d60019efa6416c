import Glibc

/// `muster tasks …`.
enum TaskCommands {
  private static let task = Command.Operand("TASK")
  private static let statuses = ["pending", "executing", "paused", "error", "failed", "completed", "stopped"]

  static let all =
    [
      Command(
        "tasks list", "List tasks, the last changed first.",
        options: [
          .init("agent", "AGENT", "Only tasks of this agent."),
          .init("status", "STATUS", "Only tasks in this status.", completion: .words(statuses)),
          .init("user", "ID", "Only tasks of this user."),
          .init("parent", "TASK", "Only sub-tasks of this task."),
        ] + Paging.options, run: list),
      Command("tasks get", "Show a task.", operands: [task], run: get),
      Command("tasks stop", "Stop a running task, wherever it runs.", operands: [task], run: stop),
    ] + DecisionCommands.all + [
      Command(
        "tasks watch", "Follow a task until it has ended, also one that another program runs.", operands: [task],
        options: [.init("after", "ID", "Only what comes behind the event with this id.")],
        details: """
          Prints what is said while it comes; with --json, each event as a line. A task that waits for a person is told, and \
          followed on. Servers are not followed: it needs a store.
          """, run: watch),
      Command(
        "tasks thread", "Print the prompts and answers of a task's conversation.", operands: [task],
        options: [.init("full", nil, "Print the messages of its sub-tasks, too.")], run: thread),
      Command(
        "tasks replay", "Run a task again from its journal, and say whether the same comes of it.", operands: [task],
        details: """
          Asks no model, tool or person, and writes nothing. Ends with 4 when something else comes of it. With --json, the \
          events of the task are in the answer.
          """, run: replay),
      ForkCommand.command,
      Command("tasks delete", "Remove a task and its sub-tasks for good.", operands: [task], run: delete),
      Command(
        "tasks prune", "Remove tasks that ended long ago.",
        options: [
          .init("older-than", "TIME", "A number and s, m, h, d or w: 30d is thirty days. Required."),
          .init("agent", "AGENT", "Only tasks of this agent."),
        ],
        details: "Tasks that ended and have not changed for that time are removed for good, with their sub-tasks.",
        run: prune),
    ]

  // MARK: - Reading

  @Sendable private static func list(_ session: Session) throws(Failure) -> Int32 {
    let options = session.options
    let arguments = try Paging.arguments(options)
    for (option, parameter) in [("status", "status"), ("user", "user_id"), ("parent", "parent_task_id")] {
      if let value = options[option] { arguments.set(parameter, value) }
    }
    let plane = try session.open()
    if let agent = options["agent"] { arguments.set("agent_id", try AgentFinder.find(agent, in: plane)) }
    let answer = try plane.answer("tasks.list", arguments)
    if session.isJSON {
      session.printJSON(answer)
      return ExitCode.success
    }
    let page = try Value.parse(answer)
    var table = Table([
      Table.Column(heading: "ID", keepsWhole: true),
      Table.Column(heading: "STATUS", keepsWhole: true, style: Style.status),
      Table.Column(heading: "AGE", keepsWhole: true, style: { _ in .faint }), Table.Column(heading: "AGENT"),
      Table.Column(heading: "RESULT"),
    ])
    for task in page.member("items")?.items ?? [] {
      table.add([
        task.string("id") ?? "", task.string("status") ?? "", Time.age(task.string("updated_at")),
        task.string("agent_id") ?? "", task.string("result") ?? task.string("title") ?? "",
      ])
    }
    table.show()
    Paging.note(page, "tasks")
    return ExitCode.success
  }

  @Sendable private static func get(_ session: Session) throws(Failure) -> Int32 {
    try show("tasks.get", session)
  }

  @Sendable private static func stop(_ session: Session) throws(Failure) -> Int32 {
    try show("tasks.stop", session)
  }

  private static func show(_ operation: String, _ session: Session) throws(Failure) -> Int32 {
    let plane = try session.open()
    let answer = try plane.answer(operation, try Value.object("task_id", session.operand(0)))
    if session.isJSON {
      session.printJSON(answer)
      return ExitCode.success
    }
    let task = try Value.parse(answer)
    let status = task.string("status") ?? ""
    var sheet = Sheet()
    sheet.add("id", task.string("id"))
    sheet.add("agent", task.string("agent_id"))
    sheet.add("title", task.string("title"))
    sheet.add(
      "status", task.string("internal_status").map { "\(status) (\($0))" } ?? status, style: Style.status(status))
    sheet.add("started", Time.minute(task.string("started_at")))
    sheet.add("ended", Time.minute(task.string("finished_at")))
    if let tokens = task.member("tokens"), tokens.isObject { sheet.add("tokens", "\(tokens.integer("total_tokens"))") }
    sheet.add("input", task.member("input")?.string("text"))
    sheet.add("result", task.string("result"))
    if let question = PersonQuestion(of: task) {
      sheet.add("waits for", question.title, style: .warning)
      sheet.add("description", question.description)
      sheet.add("question", question.question)
      sheet.add("call", "\(question.tool) \(question.arguments)")
      sheet.add("request", question.request)
      sheet.add("answer with", question.answers)
    } else if status == "pending", let question = (try? PersonQuestion.find(session.operand(0), in: plane)) ?? nil {
      sheet.add("waits for", question.line, style: .warning)
    }
    let ended = task.member("finished_sub_executions")?.texts ?? []
    let below = task.member("sub_executions")?.texts ?? []
    sheet.add("sub-tasks", below.map { ended.contains($0) ? "\($0) (ended)" : $0 }.joined(separator: "\n"))
    sheet.show()
    return ExitCode.success
  }

  @Sendable private static func watch(_ session: Session) throws(Failure) -> Int32 {
    if session.isRemote {
      throw .usage("tasks watch needs a store; through a server, tasks get says how a task stands")
    }
    let arguments = try Value.object("task_id", session.operand(0))
    if let after = session.options["after"] { arguments.set("after", after) }
    let plane = try session.open()
    var printer = EventPrinter(session, session.operand(0), plane)
    return try printer.print(try EventReader.open("tasks.events", arguments, on: plane), following: session.operand(0))
  }

  @Sendable private static func thread(_ session: Session) throws(Failure) -> Int32 {
    let isFull = session.options.has("full")
    let answer = try session.open().answer(
      isFull ? "tasks.thread_full" : "tasks.thread", try Value.object("task_id", session.operand(0)))
    if session.isJSON {
      session.printJSON(answer)
      return ExitCode.success
    }
    let value = try Value.parse(answer)
    guard isFull else {
      show(value)
      return ExitCode.success
    }
    for (key, messages) in value.members {
      if key != "root" { Output.text("\ntask \(key)\n") }
      show(messages)
    }
    return ExitCode.success
  }

  private static func show(_ messages: Value) {
    var sheet = Sheet()
    for message in messages.items { sheet.add(message.string("role") ?? "", message.string("content") ?? "") }
    sheet.show()
  }

  @Sendable private static func replay(_ session: Session) throws(Failure) -> Int32 {
    let answer = try session.open().answer(
      "tasks.replay", try Value.object("task_id", session.operand(0)), timeoutMilliseconds: -1)
    let found = try Value.parse(answer)
    let isIdentical = found.flag("is_identical")
    if session.isJSON {
      session.printJSON(answer)
    } else {
      if let difference = found.member("difference"), difference.isObject {
        Output.text("record \(difference.integer("record")) of turn \(difference.integer("turn")) differs\n")
        Output.text("recorded: \(difference.member("recorded")?.text ?? "")\n")
        Output.text("made now: \(difference.member("made")?.text ?? "")\n")
      }
      if let problem = found.string("problem") { Output.text("problem: \(problem)\n") }
      Output.text(
        "\(isIdentical ? "identical" : "not identical"): \(found.integer("turns")) turns, "
          + "\(found.integer("records")) records, \(found.integer("compared")) of them compared\n")
    }
    return isIdentical ? ExitCode.success : ExitCode.damaged
  }

  // MARK: - Removing

  @Sendable private static func delete(_ session: Session) throws(Failure) -> Int32 {
    _ = try session.open().answer("tasks.delete", try Value.object("task_id", session.operand(0)))
    Output.note("removed \(session.operand(0))")
    return ExitCode.success
  }

  @Sendable private static func prune(_ session: Session) throws(Failure) -> Int32 {
    guard let length = session.options["older-than"] else { throw .usage("tasks prune needs --older-than") }
    guard let before = Time.moment(length, isPast: true) else {
      throw .usage("--older-than needs a number and s, m, h, d or w, not \(length)")
    }
    let body = try Value.object("before", before)
    guard let arguments = Value.object() else { throw .outOfMemory }
    let plane = try session.open()
    if let agent = session.options["agent"] { body.set("agent_id", try AgentFinder.find(agent, in: plane)) }
    arguments.set("body", body)
    let answer = try plane.answer("tasks.prune", arguments, timeoutMilliseconds: -1)
    if session.isJSON {
      session.printJSON(answer)
    } else {
      Output.text("\(try Value.parse(answer).integer("deleted")) tasks removed\n")
    }
    return ExitCode.success
  }
}
