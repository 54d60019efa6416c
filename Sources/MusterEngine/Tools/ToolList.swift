package import MusterJSON

/// The tools of a turn. One object that turns share.
package final class ToolList: Sendable {
  package let tools: [ToolDeclaration]
  /// As journals hold it.
  package let json: JSON

  package init(_ tools: [ToolDeclaration]) {
    self.tools = tools
    var writer = JSONWriter(capacity: 256 &* tools.count)
    writer.beginArray()
    for tool in tools { tool.write(to: &writer) }
    writer.endArray()
    json = writer.json
  }

  /// Reads it back.
  package init(_ json: JSON) throws(UnreadableRecord) {
    guard json.kind == .array else { throw UnreadableRecord(what: "tools of a turn") }
    var tools: [ToolDeclaration] = []
    for element in json.elements { tools.append(try ToolDeclaration(element)) }
    self.tools = tools
    self.json = json
  }

  package func tool(_ name: String) -> ToolDeclaration? { tools.first { $0.name == name } }
}
