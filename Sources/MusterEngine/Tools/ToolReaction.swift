import MusterJSON

/// What is made of an answer that asks for tools.
struct ToolReaction {
  let run: Run

  /// One command for each call, or the end of the run.
  func commands(for answer: ModelAnswered) -> [Command] {
    guard let beginning = run.beginning else { return [] }
    let limits = beginning.limits
    let made = run.toolCalls &+ Int64(answer.calls.count)
    if let most = limits.toolCalls, made > most {
      return [Run.exceeded("tool_calls", "The run used up the \(most) calls of tools that it may make.")]
    }
    if let most = limits.inputTokens, sum(run.promptTokens, answer.promptTokens) > most {
      return [Run.exceeded("input_tokens", "The run used up the \(most) tokens that it may give the model.")]
    }
    if let most = limits.outputTokens, sum(run.completionTokens, answer.completionTokens) > most {
      return [Run.exceeded("output_tokens", "The run used up the \(most) tokens that the model may give it.")]
    }
    var commands: [Command] = []
    var refused = run.refusedCalls
    for (index, request) in answer.calls.enumerated() {
      let command = command(index, request, number: run.toolCalls &+ Int64(index), beginning)
      if case .refuseCall(_, let refusal, _) = command, refusal != .limit { refused &+= 1 }
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

  private func sum(_ one: Int64?, _ other: Int64?) -> Int64 { (one ?? 0) &+ (other ?? 0) }

  private func command(_ index: Int, _ request: ToolRequest, number: Int64, _ beginning: Beginning) -> Command {
    if let most = beginning.limits.toolCallsAnswered, number >= most {
      return .refuseCall(
        call: index, .limit,
        problem: "The tool was not called: no more than \(most) calls of tools are made. Answer without them.")
    }
    guard let tool = beginning.tools?.tool(request.name) else {
      let names = (beginning.tools?.tools ?? []).map { $0.name }.joined(separator: ", ")
      return .refuseCall(
        call: index, .unknown, problem: "There is no tool named \(request.name). The tools are: \(names).")
    }
    if let problem = ArgumentCheck.problem(with: request, of: tool) {
      return .refuseCall(call: index, .arguments, problem: problem)
    }
    return .callTool(call: index)
  }
}
