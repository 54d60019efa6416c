import MusterJSON
import MusterRuns

/// What invoking an agent needs to know of a version, read out of its document once. It holds no secrets.
struct PreparedAgent: Sendable {
  let configuration: AgentConfiguration
  private let outputFormat: JSON?
  private let type: JSON?
  private let provider: JSON
  /// The first field that asks for something that this version of Muster does not do.
  private let inactiveField: String?
  /// Why answers cannot be checked against its output schema.
  private let schemaFailure: Failure?

  init(document: JSON) {
    configuration = AgentConfiguration(document: document, secrets: nil)
    outputFormat = document["output_format"]?.detached
    type = document["type"]?.detached
    provider = document["model_provider"]?.detached ?? .null
    inactiveField = InactiveFields.agent.first(in: document) ?? InactiveTools.first(in: document)
    schemaFailure = PreparedAgent.problem(of: document["output_schema"]).map { error in
      error.kind == .unsupported
        ? PreparedAgent.unsupported(error) : .api(400, "output_schema of the agent: \(error.description)")
    }
  }

  /// Refuses a run of this version that asks for something that cannot be done.
  func check(_ request: JSON) throws(Failure) {
    // 501 for a documented field that does nothing yet.
    if let field = InactiveFields.invoke.first(in: request) ?? inactiveField { throw PreparedAgent.inactive(field) }
    if request["output_format"]?.isString("voice") ?? outputFormat?.isString("voice") ?? false {
      throw PreparedAgent.inactive("output_format")
    }
    if type?.isString("a2a") == true || type?.isString("curl") == true { throw PreparedAgent.inactive("type") }
    let requested = request["llm_model_provider"]
    let provider = requested ?? provider
    if !provider.isString("openai"), !provider.isString("openai_compatible") {
      throw PreparedAgent.inactive(requested == nil ? "model_provider" : "llm_model_provider")
    }
    if let team = configuration.team, !team.hasOrder {
      throw .api(400, "The agent cannot be run: the graph names no order of its agents")
    }
    // Schemas of the output have to be ones that can be checked.
    if let schemaFailure { throw schemaFailure }
    if let error = PreparedAgent.problem(of: request["output_schema"]) {
      if error.kind == .unsupported { throw PreparedAgent.unsupported(error) }
      throw .validation([.key("body"), .key("output_schema")], error.description, type: "value_error.schema")
    }
  }

  private static func inactive(_ field: String) -> Failure {
    .api(501, "\(field) has a value that does nothing in this version of Muster")
  }

  private static func unsupported(_ error: JSONSchemaError) -> Failure {
    .api(501, "output_schema: \(error.description)")
  }

  private static func problem(of schema: JSON?) -> JSONSchemaError? {
    guard let schema, schema.kind == .object, !schema.isEmpty else { return nil }
    do throws(JSONSchemaError) {
      _ = try JSONSchema.compile(schema, components: nil)
      return nil
    } catch {
      return error
    }
  }
}
