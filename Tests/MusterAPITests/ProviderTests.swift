import MusterJSON
import Testing

@testable import MusterAPI

@Suite("The catalogue of providers")
struct ProviderTests {
  @Test("it has each provider that an agent may name, once, and no other")
  func providers() throws {
    let listed = try Bench().call("llm_providers.list").elements
    #expect(listed.compactMap { $0["internal_identifier"]?.string }.sorted() == AgentSchemas.providers.sorted())
    for provider in listed {
      #expect(provider.keys == ["id", "name", "internal_identifier", "logo", "description"])
      #expect(SchemaCatalogue.compiled("LLMProvider")?.accepts(provider) == true)
    }
  }

  @Test("the models of each provider have ids of their own, and match their schema")
  func models() throws {
    let bench = try Bench()
    for identifier in AgentSchemas.providers {
      let models = try bench.call("llm_providers.models", #"{"provider_identifier":"\#(identifier)"}"#)
      #expect(SchemaCatalogue.compiled("LLMModels")?.accepts(models) == true)
      let ids = models.elements.compactMap { $0["model_id"]?.string }
      #expect(Set(ids).count == models.elements.count)
    }
    let openai = try bench.call("llm_providers.models", #"{"provider_identifier":"openai"}"#)
    #expect(openai.elements.contains { $0["model_id"]?.string == "gpt-4.1" })
  }

  @Test("an unknown provider is not found")
  func unknown() throws {
    let failure = try Bench().failure("llm_providers.models", #"{"provider_identifier":"acme"}"#)
    #expect(failure.httpStatus == 404)
    #expect(text(failure.document) == #"{"detail":"LLM provider not found"}"#)
  }
}
