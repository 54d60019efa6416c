package import MusterJSON

/// A tool that a model asks for, as it asked. Whether there is such a tool, and whether the arguments fit it, is another question.
package struct ToolRequest: Sendable {
  /// The model's own name for the call.
  package let id: String
  package let name: String
  /// The text of the arguments as the model wrote it, a JSON string.
  package let arguments: JSON
  /// What else belongs to the call and only the model understands, an object; kept verbatim.
  package let opaque: JSON?

  package init(id: String, name: String, arguments: JSON, opaque: JSON?) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.opaque = opaque
  }

  package init(_ json: JSON) throws(UnreadableRecord) {
    guard let id = json["id"]?.string, let name = json["name"]?.string, let arguments = json["arguments"],
      arguments.kind == .string
    else { throw UnreadableRecord(what: "call of a tool") }
    self.init(id: id, name: name, arguments: arguments, opaque: json.present("opaque"))
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", id)
    writer.member("name", name)
    writer.member("arguments", arguments)
    writer.memberIfPresent("opaque", opaque)
    writer.endObject()
  }

  /// Requests as a JSON array.
  static func write(_ requests: [ToolRequest], to writer: inout JSONWriter) {
    writer.beginArray()
    for request in requests { request.write(to: &writer) }
    writer.endArray()
  }

  /// Reads requests back.
  package static func requests(_ json: JSON?) throws(UnreadableRecord) -> [ToolRequest] {
    var requests: [ToolRequest] = []
    for element in json?.elements ?? [] { requests.append(try ToolRequest(element)) }
    return requests
  }
}
