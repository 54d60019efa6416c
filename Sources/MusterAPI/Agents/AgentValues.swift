import MusterJSON

/// The values of an agent's documented properties, on their way into its document.
struct AgentValues {
  /// By their places in `AgentProperty.all`; a property without a value has its default, or is not shown.
  var placed = JSONPlacedValues()
  /// The members that the body's schema does not know, in their order.
  let unknown: [JSON.Member]

  /// The places of some properties in `AgentProperty.all`.
  struct Slots: Sendable {
    let id = Slots.slot("id")
    let uniqueName = Slots.slot("unique_name")
    let name = Slots.slot("name")
    let organizationID = Slots.slot("organization_id")
    let originTemplate = Slots.slot("origin_template")
    let createdBy = Slots.slot("created_by")
    let createdAt = Slots.slot("created_at")
    let modelProvider = Slots.slot("model_provider")
    let modelName = Slots.slot("model_name")
    let webhookURL = Slots.slot("webhook_url")
    /// Where secrets may be.
    let secrets = AgentSecrets.keys.map { Slots.slot($0) }
    /// Those that the body of a new agent may have, in the order of its schema.
    let settable = AgentProperty.all.indices.filter { AgentProperty.all[$0].access != .managed }

    private static func slot(_ name: String) -> Int {
      AgentProperty.all.firstIndex { $0.name == name } ?? AgentProperty.all.count
    }
  }

  static let slots = Slots()

  /// Takes the body of a new agent.
  init(given body: JSONFilling) {
    let settable = AgentValues.slots.settable
    for entry in body.values.entries where entry.place < settable.count { placed[settable[entry.place]] = entry.value }
    unknown = body.others
  }
}
