package import MusterEngine

/// What a model costs.
package struct ModelPrice: Sendable {
  let model: String
  let price: Price

  package init(model: String, price: Price) {
    self.model = model
    self.price = price
  }
}
