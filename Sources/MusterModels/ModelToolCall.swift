package import MusterJSON

/// What a model asks of one tool.
package struct ModelToolCall: Sendable {
  /// As the model gave it; `call_` and the call's place where it gave none, or one twice. No two calls of an answer have
  /// the same.
  package let id: String
  /// As the model wrote it, which need not be the name of a tool that it was offered. Not empty.
  package let name: String
  /// A JSON string: the text as the model wrote it, usable JSON or not; `""` when it wrote none.
  package let arguments: JSON
  /// An object with what else the provider put into the call, a signature for instance, to be sent back as it is; nil
  /// when there was nothing.
  package let opaque: JSON?

  package init(id: String, name: String, arguments: JSON, opaque: JSON? = nil) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.opaque = opaque
  }
}
