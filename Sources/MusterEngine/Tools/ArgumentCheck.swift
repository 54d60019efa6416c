import MusterJSON

/// Whether the arguments that a model wrote fit the tool: if not, they go back to it and never reach the tool.
enum ArgumentCheck {
  /// What is wrong with a call, in words for the model; nil: nothing.
  static func problem(with request: ToolRequest, of tool: ToolDeclaration) -> String? {
    let text = request.arguments.utf8 ?? []
    // A tool without parameters is called without any by many models.
    if text.isEmpty { return problem(with: .literal("{}"), of: tool) }
    let value: JSON
    do throws(JSONError) {
      value = try JSON.parse(text)
    } catch {
      return told("The arguments are not valid JSON: \(error.description).", tool)
    }
    guard value.kind == .object else { return told("The arguments are not a JSON object.", tool) }
    return problem(with: value, of: tool)
  }

  private static func problem(with value: JSON, of tool: ToolDeclaration) -> String? {
    let compiled: JSONSchema
    do throws(JSONSchemaError) {
      if let schema = tool.schema {
        compiled = schema
      } else {
        compiled = try JSONSchema.compile(tool.parameters, components: nil)
      }
    } catch {
      // It was compiled when the tool was registered.
      return "The parameters of the tool cannot be checked: \(error.description)."
    }
    if let place = tool.schemas?.blocked(in: value) { return told("The argument \(place) cannot be given.", tool) }
    let violations = compiled.violations(of: value, limit: 4)
    if violations.isEmpty { return nil }
    var lines = "The arguments do not fit the tool."
    for violation in violations {
      lines += violation.pointer.isEmpty ? " \(violation.message)." : " At \(violation.pointer): \(violation.message)."
    }
    return told(lines, tool)
  }

  private static func told(_ problem: String, _ tool: ToolDeclaration) -> String {
    let schema = String(decoding: tool.parameters.bytes, as: UTF8.self)
    return "\(problem) The tool was not called. Call it again with arguments of this JSON Schema: \(schema)"
  }
}
