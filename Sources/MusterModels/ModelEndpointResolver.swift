package import MusterHTTP

/// Decides where an agent's model is asked, and with which key.
///
/// The rule above all others: a key of the plane (from the environment) is sent to the plane's own bases only, never
/// to one that an agent chose. Anybody who may edit an agent could read it there.
package enum ModelEndpointResolver {
  /// OpenAI itself.
  static let openAIBase = "https://api.openai.com/v1"
  /// What OpenAI's clients send to servers that want no key.
  static let noKey = "EMPTY"

  /// - Parameters:
  ///   - provider: the agent's `llm_model_provider`; `openai` and `openai_compatible` are served.
  ///   - agentBase: the agent's `llm_api_base`; nil or empty for none.
  ///   - agentKey: the value of the agent's own `llm_credentials`; nil or empty for none.
  ///   - extraHeaders: the agent's `llm_extra_headers`.
  ///   - ownDefault: the plane's `default_model`, if it has one.
  ///   - environment: looks up a variable; nil when it is unset or empty.
  package static func resolve(
    provider: String, agentBase: String?, agentKey: String?, extraHeaders: [HTTPHeader],
    ownDefault: (provider: String, base: String?)?, environment: (String) -> String?
  ) throws(ModelFailure) -> ModelEndpoint {
    guard provider == "openai" || provider == "openai_compatible" else {
      let name = ModelText.shortened(ModelText.oneLine(provider), to: 100)
      throw missing("the model provider \(name) is not served; openai and openai_compatible are")
    }
    let agentBase = agentBase ?? ""
    let agentKey = agentKey ?? ""
    let variableBase = environment("OPENAI_BASE_URL") ?? ""
    let defaultBase = ownDefault?.base ?? ""
    let base = try base(provider, agentBase, ownDefault?.provider == provider ? defaultBase : "", variableBase)
    try check(base, extraHeaders, provider)

    let isOwn = agentBase.isEmpty || [defaultBase, variableBase, openAIBase].contains { isSame($0, agentBase) }
    var key: String? = agentKey.isEmpty ? nil : agentKey
    if key == nil, !extraHeaders.contains(where: { $0.isNamed("Authorization") }) {
      let isVariableBase = !variableBase.isEmpty && isSame(variableBase, base)
      key = isOwn ? planeKey(provider, isVariableBase, environment) : nil
      if key == nil {
        guard provider != "openai" else { throw missing(noKeyMessage(provider, base, isOwn)) }
        key = noKey
      }
    }
    if let key, !HTTPText.isFieldValue(key) {
      throw missing("the key for \(provider) has a line break or another control character in it")
    }
    return ModelEndpoint(provider: provider, base: base, key: key, extraHeaders: extraHeaders, isOwn: isOwn)
  }

  private static func base(
    _ provider: String, _ agentBase: String, _ defaultBase: String, _ variableBase: String
  ) throws(ModelFailure) -> String {
    for base in [agentBase, defaultBase, variableBase] where !base.isEmpty { return base }
    guard provider != "openai" else { return openAIBase }
    throw missing(
      "the model provider \(provider) has no base URL: set llm_api_base of the agent, default_model.api_base of the"
        + " plane, or the variable OPENAI_BASE_URL")
  }

  private static func planeKey(
    _ provider: String, _ isVariableBase: Bool, _ environment: (String) -> String?
  ) -> String? {
    func value(_ name: String) -> String? {
      guard let value = environment(name), !value.isEmpty else { return nil }
      return value
    }
    if provider == "openai" { return value("AGENTS_OPENAI_API_KEY") ?? value("OPENAI_API_KEY") }
    // A key for OpenAI goes to another server only where the same environment names that server.
    return value("OPENAI_COMPATIBLE_API_KEY") ?? (isVariableBase ? value("OPENAI_API_KEY") : nil)
  }

  private static func noKeyMessage(_ provider: String, _ base: String, _ isOwn: Bool) -> String {
    guard !isOwn else {
      return
        "the model provider \(provider) has no key: set the variable OPENAI_API_KEY, or llm_credentials of the agent"
    }
    return
      "the model provider \(provider) has no key for \(HTTPURL.host(of: base)): set llm_credentials of the agent; the"
      + " key in OPENAI_API_KEY is not sent there, because the agent chose that base URL"
  }

  private static func check(_ base: String, _ headers: [HTTPHeader], _ provider: String) throws(ModelFailure) {
    do {
      try HTTPURL.check(base)
    } catch {
      throw missing("the base URL of \(provider) is not an absolute http or https URL: \(HTTPURL.shown(base))")
    }
    guard !base.utf8.contains(UInt8(ascii: "#")) else {
      throw missing("the base URL of \(provider) has a fragment: \(HTTPURL.shown(base))")
    }
    for header in headers {
      if let problem = header.problem { throw missing("llm_extra_headers for \(provider): \(problem)") }
    }
  }

  /// Whether two bases are the same but for slashes at their end. Anything less than that counts as another base.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    func trimmed(_ base: String) -> ArraySlice<UInt8> {
      var bytes = Array(base.utf8)[...]
      while bytes.last == UInt8(ascii: "/") { bytes = bytes.dropLast() }
      return bytes
    }
    return trimmed(left).elementsEqual(trimmed(right))
  }

  private static func missing(_ message: String) -> ModelFailure {
    ModelFailure(kind: .notConfigured, message: ModelText.oneLine(message))
  }
}
