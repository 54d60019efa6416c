/// A right value of an object schema with its defaults, not written yet.
package struct JSONFilling: Sendable {
  private let form: JSONSchemaForm
  /// What was given, with the defaults inside, by the schema's properties in their order; a property without a value
  /// has its default, or is left out.
  package internal(set) var values = JSONPlacedValues()
  /// The members that are no property of the schema, in their order.
  package internal(set) var others: [JSON.Member] = []

  init(form: JSONSchemaForm) { self.form = form }

  /// The value as a text.
  package var json: JSON { .trusted(form.template.filled(values, others: others)) }
}
