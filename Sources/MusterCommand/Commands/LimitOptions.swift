/// `--limit` and `--price`: what a turn may use up, and what models cost.
enum LimitOptions {
  private static let keys = ["model_calls", "tool_calls", "input_tokens", "output_tokens", "seconds", "depth", "cost"]

  static let limit = Command.Option(
    "limit", "KEY=N",
    "What a turn may use up with all its sub-tasks: \(keys.joined(separator: ", ")) (US dollars); may be given several times."
  )
  static let price = Command.Option(
    "price", "MODEL=INPUT,OUTPUT",
    "What a million tokens of a model cost, in US dollars, for limits of cost; may be given several times.")

  /// The limits as an object; nil when there are none. The library decides about their range.
  static func limits(_ options: Options) throws(Failure) -> Value? {
    let given = options.all("limit")
    if given.isEmpty { return nil }
    guard let limits = Value.object() else { throw .outOfMemory }
    for text in given {
      guard let equals = text.firstIndex(of: "=") else { throw .usage("--limit needs KEY=N, not \(text)") }
      let key = String(text[..<equals])
      let value = String(text[text.index(after: equals)...])
      guard keys.contains(key) else {
        throw .usage("--limit knows \(keys.joined(separator: ", ")), not \(key)")
      }
      if key == "cost" {
        guard let amount = dollars(value) else { throw .usage("--limit cost needs US dollars, not \(value)") }
        limits.set(key, number: amount)
      } else {
        guard let number = Int64(value) else { throw .usage("--limit \(key) needs a whole number, not \(value)") }
        limits.set(key, number)
      }
    }
    return limits
  }

  /// The prices as an object by model; nil when there are none.
  static func prices(_ options: Options) throws(Failure) -> Value? {
    let given = options.all("price")
    if given.isEmpty { return nil }
    guard let prices = Value.object() else { throw .outOfMemory }
    for text in given {
      // Names of models may have the sign, too.
      guard let equals = text.lastIndex(of: "="), equals != text.startIndex else { throw wrongPrice(text) }
      let amounts = text[text.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: false)
      guard amounts.count == 2, let input = dollars(String(amounts[0])), let output = dollars(String(amounts[1]))
      else { throw wrongPrice(text) }
      guard let price = Value.object() else { throw .outOfMemory }
      price.set("input", number: input)
      price.set("output", number: output)
      prices.set(String(text[..<equals]), price)
    }
    return prices
  }

  private static func wrongPrice(_ text: String) -> Failure {
    .usage("--price needs MODEL=INPUT,OUTPUT in US dollars for a million tokens, not \(text)")
  }

  private static func dollars(_ text: String) -> Double? {
    guard let amount = Double(text), amount.isFinite, amount >= 0 else { return nil }
    return amount
  }
}
