import MusterJSON

/// Reads and changes the references from an agent's graph to other agents.
enum TemplateGraph {
  /// The agent that an item of a graph stands for; nil when it stands for something else.
  private static func agent(of item: JSON) -> String? {
    item["type"]?.isString("agent") == true ? item["item_id"]?.string : nil
  }

  /// The ids of the agents that a document's graph refers to, each once.
  static func agents(in document: JSON) -> [String] {
    var found: [String] = []
    var seen: Set<String> = []
    for item in document["graph"]?.elements ?? [] {
      if let id = agent(of: item), seen.insert(id).inserted { found.append(id) }
    }
    return found
  }

  /// The graph without the items of these agents, and without the ways that lead to them.
  static func dropping(_ lost: Set<String>, from graph: JSON) -> JSON {
    if lost.isEmpty { return graph }
    let isLost = { (item: JSON) in agent(of: item).map { lost.contains($0) } ?? false }
    var gone = lost
    for item in graph.elements where isLost(item) {
      if let id = item["id"]?.string { gone.insert(id) }
    }
    var writer = JSONWriter(capacity: graph.bytes.count)
    writer.beginArray()
    for item in graph.elements where !isLost(item) {
      writer.value(changingTargets(item) { gone.contains($0) ? nil : $0 })
    }
    writer.endArray()
    return writer.json
  }

  /// A definition with its graph and its source nodes leading to the new agents.
  static func replacing(_ ids: [String: String], in definition: JSON) -> JSON {
    var changes: [(key: String, value: JSON)] = []
    for key in ["graph", "source_nodes"] {
      guard let list = definition[key], list.kind == .array else { continue }
      var writer = JSONWriter(capacity: list.bytes.count)
      writer.beginArray()
      for item in list.elements {
        var item = changingTargets(item) { ids[$0] ?? $0 }
        if let id = agent(of: item), let new = ids[id] { item = item.setting([("item_id", .string(new))]) }
        writer.value(item)
      }
      writer.endArray()
      changes.append((key, writer.json))
    }
    return definition.setting(changes)
  }

  /// An item with other targets; a target becomes nothing where `change` gives nil.
  private static func changingTargets(_ item: JSON, _ change: (String) -> String?) -> JSON {
    guard let targets = item["targets"], targets.kind == .array, !targets.isEmpty else { return item }
    var writer = JSONWriter(capacity: targets.bytes.count)
    writer.beginArray()
    for target in targets.elements {
      if let text = target.string, let changed = change(text) { writer.value(changed) }
    }
    writer.endArray()
    return item.setting([("targets", writer.json)])
  }
}
