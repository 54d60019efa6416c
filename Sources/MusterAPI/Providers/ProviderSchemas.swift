/// The schemas of the catalogue of providers, as JSON text by name.
enum ProviderSchemas {
  static let all: [(name: String, text: String)] = [
    ("LLMProvider", provider),
    ("LLMModel", model),
    ("LLMProviders", ##"{"type":"array","items":{"$ref":"#/components/schemas/LLMProvider"}}"##),
    ("LLMModels", ##"{"type":"array","items":{"$ref":"#/components/schemas/LLMModel"}}"##),
  ]

  private static let provider = """
    {"type":"object","description":"A provider of models.","properties":{"id":{"type":"string"},"name":{"type":"string"},\
    "internal_identifier":{"type":"string","description":"What an agent's model_provider names."},"logo":{"type":["string",\
    "null"]},"description":{"type":["string","null"]}},"required":["id","name","internal_identifier","logo","description"]}
    """

  private static let model = """
    {"type":"object","description":"A featured model; an agent may name others.","properties":{"model_id":{"type":"string",\
    "description":"What an agent's model_name names."},"display_name":{"type":["string","null"]},"tier":{"type":["integer",\
    "null"],"description":"1: standard; higher: premium."},"description":{"type":["string","null"]}},"required":["model_id",\
    "display_name","tier","description"]}
    """
}
