/// Behind which position all tasks stand that a process runs: where to look for them when it has died.
///
/// An index of them would be written twice in each run. The mark is kept in the process's row in `owners` instead. It
/// begins at the last position that was given out when the process opened the store, and is moved up to the first task
/// that still runs; seldom enough that looking for that one reads no more than two rows for each position.
struct RunningMark: Sendable {
  /// The position; the store has it too.
  let since: Int64
  /// The position that was given out last when it was moved.
  let movedAt: Int64

  private static let step: Int64 = 1024

  init(since: Int64, movedAt: Int64) {
    self.since = since
    self.movedAt = movedAt
  }

  /// Whether to move it when this position was given out: when there are as many new rows to look at as old ones.
  func isDue(at position: Int64) -> Bool { position &- movedAt >= max(RunningMark.step, movedAt &- since) }
}
