package import MusterJSON

/// Describes the REST service in the form of OpenAPI 3.1, from the table of operations.
package enum OpenAPIDocument {
  /// The document of this build; made once.
  package static let json: JSON = make(OperationTable.all)

  static func make(_ operations: [Operation]) -> JSON {
    var writer = JSONWriter(capacity: 1 << 17)
    writer.beginObject()
    writer.member("openapi", "3.1.0")
    writeInformation(to: &writer)
    writer.member("servers", .literal(#"[{"url":"/","description":"The address that this document comes from."}]"#))
    writer.member("security", .literal(#"[{"APIKeyHeader":[]}]"#))
    writeTags(operations, to: &writer)
    writer.key("paths")
    writer.beginObject()
    for path in paths(operations) {
      writer.key(text: path)
      writer.beginObject()
      for operation in operations where operation.path == path { write(operation, to: &writer) }
      writer.endObject()
    }
    for (path, item) in OpenAPIOpenPaths.all { writer.member(text: path, item) }
    writer.endObject()
    writeComponents(to: &writer)
    writer.endObject()
    return writer.json
  }

  private static let description = """
    Agents, their runs and their tasks. Every route under /v1 needs an API key in the header x-api-key; the organization follows from the key. \
    Unknown keys of a body and unknown query parameters are ignored, and a null where none is allowed counts as absent. A field marked x-muster-inactive is stored and given back, and does \
    nothing in this version: what asks for it answers 501. An operation marked x-muster-extension is not part of the documented service. \
    Any path with GET also answers HEAD, and any path OPTIONS; another method answers 405 with Allow.
    """

  private static func writeInformation(to writer: inout JSONWriter) {
    writer.key("info")
    writer.beginObject()
    writer.member("title", "Muster")
    writer.member("version", BuildInformation.version.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })
    writer.member("description", description)
    writer.member("license", .literal(#"{"name":"Apache-2.0","identifier":"Apache-2.0"}"#))
    writer.endObject()
  }

  /// The paths in the order of the table, each once; local operations have none.
  private static func paths(_ operations: [Operation]) -> [String] {
    var seen: Set<String> = [""]
    return operations.map { $0.path }.filter { seen.insert($0).inserted }
  }

  // MARK: - Operations

  /// The area of an operation: what its name begins with.
  private static func tag(_ operation: Operation) -> String {
    String(decoding: Array(operation.name.utf8.prefix { $0 != UInt8(ascii: ".") }), as: UTF8.self)
  }

  private static func writeTags(_ operations: [Operation], to writer: inout JSONWriter) {
    writer.key("tags")
    writer.beginArray()
    var seen: Set<String> = []
    let names = operations.filter { !$0.path.isEmpty }.map { tag($0) } + [OpenAPIOpenPaths.tag]
    for name in names where seen.insert(name).inserted {
      writer.beginObject()
      writer.member("name", name)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func write(_ operation: Operation, to writer: inout JSONWriter) {
    let method = String(decoding: operation.method.utf8.map { $0 | 0x20 }, as: UTF8.self)
    writer.key(text: method)
    writer.beginObject()
    writer.member("operationId", operation.name)
    writer.member("summary", operation.summary)
    writer.key("tags")
    writer.beginArray()
    writer.value(tag(operation))
    writer.endArray()
    if operation.isExtension { writer.member("x-muster-extension", true) }
    writeParameters(operation, to: &writer)
    if let body = operation.body {
      writer.key("requestBody")
      writer.beginObject()
      writer.member("required", true)
      writer.key("content")
      writer.beginObject()
      writer.key("application/json")
      writer.beginObject()
      writer.member("schema", reference("schemas", body.schemaName))
      if let example = body.example { writer.member("example", JSON.trusted(Array(example.utf8))) }
      writer.endObject()
      writer.endObject()
      writer.endObject()
    }
    OpenAPIResponses.write(operation, to: &writer)
    writer.endObject()
  }

  private static func writeParameters(_ operation: Operation, to writer: inout JSONWriter) {
    let takesKey = operation.repetition == .remembered
    guard takesKey || !operation.parameters.isEmpty else { return }
    writer.key("parameters")
    writer.beginArray()
    for parameter in operation.parameters {
      writer.beginObject()
      writer.member("name", parameter.name)
      writer.member("in", parameter.location.rawValue)
      writer.member("required", parameter.isRequired)
      writer.member("description", parameter.summary)
      writer.member("schema", JSON.trusted(Array(parameter.schemaText.utf8)))
      writer.endObject()
    }
    if takesKey { writer.value(reference("parameters", "Idempotency-Key")) }
    writer.endArray()
  }

  // MARK: - Components

  private static let idempotencyKey: StaticString = """
    {"Idempotency-Key":{"name":"Idempotency-Key","in":"header","required":false,"description":"Any text of the caller's: the same \
    request with the same key has one effect and one answer, for 24 hours.","schema":{"type":"string","minLength":1,"maxLength":255}}}
    """

  /// A reference to a component.
  static func reference(_ kind: String, _ name: String) -> JSON {
    JSON.trusted(Array("{\"$ref\":\"#/components/\(kind)/\(name)\"}".utf8))
  }

  private static func writeComponents(to writer: inout JSONWriter) {
    writer.key("components")
    writer.beginObject()
    writer.member(
      "securitySchemes",
      .literal(
        #"{"APIKeyHeader":{"type":"apiKey","in":"header","name":"x-api-key","description":"A key of one organization."}}"#
      ))
    writer.member("parameters", .literal(idempotencyKey))
    OpenAPIResponses.writeComponents(to: &writer)
    writer.member("schemas", SchemaCatalogue.components)
    writer.endObject()
  }
}
