package import MusterEngine
import MusterJSON
package import MusterStore

/// Finds the calls of tools, with what came of them, among the records of a task, which it is given in their order.
package struct ToolTraffic {
  /// A call that has a result.
  package struct Call: Sendable {
    /// The id of the call.
    package let id: String
    package let request: ToolRequest
    /// The agent that was started; nil: it was a tool.
    package let agent: String?
    package let returned: ToolReturned
  }

  private var calls: OpenCalls?
  private var tools: ToolList?

  package init() {}

  /// The call whose result a record is; nil when it is none.
  package mutating func take(_ record: JournalRecord) throws(RunError) -> Call? {
    switch try JournalCoding.event(record) {
    case .began(let beginning):
      tools = beginning.tools ?? (beginning.toolsRecord == nil ? nil : tools)
      calls = beginning.team?.calls(sequence: record.sequence)
    case .modelAnswered(let answer):
      calls = OpenCalls(sequence: record.sequence, requests: answer.calls, key: answer.key ?? "")
    case .toolReturned(let returned):
      guard let calls, calls.requests.indices.contains(returned.call) else { return nil }
      let request = calls.requests[returned.call]
      return Call(
        id: calls.id(returned.call), request: request, agent: tools?.tool(request.name)?.agent, returned: returned)
    default: break
    }
    return nil
  }
}
