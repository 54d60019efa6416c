import MusterJSON

/// The operations on the catalogue of providers. Source: the contract's chapter on providers of models.
enum ProviderOperations {
  static let all: [Operation] = [
    Operation(
      "llm_providers.list", "GET", "/v1/misc/llm_providers", "Lists the providers of models that an agent may name.",
      answer: "LLMProviders", handler: list),
    Operation(
      "llm_providers.models", "GET", "/v1/misc/llm_providers/{provider_identifier}/models",
      "Lists the featured models of a provider; an agent may name others.",
      parameters: [
        .init(
          "provider_identifier", .path, "The provider's internal_identifier.", #"{"type":"string","minLength":1}"#)
      ], answer: "LLMModels", handler: models),
  ]

  @Sendable private static func list(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    var writer = JSONWriter(capacity: 4096)
    writer.beginArray()
    for provider in ProviderCatalogue.providers {
      writer.beginObject()
      writer.member("id", provider["internal_identifier"])
      writer.member("name", provider["name"])
      writer.member("internal_identifier", provider["internal_identifier"])
      writer.member("logo", nil as JSON?)
      writer.member("description", provider["description"])
      writer.endObject()
    }
    writer.endArray()
    return .json(writer.bytes)
  }

  @Sendable private static func models(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    guard let provider = ProviderCatalogue.provider(call.string("provider_identifier") ?? "") else {
      throw .api(404, "LLM provider not found")
    }
    return .json(Array((provider["models"] ?? .literal("[]")).bytes))
  }
}
