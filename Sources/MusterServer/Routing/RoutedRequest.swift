import MusterAPI

/// What a request leads to.
struct RoutedRequest {
  enum Step {
    case answer(RESTAnswer)
    case call(Call)
  }

  /// A call of an operation, on behalf of the holder of a key.
  struct Call {
    let operation: Operation
    let arguments: Arguments
    let caller: Caller
    /// See `RESTAnswer.Validity`.
    let changeNumber: Int64?
    /// For a route of the Python client: makes the answer with calls of the operation.
    let client: (((Arguments) throws(Failure) -> [UInt8]) throws(Failure) -> [UInt8])?
  }

  var step = Step.answer(.failure(.rest(404, "Not Found")))
  /// Whether it counts when keys are limited.
  var isLimited: Bool
  var facts = RESTAnswer.Facts()

  init(isLimited: Bool) { self.isLimited = isLimited }
}
