package import MusterJSON

/// What tokens of a model cost, in picodollars (a millionth of a millionth of a US dollar) each.
package struct Price: Sendable, Equatable {
  package let input: Int64
  package let output: Int64

  package init(input: Int64, output: Int64) {
    self.input = input
    self.output = output
  }

  init?(_ json: JSON) {
    guard let input = json["input"]?.int64, let output = json["output"]?.int64 else { return nil }
    self.init(input: input, output: output)
  }

  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("input", input)
    writer.member("output", output)
    writer.endObject()
  }

  /// What so many tokens cost; as much as can be said where that is too much to be said.
  func cost(input: Int64, output: Int64) -> Int64 {
    let (given, isFirstTooMuch) = self.input.multipliedReportingOverflow(by: max(input, 0))
    let (got, isSecondTooMuch) = self.output.multipliedReportingOverflow(by: max(output, 0))
    let (sum, isSumTooMuch) = given.addingReportingOverflow(got)
    return isFirstTooMuch || isSecondTooMuch || isSumTooMuch ? .max / 4 : min(sum, .max / 4)
  }

  /// Picodollars of an amount in US dollars; nil when it is negative or too much.
  package static func picodollars(_ dollars: Double) -> Int64? {
    guard dollars >= 0, dollars <= 1_000_000 else { return nil }
    // Far from the ends of what 64 bits hold, as was just looked at.
    return Int64(dollars * 1e12 + 0.5)
  }
}
