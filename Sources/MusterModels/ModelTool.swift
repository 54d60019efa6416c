package import MusterJSON

/// A tool that a model may ask for.
package struct ModelTool: Sendable {
  /// Letters, digits, `_` and `-`, at most 64 of them; no two tools of a request have the same.
  package let name: String
  package let description: String
  /// A JSON Schema of an object; sent as it is.
  package let parameters: JSON

  package init(name: String, description: String, parameters: JSON) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }
}
