/// The keys of journal records: the task's key and the record's number in one integer.
///
/// One table without a further index then holds the journal: a record costs one page in its transaction, and those of a
/// task lie together, in their order.
enum JournalKey {
  /// Room for 268 million records of a task, and 34 thousand million tasks.
  static let sequenceBits: Int64 = 28
  private static let sequences: Int64 = 1 << sequenceBits
  private static let tasks: Int64 = 1 << (63 - sequenceBits)

  /// The key of a record.
  static func of(_ sequence: Int64, of task: Int64) throws(StoreError) -> Int64 {
    guard sequence >= 0, sequence < sequences, task >= 0, task < tasks else {
      throw .failed("the journal has no room for record \(sequence) of task \(task)")
    }
    return task << sequenceBits | sequence
  }

  /// The key that no record of a task is above.
  static func last(of task: Int64) throws(StoreError) -> Int64 { try of(sequences - 1, of: task) }
}
