package import MusterEngine
package import MusterJSON

/// A tool of the host that an agent lists.
package struct AgentTool: Sendable, Equatable {
  package let name: String
  /// What the model is told of it in place of the tool's own description.
  package let description: String?
  /// What a person is told who has to approve each call, an object with `title` and `description`; nil: none has to.
  package let approval: JSON?
  /// What the agent changes about its arguments and answers.
  package var schemas: ToolSchemas?

  package static func == (one: AgentTool, other: AgentTool) -> Bool {
    one.name == other.name && one.description == other.description
      && isSame(one.approval, other.approval) && isSame(one.schemas?.json, other.schemas?.json)
  }

  private static func isSame(_ one: JSON?, _ other: JSON?) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return one.hasSameBytes(other)
  }

  /// The tools that an agent's document lists: in `tools` by name or as objects with a `name`, in `graph` as items of the type `tool` and the sub-type
  /// `local_tool`, whose `item_id` is the name. What is neither is left out here, and refused where a run begins.
  static func listed(tools: JSON?, graph: JSON?) -> [AgentTool] {
    var found: [AgentTool] = []
    func add(_ tool: AgentTool?) {
      if let tool, !found.contains(where: { $0.name == tool.name }) { found.append(tool) }
    }
    for item in graph?.elements ?? [] { add(ofGraph(item)) }
    for entry in tools?.elements ?? [] { add(ofList(entry)) }
    return found
  }

  /// An item of the graph, if it is a tool of the host.
  package static func ofGraph(_ item: JSON) -> AgentTool? {
    guard item["type"]?.isString("tool") == true, item["sub_type"]?.isString("local_tool") == true,
      let name = item["item_id"]?.string, !name.isEmpty
    else { return nil }
    let description = item["settings"]?["description"]?.string
    return AgentTool(
      name: name, description: description.flatMap { $0.isEmpty ? nil : $0 }, approval: approval(in: item),
      schemas: item["settings"]?.present("schemas").flatMap { ToolSchemas($0) })
  }

  static func approval(in item: JSON) -> JSON? {
    guard let options = item["settings"]?.present("hitl_options"), options.kind == .object, !options.isEmpty,
      options["enabled"]?.bool != false
    else { return nil }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("title", options["title"])
    writer.member("description", options["description"])
    writer.endObject()
    return writer.json
  }

  /// An entry of `tools`, if it is a tool of the host.
  package static func ofList(_ entry: JSON) -> AgentTool? {
    if let name = entry.string, !name.isEmpty { return AgentTool(name: name, description: nil, approval: nil) }
    // The documented service lists its own operations here, which have a method and a path.
    guard entry["sub_type"]?.isString("local_tool") == true, let name = entry["name"]?.string, !name.isEmpty else {
      return nil
    }
    return AgentTool(name: name, description: nil, approval: nil)
  }
}
