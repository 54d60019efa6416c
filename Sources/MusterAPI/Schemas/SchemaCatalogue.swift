import MusterJSON

/// All schemas of the operation table, as a JSON object of components, and compiled by name.
enum SchemaCatalogue {
  /// The components as the OpenAPI document and the build information show them.
  static let components: JSON = {
    var text = "{"
    let all =
      AgentSchemas.all + TemplateSchemas.all + TaskSchemas.all + ProviderSchemas.all + KeySchemas.all
      + StoreSchemas.all + SharedSchemas.all
    for (index, schema) in all.enumerated() {
      if index > 0 { text += "," }
      text += "\"\(schema.name)\":\(schema.text)"
    }
    text += "}"
    do throws(JSONError) {
      return try JSON.parse(Array(text.utf8))
    } catch {
      // A test parses every schema; this is never reached.
      return .literal("{}")
    }
  }()

  /// A schema by the name of its component.
  static func compiled(_ name: String) -> JSONSchema? {
    compile(.trusted(Array(##"{"$ref":"#/components/schemas/\##(name)"}"##.utf8)))
  }

  /// A schema that may refer to the components.
  static func compile(_ schema: JSON) -> JSONSchema? {
    do throws(JSONSchemaError) {
      return try JSONSchema.compile(schema, components: components)
    } catch {
      return nil
    }
  }
}
