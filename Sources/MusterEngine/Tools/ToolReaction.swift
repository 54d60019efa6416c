import MusterJSON

/// What is made of an answer that asks for tools.
struct ToolReaction {
  let run: Run

  /// One command for each call, or the end of the run.
  func commands(for answer: ModelAnswered) -> [Command] {
    guard let beginning = run.beginning else { return [] }
    let limits = beginning.limits
    let made = run.usage.toolCalls &+ Int64(answer.calls.count)
    if let most = limits.toolCalls, made > most {
      return [Run.exceeded("tool_calls", "The run used up the \(most) calls of tools that it may make.")]
    }
    if let tooDeep = Run.tooDeep(beginning),
      answer.calls.contains(where: { beginning.tools?.tool($0.name)?.agent != nil })
    {
      return [tooDeep]
    }
    var commands: [Command] = []
    var refused = run.refusedCalls
    for (index, request) in answer.calls.enumerated() {
      let command = command(index, request, number: run.toolCalls &+ Int64(index), beginning)
      if case .answerCall(_, let reason, _) = command, reason != .limit { refused &+= 1 }
      commands.append(command)
    }
    if refused > beginning.toolRepairs {
      return [
        .finish(
          .init(
            status: .failed, internalStatus: "tool_arguments",
            result: "The model asked for tools in a way that could not be followed, \(refused) times."))
      ]
    }
    return commands
  }

  private func command(_ index: Int, _ request: ToolRequest, number: Int64, _ beginning: Beginning) -> Command {
    if let most = beginning.limits.toolCallsAnswered, number >= most {
      return .answerCall(
        call: index, .limit,
        text: "The tool was not called: no more than \(most) calls of tools are made. Answer without them.")
    }
    if beginning.team?.kind == .sequence {
      return .answerCall(call: index, .unknown, text: "No more agents can be asked. Answer without them.")
    }
    guard let tool = beginning.tools?.tool(request.name) else {
      let names = (beginning.tools?.tools ?? []).map { $0.name }.joined(separator: ", ")
      return .answerCall(
        call: index, .unknown, text: "There is no tool named \(request.name). The tools are: \(names).")
    }
    if let problem = ArgumentCheck.problem(with: request, of: tool) {
      return .answerCall(call: index, .arguments, text: problem)
    }
    return tool.approval != nil ? .askPerson(call: index, .approval) : .callTool(call: index, .first)
  }

  /// What is to be done about the calls of a run that was interrupted: what may be done again is done again, and what may
  /// have been done is asked about.
  func commands(resuming calls: OpenCalls) -> [Command] {
    calls.requests.indices.compactMap { index in
      guard case .callTool? = calls.command(index), calls.isTakenUp[index] else { return calls.command(index) }
      guard let tool = run.beginning?.tools?.tool(calls.requests[index].name) else {
        return .askPerson(call: index, .outcome)
      }
      switch tool.effect {
      case .none, .idempotent: return .callTool(call: index, .again)
      case .once: return tool.hasProbe ? .callTool(call: index, .probe) : .askPerson(call: index, .outcome)
      }
    }
  }

  /// What follows from a person's decision.
  func commands(for decision: Decision, _ calls: OpenCalls) -> [Command] {
    guard case .askPerson(let call, let question)? = calls.command(decision.call) else { return [] }
    let comment = decision.comment.map { ": \($0)" } ?? "."
    switch decision.answer {
    case .proceed: return [.callTool(call: call, question == .approval ? .first : .again)]
    case .decline:
      return [.answerCall(call: call, .declined, text: "A person declined this call\(comment)")]
    case .done: return [.answerCall(call: call, .done, text: decision.comment ?? "done")]
    case .giveUp:
      return [
        .finish(.init(status: .failed, internalStatus: "given_up", result: "A person ended the run\(comment)"))
      ]
    }
  }
}
