/// Why a schema cannot be used.
package struct JSONSchemaError: Error, Equatable {
  package enum Kind: Sendable {
    /// The keyword asserts something that is not checked here. Ignoring it would accept values that the schema's
    /// author forbids.
    case unsupported
    /// The keyword's value has the wrong form.
    case invalid
    /// A `$ref` names something that is not there.
    case unresolved
    /// The schema leads back to itself without a step into the value.
    case loop
  }

  package let kind: Kind
  /// The keyword that is to blame; empty when the schema itself is neither an object nor a boolean.
  package let keyword: String
  /// Where it stands: `#/properties/a/pattern`, or `#/components/schemas/Name/…` in a component.
  package let pointer: String

  /// One line: what is wrong, and where.
  package var description: String {
    switch kind {
    case .unsupported: return "schema keyword '\(keyword)' is not supported (\(pointer))"
    case .invalid:
      return keyword.isEmpty
        ? "schema is neither an object nor a boolean (\(pointer))"
        : "schema keyword '\(keyword)' has a wrong value (\(pointer))"
    case .unresolved: return "schema reference leads nowhere (\(pointer))"
    case .loop: return "schema refers to itself without end (\(pointer))"
    }
  }
}
