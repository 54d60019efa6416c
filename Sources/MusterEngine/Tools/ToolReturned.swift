package import MusterJSON

/// What came of a tool's call.
package struct ToolReturned: Sendable {
  /// Which of the calls that the model asked for last, from 0.
  package let call: Int
  /// Any JSON value.
  package let result: JSON
  package let isError: Bool
  /// What the sub-task used up that the call was; nil: it was none.
  package let usage: Usage?

  package init(call: Int, result: JSON, isError: Bool, usage: Usage? = nil) {
    self.usage = usage
    self.call = call
    self.result = result
    self.isError = isError
  }

  package init(_ body: JSON) throws(UnreadableRecord) {
    guard let number = body["call"]?.int64, let call = Int(exactly: number), let result = body["result"] else {
      throw UnreadableRecord(what: "result of a tool")
    }
    self.init(
      call: call, result: result, isError: body["is_error"]?.bool ?? false,
      usage: body.present("usage").map { Usage($0) })
  }

  var json: JSON {
    var writer = JSONWriter(capacity: result.bytes.count &+ 48)
    writer.beginObject()
    writer.member("call", Int64(call))
    writer.member("result", result)
    if isError { writer.member("is_error", true) }
    if let usage {
      writer.key("usage")
      usage.write(to: &writer)
    }
    writer.endObject()
    return writer.json
  }

  /// The result as the model is told it, a JSON string: a string as it is, anything else as its text.
  package var content: JSON {
    if result.kind == .string { return result }
    var writer = JSONWriter(capacity: result.bytes.count &+ 16)
    writer.value(utf8: Array(result.bytes))
    return writer.json
  }
}
