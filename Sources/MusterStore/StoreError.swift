/// Why the store did not do what it was asked.
package enum StoreError: Error, Equatable {
  /// The file cannot be used as a store: it is a directory, another program's file, or damaged. It was not changed.
  case notAStore(String)
  /// A newer version of Muster wrote the file. It was not changed.
  case newer(schema: Int64, supported: Int64)
  /// The file cannot be opened or made.
  case cannotOpen(String)
  /// Other processes kept the file busy for longer than the plane may wait. Nothing was written.
  case busy
  /// The disk is full. Nothing was written.
  case full
  /// Reading or writing failed.
  case failed(String)
  /// An earlier write could not be made durable: nothing is written until the store is opened again.
  case poisoned
  /// The idempotency key of the call was used before. Nothing was written.
  case repeated
  /// The store is closed.
  case closed
  /// The store was opened before this process was forked.
  case forked

  /// One line for people.
  package var message: String {
    switch self {
    case .notAStore(let why): return "not a Muster store: \(why)"
    case .newer(let schema, let supported):
      return "the store has schema version \(schema); this version of Muster reads up to \(supported)"
    case .cannotOpen(let why): return "the store cannot be opened: \(why)"
    case .busy: return "the store is busy: other processes are writing to it"
    case .full: return "the disk is full"
    case .failed(let why): return "the store failed: \(why)"
    case .poisoned: return "the store refuses writes because an earlier one could not be made durable; open it again"
    case .repeated: return "the idempotency key was used before"
    case .closed: return "the store is closed"
    case .forked: return "the store was opened before this process was forked"
    }
  }
}
