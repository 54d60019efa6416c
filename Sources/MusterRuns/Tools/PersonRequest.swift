package import MusterEngine
package import MusterJSON

/// What a task that is paused asks people: the first of its calls that waits for a decision.
package struct PersonRequest: Sendable {
  /// Which of the calls it is.
  package let call: Int
  /// The id of the call.
  package let id: String
  package let request: ToolRequest
  package let question: Command.Question
  /// What the agent says of approvals for the tool, an object with `title` and `description`.
  package let approval: JSON?

  /// - Parameter id: of the call; nil: the first that waits.
  init?(_ run: Run, id: String? = nil) {
    guard case .calling(let calls) = run.phase else { return nil }
    for index in calls.requests.indices {
      guard case .askPerson(_, let question)? = calls.command(index), id == nil || id == calls.id(index) else {
        continue
      }
      call = index
      self.id = calls.id(index)
      request = calls.requests[index]
      self.question = question
      approval = run.beginning?.tools?.tool(request.name)?.approval
      return
    }
    return nil
  }
}
