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

  /// The last position that was given out; nil while none was.
  private var position: Int64?
  private var changes: [Change] = []

  /// The next number of the store's own order.
  mutating func nextPosition(_ database: Database) throws(StoreError) -> Int64 {
    let last: Int64
    if let position {
      last = position
    } else {
      let stored = try database.statement("SELECT value FROM meta WHERE key = 'sequence'").first { $0.integer(0) }
      guard let stored else { throw .notAStore("its sequence is missing") }
      last = stored
    }
    position = last &+ 1
    return last &+ 1
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
    if let position {
      try database.statement("UPDATE meta SET value = ? WHERE key = 'sequence'").bind(1, position).run()
    }
    for change in changes where change.rows != 0 {
      try change.list.write(change.rows, to: change.block, in: change.organization, database)
    }
  }
}
