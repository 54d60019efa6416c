/// A row of processes, one after another, on a store that other rows may have open too.
final class Lane {
  let lives: [Plan.Life]
  /// The number of the process that lives; nil: none.
  var process: Int?
  /// The step at which it is killed, if it is, and whether the power stays.
  var killing: (atStep: Int64, hasPower: Bool)?
  var hasEnded = false

  init(_ lives: [Plan.Life]) { self.lives = lives }

  /// The process has died.
  func died() {
    process = nil
    killing = nil
  }
}
