import MusterJSON
import MusterSystem
import MusterTools

/// The calls of one tool, and what there is to say of them, until they are read through a queue. What waits here is bounded
/// by the calls that are open: a call that is over before it was read is taken back.
final class ToolEvents: QueueSource, ToolHandler, @unchecked Sendable {
  private struct Item {
    let callID: String
    /// Nil: nobody waits for the call any more.
    let json: [UInt8]?
  }

  let name: String
  private let queue: EventQueue
  private let lock = Lock()
  // Under the lock.
  private var reader: (any SubmissionReader)?
  private var isReleased = false
  /// By number, in the order in which they came; some may be missing.
  private var items: [Int: Item] = [:]
  private var first = 0
  private var end = 0
  /// The numbers of the calls that were not read.
  private var unread: [String: Int] = [:]

  init(name: String, queue: EventQueue) {
    self.name = name
    self.queue = queue
  }

  // MARK: - Heard from the registry

  var returnsAtOnce: Bool { true }

  func call(_ callID: String, _ json: [UInt8]) { add(Item(callID: callID, json: json)) }

  func cancel(_ callID: String) {
    let wasUnread = lock.withLock { () -> Bool in
      guard let number = unread.removeValue(forKey: callID) else { return false }
      items[number] = nil
      return true
    }
    if !wasUnread { add(Item(callID: callID, json: nil)) }
  }

  private func add(_ item: Item) {
    let reader = lock.withLock { () -> (any SubmissionReader)? in
      items[end] = item
      if item.json != nil { unread[item.callID] = end }
      end &+= 1
      return self.reader
    }
    reader?.mayHaveMore()
  }

  func release() {
    queue.forget(self)
    lock.withLock {
      isReleased = true
      letGo()
    }
  }

  /// Each holds the other, until it is released and read to its end. Called with the lock held.
  private func letGo() {
    if isReleased, items.isEmpty { reader = nil }
  }

  // MARK: - Reading

  func setReader(_ reader: any SubmissionReader) { lock.withLock { self.reader = reader } }

  func next() -> SubmissionItem? {
    lock.withLock { () -> SubmissionItem? in
      while first < end {
        let item = items.removeValue(forKey: first)
        first &+= 1
        guard let item else { continue }
        letGo()
        if let json = item.json {
          unread[item.callID] = nil
          return .tool(json, isCancel: false)
        }
        var writer = JSONWriter(capacity: 96)
        writer.beginObject()
        writer.member("call_id", item.callID)
        writer.endObject()
        return .tool(writer.bytes, isCancel: true)
      }
      return nil
    }
  }

  func close() {
    lock.withLock {
      reader = nil
      items = [:]
      unread = [:]
    }
  }
}
