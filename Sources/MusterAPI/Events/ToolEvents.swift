import MusterJSON
import MusterSystem
import MusterTools

/// The calls of one tool, and what there is to say of them, until they are read through a queue. What waits here is bounded
/// by the calls that are open: those that are over before they were read are not given, and removed now and then.
final class ToolEvents: QueueSource, ToolHandler, @unchecked Sendable {
  private let name: String
  private let queue: EventQueue
  /// In its queue; set once, before it is registered.
  var number: UInt64 = 0
  private let lock = Lock()
  // Under the lock.
  /// Nil before it is registered, and when nothing is given any more.
  private var reader: (any SubmissionReader)?
  private var isReleased = false
  private var items = Queue<SubmissionItem>()
  /// From how many items on it is looked which of them are over.
  private var many = 64

  init(name: String, queue: EventQueue) {
    self.name = name
    self.queue = queue
  }

  // MARK: - Heard from the registry

  var isQueue: Bool { true }

  func call(_ callID: String, _ json: [UInt8]) { add(.tool(json, isCancel: false)) }

  func cancel(_ callID: String) {
    var writer = JSONWriter(capacity: 96)
    writer.beginObject()
    writer.member("call_id", callID)
    writer.endObject()
    add(.tool(writer.bytes, isCancel: true))
  }

  private func add(_ item: SubmissionItem) {
    lock.lock()
    let reader = reader
    if reader != nil {
      items.append(item)
      if items.count >= many { tidy() }
    }
    lock.unlock()
    reader?.mayHaveMore()
  }

  /// Called with the lock held.
  private func tidy() {
    for _ in 0..<items.count { if let item = items.popFirst(), isWanted(item) { items.append(item) } }
    many = max(64, 2 &* items.count)
  }

  func release() {
    lock.lock()
    isReleased = true
    letGo()
    lock.unlock()
  }

  /// Each holds the other, until it is released and read to its end. Called with the lock held.
  private func letGo() {
    guard isReleased, items.isEmpty else { return }
    reader = nil
    queue.forget(self)
  }

  // MARK: - Reading

  /// The id of a call that is given, if it is not over.
  private func callID(_ item: SubmissionItem) -> String? {
    if case .tool(let json, isCancel: false) = item { return JSON.trusted(json)["call_id"]?.string }
    return nil
  }

  private func isWanted(_ item: SubmissionItem) -> Bool {
    callID(item).map { !queue.plane.tools.isCancelled($0) } ?? true
  }

  func setReader(_ reader: any SubmissionReader) {
    lock.lock()
    self.reader = reader
    lock.unlock()
  }

  func next() -> SubmissionItem? {
    lock.lock()
    defer { lock.unlock() }
    defer { letGo() }
    while let item = items.popFirst() {
      if callID(item).map({ queue.plane.tools.read($0) }) ?? true { return item }
    }
    return nil
  }

  /// Also unregisters the tool, unless that has been done.
  func close() {
    lock.lock()
    reader = nil
    items = Queue()
    lock.unlock()
    try? queue.plane.tools.unregister(name, of: self)
  }
}
