import MusterJSON
import MusterSystem
import MusterTools

/// The calls of one tool, and what there is to say of them, until they are read through a queue. What waits here is bounded
/// by the calls that are open: a call that is over before it was read is taken back.
final class ToolEvents: QueueSource, ToolHandler, @unchecked Sendable {
  private struct Item {
    /// Of the call's id, which is looked for by it.
    let hash: Int
    let callID: String
    /// What is given; nil for a call that was taken back.
    var text: [UInt8]?
    let isCancel: Bool

    /// Whether it is this call, and still waits.
    func isUnread(_ id: String) -> Bool { !isCancel && text != nil && callID == id }
  }

  private let name: String
  private let queue: EventQueue
  /// In its queue; set once, before it is registered.
  var number: UInt64 = 0
  private let lock = Lock()
  // Under the lock.
  /// Nil before it is registered, and when nothing is read any more.
  private var reader: (any SubmissionReader)?
  private var isReleased = false
  /// In the order in which they came; those before `first` were given.
  private var items: [Item] = []
  private var first = 0
  /// How many of the others were taken back.
  private var takenBack = 0

  init(name: String, queue: EventQueue) {
    self.name = name
    self.queue = queue
  }

  // MARK: - Heard from the registry

  var returnsAtOnce: Bool { true }

  func call(_ callID: String, _ json: [UInt8]) { add(callID, json, isCancel: false) }

  func cancel(_ callID: String) {
    if takeBack(callID) { return }
    var writer = JSONWriter(capacity: 96)
    writer.beginObject()
    writer.member("call_id", callID)
    writer.endObject()
    add(callID, writer.bytes, isCancel: true)
  }

  private func add(_ callID: String, _ text: [UInt8], isCancel: Bool) {
    lock.lock()
    let reader = reader
    if reader != nil { items.append(Item(hash: callID.hashValue, callID: callID, text: text, isCancel: isCancel)) }
    lock.unlock()
    reader?.mayHaveMore()
  }

  /// Takes a call back that was not read. False when it was.
  private func takeBack(_ callID: String) -> Bool {
    let hash = callID.hashValue
    lock.lock()
    defer { lock.unlock() }
    var place = first
    while place < items.count, items[place].hash != hash || !items[place].isUnread(callID) { place += 1 }
    guard place < items.count else { return false }
    items[place].text = nil
    takenBack += 1
    tidy()
    return true
  }

  /// Keeps what was given or taken back from being more than what waits. Called with the lock held.
  private func tidy() {
    guard first + takenBack > 64, first + takenBack > items.count / 2 else { return }
    var left: [Item] = []
    for place in first..<items.count where items[place].text != nil { left.append(items[place]) }
    items = left
    first = 0
    takenBack = 0
  }

  func release() {
    queue.forget(self)
    lock.lock()
    isReleased = true
    letGo()
    lock.unlock()
  }

  /// Each holds the other, until it is released and read to its end. Called with the lock held.
  private func letGo() {
    if isReleased, first + takenBack >= items.count { reader = nil }
  }

  // MARK: - Reading

  func setReader(_ reader: any SubmissionReader) {
    lock.lock()
    self.reader = reader
    lock.unlock()
  }

  func next() -> SubmissionItem? {
    lock.lock()
    defer { lock.unlock() }
    while first < items.count {
      let item = items[first]
      items[first].text = nil
      first += 1
      guard let text = item.text else {
        takenBack -= 1
        continue
      }
      letGo()
      tidy()
      return .tool(text, isCancel: item.isCancel)
    }
    return nil
  }

  /// Also unregisters the tool, unless that has been done.
  func close() {
    lock.lock()
    reader = nil
    items = []
    first = 0
    takenBack = 0
    lock.unlock()
    try? queue.plane.tools.unregister(name, of: self)
  }
}
