import MusterHTTP
package import MusterJSON
import MusterStore

/// What this build is, for `muster_build_info` and for the generators of bindings.
package enum BuildInformation {
  package static let version: StaticString = "0.1.0"

  /// `janssonVersion`: that of the library in use, which only the outermost room sees.
  package static func json(abiVersion: Int64, janssonVersion: String) -> JSON {
    var writer = JSONWriter(capacity: 1 << 16)
    writer.beginObject()
    writer.member("version", version.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })
    writer.member("abi_version", abiVersion)
    writer.key("libraries")
    writer.beginObject()
    writer.member("jansson", janssonVersion)
    writer.member("sqlite", Store.libraryVersion)
    writer.member("curl", HTTPClient.libraryVersion)
    writer.endObject()
    writer.key("limits")
    writer.beginObject()
    writer.member("request_bytes", Int64(JSONLimits.request.bytes))
    writer.member("json_depth", Int64(JSONLimits.request.depth))
    writer.member("stack_bytes", 262_144)
    writer.endObject()
    writer.key("stores")
    writer.beginArray()
    writer.value("sqlite")
    writer.endArray()
    writer.key("statuses")
    writer.beginObject()
    for entry in Status.named {
      writer.member(entry.name, Int64(entry.status.rawValue))
    }
    writer.endObject()
    writer.key("operations")
    writer.beginArray()
    for operation in OperationTable.all { write(operation, to: &writer) }
    writer.endArray()
    writer.member("schemas", SchemaCatalogue.components)
    writer.endObject()
    return writer.json
  }

  private static func write(_ operation: Operation, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("name", operation.name)
    writer.member("method", operation.method)
    writer.member("path", operation.path)
    writer.member("summary", operation.summary)
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
    writer.endArray()
    writeReference("body", operation.body?.schemaName, to: &writer)
    writeReference("answer", operation.answer, to: &writer)
    writer.member("events", operation.form.isStream)
    writer.member("success", Int64(operation.success))
    writer.member("since", operation.since)
    writer.member("access", operation.access.rawValue)
    writer.member("extension", operation.isExtension)
    writer.endObject()
  }

  private static func writeReference(_ key: StaticString, _ component: String?, to writer: inout JSONWriter) {
    writer.key(key)
    guard let component else {
      writer.null()
      return
    }
    writer.beginObject()
    writer.member("$ref", "#/components/schemas/\(component)")
    writer.endObject()
  }
}
