/// A compiled JSON Schema (draft 2020-12, with `nullable` and boolean `exclusiveMinimum` of OpenAPI 3.0, and tuples
/// and `dependencies` of draft 7).
///
/// Compile once, check often, from any thread. Keywords that only describe are ignored; keywords that assert
/// something which is not checked here (`pattern`, `patternProperties`, `unevaluatedProperties`, `unevaluatedItems`,
/// dynamic and remote references) are refused by `compile`, so that no value passes unchecked. Checking takes time in
/// proportion to the value's size, and no depth of the caller's stack.
package struct JSONSchema: Sendable {
  /// The schema that was compiled is the first.
  let rules: [JSONSchemaRules]

  /// Compiles a schema and all that it refers to.
  ///
  /// A `$ref` is `#` or a pointer such as `#/$defs/Name`, from the schema in which it stands, or
  /// `#/components/schemas/Name`, looked up in `components` (an object of schemas by name). Inside a component, `#`
  /// is that component. Schemas that nothing refers to are not looked at.
  package static func compile(_ schema: JSON, components: JSON? = nil) throws(JSONSchemaError) -> JSONSchema {
    var compiler = JSONSchemaCompiler(root: schema, components: components)
    try compiler.run()
    return JSONSchema(rules: compiler.rules)
  }

  /// How the value breaks the schema: at most `limit` violations (at least one is looked for), in the order of the
  /// schema's properties and of the value's elements. Empty: the value is right.
  ///
  /// Alternatives (`anyOf`, `oneOf`) of which the value's type leaves only one are reported as that one: null or a
  /// string, given a string that is too long, is `tooLong`.
  package func violations(of value: JSON, limit: Int = 20) -> [JSONSchemaViolation] {
    violations(of: value, from: 0, limit: limit)
  }

  /// Whether the value is right.
  package func accepts(_ value: JSON) -> Bool { violations(of: value, limit: 1).isEmpty }

  func violations(of value: JSON, from node: Int, limit: Int) -> [JSONSchemaViolation] {
    if let simple = rules[node].simple, simple.accepts(value) { return [] }
    var validator = JSONSchemaValidator(rules: rules, value: value, limit: limit)
    return validator.run(from: node)
  }

  /// The schema as a document to walk through.
  package var root: JSONSchemaNode { JSONSchemaNode(schema: self, index: 0) }
}
