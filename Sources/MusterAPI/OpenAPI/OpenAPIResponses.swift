import MusterJSON

/// The answers of operations, as OpenAPI describes them.
enum OpenAPIResponses {
  /// A way in which a request can fail.
  private struct Refusal {
    let status: Int32
    /// The name of its component.
    let name: String
    let description: String
    var schema = "Error"
    var hasRetryAfter = false
  }

  private static let refusals = [
    Refusal(status: 400, name: "BadRequest", description: "The request cannot be read, or cannot be done."),
    Refusal(status: 401, name: "Unauthorized", description: "There is no key, or it is unknown, expired or revoked."),
    Refusal(
      status: 403, name: "Forbidden", description: "It belongs to another organization, or the key may not do this."),
    Refusal(status: 404, name: "NotFound", description: "There is no such thing."),
    Refusal(status: 409, name: "Conflict", description: "It is not in the state that this needs."),
    Refusal(status: 413, name: "TooLarge", description: "The body is too long, or nested too deep."),
    Refusal(
      status: 422, name: "Invalid", description: "A parameter or the body is not as described; says where.",
      schema: "HTTPValidationError"),
    Refusal(
      status: 429, name: "TooManyRequests", description: "The key has used up its requests of this minute or hour.",
      hasRetryAfter: true),
    Refusal(status: 500, name: "Failed", description: "The store failed, for example because the disk is full."),
    Refusal(status: 501, name: "Inactive", description: "It asks for something that this version does not do."),
    Refusal(
      status: 503, name: "Unavailable", description: "The service is busy, or stopping; try again later.",
      hasRetryAfter: true),
    Refusal(
      status: 504, name: "TimedOut", description: "The time of the call ran out; the task has ended with it."),
  ]

  /// The statuses with which an operation may refuse: those of its form, and its own.
  static func refusals(of operation: Operation) -> [Int32] {
    var statuses: Set<Int32> = [400, 401, 429, 500, 503]
    let hasPathParameter = operation.parameters.contains { $0.location == .path }
    if hasPathParameter { statuses.insert(404) }
    if operation.access != .read || operation.namesAgent || operation.namesTask { statuses.insert(403) }
    if operation.body != nil { statuses.insert(413) }
    if operation.body != nil || !operation.parameters.isEmpty { statuses.insert(422) }
    // It waits for the first call with its key.
    if operation.repetition == .remembered { statuses.formUnion([422, 504]) }
    statuses.formUnion(operation.failures)
    return refusals.map { $0.status }.filter { statuses.contains($0) }
  }

  /// The member `responses` of an operation.
  static func write(_ operation: Operation, to writer: inout JSONWriter) {
    writer.key("responses")
    writer.beginObject()
    writer.key(text: "\(operation.success)")
    writer.beginObject()
    writer.member("description", operation.success == 204 ? "Done." : "The answer.")
    writeHeaders(hasRetryAfter: false, to: &writer)
    if operation.form.isStream {
      writer.member("content", .literal(events))
    } else if operation.success != 204 {
      let schema = operation.answer.map { OpenAPIDocument.reference("schemas", $0) }
      writeContent(schema ?? .literal(#"{"type":"null"}"#), to: &writer)
    }
    writer.endObject()
    let statuses = refusals(of: operation)
    for refusal in refusals where statuses.contains(refusal.status) {
      writer.member(text: "\(refusal.status)", OpenAPIDocument.reference("responses", refusal.name))
    }
    writer.endObject()
  }

  private static let events: StaticString = """
    {"text/event-stream":{"schema":{"type":"object","description":"Of each server-sent event. The connection is closed after the last \
    one; comments keep it open meanwhile.","properties":{"id":{"type":"string","description":"The place behind the event, for `after` and \
    Last-Event-ID."},"data":{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":\
    "#/components/schemas/TaskEvent"}}},"required":["id","data"]}}}
    """

  private static func writeContent(_ schema: JSON, to writer: inout JSONWriter) {
    writer.key("content")
    writer.beginObject()
    writer.key("application/json")
    writer.beginObject()
    writer.member("schema", schema)
    writer.endObject()
    writer.endObject()
  }

  // MARK: - Headers and components

  private static let headers: [(name: String, text: StaticString)] = [
    (
      "X-Request-Id",
      #"{"description":"The request's own if it brought one, else a new one.","required":true,"schema":{"type":"string"}}"#
    ),
    (
      "X-RateLimit-Limit",
      #"{"description":"Requests a minute; only where they are limited.","schema":{"type":"integer"}}"#
    ),
    ("X-RateLimit-Remaining", #"{"description":"What is left of this minute.","schema":{"type":"integer"}}"#),
    ("X-RateLimit-Reset", #"{"description":"When the minute ends, in Unix seconds.","schema":{"type":"integer"}}"#),
    ("Retry-After", #"{"description":"Seconds.","required":true,"schema":{"type":"integer"}}"#),
  ]

  private static func writeHeaders(hasRetryAfter: Bool, to writer: inout JSONWriter) {
    writer.key("headers")
    writer.beginObject()
    for header in headers where hasRetryAfter || header.name != "Retry-After" {
      writer.member(text: header.name, OpenAPIDocument.reference("headers", header.name))
    }
    writer.endObject()
  }

  /// The members `headers` and `responses` of the components.
  static func writeComponents(to writer: inout JSONWriter) {
    writer.key("headers")
    writer.beginObject()
    for header in headers { writer.member(text: header.name, .literal(header.text)) }
    writer.endObject()
    writer.key("responses")
    writer.beginObject()
    for refusal in refusals {
      writer.key(text: refusal.name)
      writer.beginObject()
      writer.member("description", refusal.description)
      writeHeaders(hasRetryAfter: refusal.hasRetryAfter, to: &writer)
      writeContent(OpenAPIDocument.reference("schemas", refusal.schema), to: &writer)
      writer.endObject()
    }
    writer.endObject()
  }
}
