import MusterHTTP
import MusterModels
import Testing

@Suite("Where a model is asked, and with which key")
struct ModelEndpointResolverTests {
  /// What an agent and a plane say.
  struct Setting {
    var provider = "openai"
    var base: String?
    var key: String?
    var headers: [HTTPHeader] = []
    var ownDefault: (provider: String, base: String?)?
    var environment: [String: String] = [:]

    func resolve() throws(ModelFailure) -> ModelEndpoint {
      try ModelEndpointResolver.resolve(
        provider: provider, agentBase: base, agentKey: key, extraHeaders: headers, ownDefault: ownDefault,
        environment: { environment[$0] })
    }

    func failure() -> ModelFailure? {
      do {
        _ = try resolve()
        return nil
      } catch {
        return error
      }
    }
  }

  static let keys = [
    "AGENTS_OPENAI_API_KEY": "plane-agents-key", "OPENAI_API_KEY": "plane-openai-key",
    "OPENAI_COMPATIBLE_API_KEY": "plane-compatible-key",
  ]
  static let foreign = [
    "https://evil.example/v1", "https://api.openai.com.evil.example/v1", "https://api.openai.com@evil.example/v1",
    "http://api.openai.com/v1", "https://api.openai.com/v2", "https://api.openai.com/v1?x=",
    "https://api.openai.com/v1/../v1",
    "https://API.openai.com/v1", "https://api.openai.com:443/v1", "https://own.example/v1x", "https://variable.example",
    "https://own.example/v1//x",
  ]

  // MARK: - The base

  @Test("OpenAI is asked where it lives, if nobody says otherwise")
  func openAI() throws {
    let endpoint = try Setting(environment: ["OPENAI_API_KEY": "k"]).resolve()
    #expect(endpoint.base == "https://api.openai.com/v1")
    #expect(endpoint.provider == "openai")
    #expect(endpoint.key == "k")
  }

  @Test(
    "the agent's base comes first, then the plane's for this provider, then the variable",
    arguments: ["openai", "openai_compatible"])
  func order(provider: String) throws {
    var setting = Setting(provider: provider, base: "https://agent.example/v1", key: "k")
    setting.ownDefault = (provider, "https://own.example/v1")
    setting.environment = ["OPENAI_BASE_URL": "https://variable.example/v1"]
    #expect(try setting.resolve().base == "https://agent.example/v1")
    setting.base = ""
    #expect(try setting.resolve().base == "https://own.example/v1")
    setting.ownDefault = ("another", "https://own.example/v1")
    #expect(try setting.resolve().base == "https://variable.example/v1")
    setting.ownDefault = (provider, nil)
    #expect(try setting.resolve().base == "https://variable.example/v1")
  }

  @Test("a compatible provider without a base names what to set")
  func noBase() throws {
    let failure = try #require(Setting(provider: "openai_compatible", key: "k").failure())
    #expect(failure.kind == .notConfigured)
    for word in ["openai_compatible", "default_model.api_base", "llm_api_base", "OPENAI_BASE_URL"] {
      #expect(failure.message.contains(word))
    }
  }

  @Test(
    "a base that is no http or https URL is refused",
    arguments: [
      "ftp://h/v1", "file:///v1", "h/v1", "https://", "http://h/v 1", "http://h/\r\nx", "http://h/v1#x", "javascript:1",
    ])
  func badBase(base: String) throws {
    let failure = try #require(Setting(base: base, key: "k").failure())
    #expect(failure.kind == .notConfigured)
    #expect(!failure.message.utf8.contains { $0 < 0x20 })
  }

  @Test("other providers are not served", arguments: ["anthropic", "", "OpenAI", "openai\n"])
  func otherProvider(provider: String) throws {
    let failure = try #require(Setting(provider: provider, key: "k").failure())
    #expect(failure.kind == .notConfigured)
    #expect(failure.message.contains("openai_compatible"))
    #expect(!failure.message.utf8.contains { $0 < 0x20 })
  }

  // MARK: - The key

