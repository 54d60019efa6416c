/// The schemas of templates, as JSON text by name.
enum TemplateSchemas {
  static let all: [(name: String, text: String)] = [
    ("ExportAgent", request("The template to make.", icon: "The agent's if absent.")),
    ("ImportAgent", request("The agent to make from a template.", icon: "The template's if absent.")),
    ("AgentTemplate", template),
    ("AgentDefinition", definition),
  ]

  private static func request(_ description: String, icon: String) -> String {
    """
    {"type":"object","description":"\(description)","properties":{"name":{"type":"string","minLength":1},\
    "description":{"type":["string","null"]},"icon":{"type":["string","null"],"description":"\(icon)"},\
    "with_knowledge_bases":{"type":["boolean","null"],"default":true}},"required":["name"]}
    """
  }

  private static let template = """
    {"type":"object","description":"A snapshot of an agent that never changes. Who knows its id may import it.","properties":{\
    "id":{"type":"string"},"name":{"type":"string"},"icon":{"type":"string"},"description":{"type":["string","null"]},\
    "organization_id":{"type":["string","null"],"description":"The maker's; importers do not see it."},\
    "agent_definition":{"$ref":"#/components/schemas/AgentDefinition"}},"required":["id","name","icon"]}
    """

  private static let definition: String = {
    let members = AgentDefinition.properties.map { $0.member(withDefault: false) }.joined(separator: ",")
    return """
      {"type":"object","description":"An agent's configuration without credentials, addresses of models, organization and users.",\
      "properties":{"id":{"type":"string","description":"That of the agent that was exported."},"unique_name":{"type":["string","null"]},\
      \(members),"status":{"type":"string"},"version":{"type":"integer"},"custom_functions":{"type":"array"},\
      "connectors":{"type":"array"},"sub_agents":{"type":"array","items":{"$ref":"#/components/schemas/AgentDefinition"}},\
      "knowledge_bases":{"type":"array"}},"required":["id","name","custom_functions","connectors"]}
      """
  }()
}
