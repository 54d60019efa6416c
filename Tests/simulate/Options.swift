/// What the command line asks for.
struct Options {
  /// Run this schedule alone, and tell every step.
  private(set) var seed: UInt64?
  /// Or so many of them, from a number on, in so many processes at a time.
  private(set) var seeds = 100_000
  private(set) var from = 0
  private(set) var workers = 2
  /// Whether to tell the digest of each.
  private(set) var tellsDigests = false

  static let usage = "MusterSimulate [--seeds=N] [--from=N] [--workers=N] [--digests] | --seed=N"

  /// Nil when it asks for something else.
  init?(_ arguments: [String]) {
    for argument in arguments {
      let parts = argument.split(separator: "=", maxSplits: 1)
      let value = parts.count > 1 ? Int(parts[1]) : nil
      switch (parts.first, value) {
      case ("--seed", let number?) where number >= 0: seed = UInt64(number)
      case ("--seeds", let number?) where number > 0: seeds = number
      case ("--from", let number?) where number >= 0: from = number
      case ("--workers", let number?) where number > 0: workers = number
      case ("--digests", nil): tellsDigests = true
      default: return nil
      }
    }
  }
}