  @Test(
    "a key of the plane never goes to a base that an agent chose", arguments: foreign, ["openai", "openai_compatible"])
  func foreignBase(base: String, provider: String) throws {
    var setting = Setting(provider: provider, base: base, environment: ModelEndpointResolverTests.keys)
    setting.environment["OPENAI_BASE_URL"] = "https://variable.example/v1"
    setting.ownDefault = (provider, "https://own.example/v1")
    if provider == "openai" {
      let failure = try #require(setting.failure())
      #expect(failure.kind == .notConfigured)
      #expect(failure.message.contains("is not sent"))
      for word in ["openai", "OPENAI_API_KEY", "llm_credentials"] { #expect(failure.message.contains(word)) }
      #expect(!failure.message.contains("plane-"))
    } else {
      #expect(try setting.resolve().key == "EMPTY")
    }
    setting.headers = [HTTPHeader("Authorization", "Bearer mine")]
    #expect(try setting.resolve().key == nil)
    setting.key = "own"
    #expect(try setting.resolve().key == "own")
  }

  @Test(
    "a base of the plane that an agent repeats is still the plane's, whatever slash it ends with",
    arguments: [
      "https://api.openai.com/v1", "https://api.openai.com/v1/", "https://own.example/v1", "https://own.example/v1/",
      "https://variable.example/v1", "https://variable.example/v1/",
    ])
  func ownBase(base: String) throws {
    var setting = Setting(base: base, environment: ModelEndpointResolverTests.keys)
    setting.environment["OPENAI_BASE_URL"] = "https://variable.example/v1/"
    setting.ownDefault = ("openai_compatible", "https://own.example/v1")
    #expect(try setting.resolve().key == "plane-agents-key")
    setting.provider = "openai_compatible"
    #expect(try setting.resolve().key == "plane-compatible-key")
  }

  @Test("for OpenAI the agent's key comes first, then the plane's two variables")
  func openAIKeys() throws {
    var setting = Setting(key: "own", environment: ModelEndpointResolverTests.keys)
    #expect(try setting.resolve().key == "own")
    setting.key = ""
    #expect(try setting.resolve().key == "plane-agents-key")
    setting.environment["AGENTS_OPENAI_API_KEY"] = ""
    #expect(try setting.resolve().key == "plane-openai-key")
    setting.environment = ["OPENAI_COMPATIBLE_API_KEY": "x"]
    let failure = try #require(setting.failure())
    #expect(failure.kind == .notConfigured)
    for word in ["openai", "OPENAI_API_KEY", "llm_credentials"] { #expect(failure.message.contains(word)) }
    #expect(!failure.message.contains("is not sent"))
  }

  @Test("OpenAI's key goes to a compatible server only if the environment names that server too")
  func compatibleKeys() throws {
    var setting = Setting(provider: "openai_compatible", environment: ["OPENAI_API_KEY": "plane-openai-key"])
    setting.ownDefault = ("openai_compatible", "https://own.example/v1")
    #expect(try setting.resolve().key == "EMPTY")
    setting.ownDefault = nil
    setting.environment["OPENAI_BASE_URL"] = "https://variable.example/v1"
    #expect(try setting.resolve().key == "plane-openai-key")
    setting.environment["OPENAI_COMPATIBLE_API_KEY"] = "plane-compatible-key"
    #expect(try setting.resolve().key == "plane-compatible-key")
    setting.base = "https://agent.example/v1"
    #expect(try setting.resolve().key == "EMPTY")
  }

  @Test(
    "an authorization among the extra headers is enough, and then no key of the plane is used",
    arguments: ["openai", "openai_compatible"])
  func authorization(provider: String) throws {
    var setting = Setting(
      provider: provider, headers: [HTTPHeader("authorization", "Basic x"), HTTPHeader("X-A", "b")])
    setting.environment = ModelEndpointResolverTests.keys
    setting.environment["OPENAI_BASE_URL"] = "https://variable.example/v1"
    let endpoint = try setting.resolve()
    #expect(endpoint.key == nil)
    #expect(endpoint.extraHeaders == setting.headers)
  }

  @Test("a key or header that cannot be sent is refused without being shown")
  func unsendable() throws {
    let settings = [
      Setting(key: "secret\r\nX: y"), Setting(key: "k", headers: [HTTPHeader("X-A", "secret\nb")]),
      Setting(key: "k", headers: [HTTPHeader("Content-Length", "5")]),
      Setting(key: "k", headers: [HTTPHeader("X A", "secret")]),
    ]
    for setting in settings {
      let failure = try #require(setting.failure())
      #expect(failure.kind == .notConfigured)
      #expect(!failure.message.contains("secret"))
    }
  }

  @Test("an endpoint that is printed shows neither key nor headers")
  func printed() {
    let endpoint = endpoint("https://u:p@api.example.com/v1", headers: [HTTPHeader("X-Key", "abcdef")])
    #expect("\(endpoint)" == "openai at api.example.com")
  }
}
