/// Counts what a store has written since this process opened it.
package struct WriteCounts: Sendable {
  /// Writes that callers asked for.
  package private(set) var jobs: Int64 = 0
  /// Transactions that carried them; several ride in one.
  package private(set) var commits: Int64 = 0
  /// Transactions that were brought to the disk before anybody was told.
  package private(set) var syncs: Int64 = 0

  mutating func add(jobs written: Int64, isSynced: Bool) {
    guard written > 0 else { return }
    jobs &+= written
    commits &+= 1
    if isSynced { syncs &+= 1 }
  }
}
