import MusterEngine
import MusterHTTP
import MusterJSON
import MusterStore

/// Writes the beginning of a turn that goes on in another task: the recorded one with what the fork changes. What it does
/// not change, also what this version does not know, stays as it was.
enum ForkedBeginning {
  static func body(
    of point: ForkPoint, _ change: ForkChange, _ invocation: Invocation, price: (String) throws(RunError) -> Price?
  ) throws(RunError) -> JSON {
    let recorded = JSON.trusted(point.first.body)
    var replaced = ["request", "detached", "network", "forked_at"]
    if change.changesModel { replaced += ["model", "price"] }
    if change.changesInstructions { replaced += ["system", "system_record"] }
    var writer = JSONWriter(capacity: recorded.bytes.count &+ invocation.request.bytes.count &+ 256)
    writer.beginObject()
    for member in recorded.members where !replaced.contains(where: { member.lexeme.isString($0) }) {
      writer.key(member.lexeme)
      writer.value(member.value)
    }
    writer.member("request", invocation.request)
    if change.changesModel {
      let model = TurnBuilder.model(of: invocation)
      write(model, to: &writer)
      if let price = try price(model.name) {
        writer.key("price")
        price.write(to: &writer)
      }
    }
    if change.changesInstructions {
      let text = SystemPrompt.text(
        invocation.agent, request: invocation.request, format: point.beginning.format, schema: point.beginning.schema)
      if let text { writer.member("system", text) }
    }
    // Nobody's call waits for it, and its addresses are those that its own caller may ask.
    writer.member("detached", true)
    writer.member("forked_at", point.sequence)
    writer.member("network", invocation.network.text)
    writer.endObject()
    return writer.json
  }

  private static func write(_ model: TurnBuilder.Model, to writer: inout JSONWriter) {
    writer.key("model")
    writer.beginObject()
    writer.member("provider", model.provider)
    writer.member("name", model.name)
    writer.member("host", model.host)
    writer.member("reasoning_effort", model.reasoningEffort)
    writer.endObject()
  }
}
