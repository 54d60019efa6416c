/// What a transaction adds to the store's sequence and to the counts of its lists.
///
/// It is gathered in memory and written once, before the commit, for all jobs of a batch together. A job that is undone
/// takes its part back by restoring the tally from before. Nothing in a transaction may read the sequence or the counts
/// from their tables.
struct Tally {
  private struct Change {
    let list: ListCount
    let organization: String
    let block: Int64
    var rows: Int64
  }

  /// The positions that this connection gives out; what is committed with it holds for the next transaction.
  private(set) var positions: PositionRange
  /// Whether `positions` was compared with the store in this transaction.
  private var isCompared = false
  /// Whether `positions` has to be written.
  private var isExtended = false
  private var changes: [Change] = []

  init(positions: PositionRange = PositionRange()) { self.positions = positions }

  private mutating func compare(_ database: Database) throws(StoreError) {
    if isCompared { return }
    let stored = try database.statement("SELECT value FROM meta WHERE key = 'sequence'").first { $0.integer(0) }
    guard let stored else { throw .notAStore("its sequence is missing") }
    positions.compare(with: stored)
    isCompared = true
  }

  /// Where something goes that was changed now and stood at a place before: there if nothing was changed since, else to
  /// the next number. To stay in place spares its indexes.
  mutating func position(after known: Int64, _ database: Database) throws(StoreError) -> Int64 {
    try compare(database)
    return positions.last == known ? known : try nextPosition(database)
  }

  /// The next number of the store's own order.
  mutating func nextPosition(_ database: Database) throws(StoreError) -> Int64 {
    try compare(database)
    if positions.isEmpty {
      positions.extend()
      isExtended = true
    }
    return positions.next()
  }

  /// Adds to the rows of a block of a list.
  mutating func add(_ rows: Int64, to block: Int64, of list: ListCount, in organization: String) {
    let known = changes.indices.last {
      changes[$0].block == block && changes[$0].list == list && changes[$0].organization == organization
    }
    if let known {
      changes[known].rows &+= rows
    } else {
      changes.append(Change(list: list, organization: organization, block: block, rows: rows))
    }
  }

  /// Writes what was gathered.
  func write(to database: Database) throws(StoreError) {
    if isExtended {
      try database.statement("UPDATE meta SET value = ? WHERE key = 'sequence'").bind(1, positions.end).run()
    }
    for change in changes where change.rows != 0 {
      try change.list.write(change.rows, to: change.block, in: change.organization, database)
    }
  }
}
