import CPlatform
package import MusterSystem
package import MusterTools

/// Where the events of submitted calls are read. It holds places, not events: a slow reader costs what it has submitted,
/// and slows nobody. Every function may be called from any thread.
package final class EventQueue: @unchecked Sendable {
  /// An event with the call that it is of.
  package struct Event: Sendable {
    /// 0: of no call, but of a tool.
    package let ticket: UInt64
    /// As it was submitted: an address of the host.
    package let userData: UInt
    package let item: SubmissionItem
  }

  /// How a wait for events ended.
  package enum Arrival<Value> {
    case came(Value)
    case timedOut
    case closed
  }

  package let plane: ControlPlane
  private let depth: Int64
  private let lock = Lock()
  private let changed = Condition()
  private var entries: [UInt64: Entry] = [:]
  /// Tools have numbers of their own among the tickets.
  private static var firstTool: UInt64 { 1 << 63 }
  private var lastTool = firstTool
  /// How many of the entries are tools.
  private var tools = 0
  private var ready = Queue<Entry>()
  private var isClosed = false
  /// Made when it is asked for.
  private var signal: Int32?

  /// One submitted call, or one tool.
  private final class Entry: SubmissionReader, @unchecked Sendable {
    let queue: EventQueue
    let ticket: UInt64
    let userData: UInt
    let source: any QueueSource
    /// Whether it stands among those that are ready, or is being read. Under the queue's lock, as the next.
    var isReady = false
    var isBeingRead = false

    init(queue: EventQueue, ticket: UInt64, userData: UInt, source: any QueueSource) {
      self.queue = queue
      self.ticket = ticket
      self.userData = userData
      self.source = source
    }

    func mayHaveMore() { queue.mark(self) }
  }

  package init(plane: ControlPlane) {
    self.plane = plane
    depth = plane.configuration.queueDepth
  }

  // MARK: - Submitting

  /// Submits a call; gives the ticket under which its events come, and by which it is cancelled. When this has not failed,
  /// there is exactly one final event.
  package func submit(_ name: String, _ arguments: Arguments, userData: UInt) throws(Failure) -> UInt64 {
    var arguments = arguments
    let given = arguments.ticket
    let ticket: UInt64
    if let given { ticket = given } else { ticket = try newTicket() }
    arguments.ticket = ticket
    let submission: Submission
    do throws(Failure) {
      submission = try plane.submission(name, arguments)
    } catch {
      // A given one may be another call's, or wait for a better one.
      if given == nil { plane.retire(ticket) }
      throw error
    }
    try start(submission, ticket, userData)
    return ticket
  }

  private func start(
    _ source: any QueueSource & PoolJob, _ ticket: UInt64, _ userData: UInt
  ) throws(Failure) {
    do throws(Failure) {
      try add(source, ticket, userData)
      do throws(Failure) {
        try plane.start(source)
      } catch {
        remove(ticket)
        throw error
      }
    } catch {
      source.close()
      plane.retire(ticket)
      throw error
    }
  }

  /// Submits what `make` makes with the interrupt of a new ticket.
  package func submit(
    userData: UInt, _ make: (Interrupt) -> any QueueSource & PoolJob
  ) throws(Failure) -> UInt64 {
    let ticket = try newTicket()
    try start(make(try plane.use(ticket)), ticket, userData)
    return ticket
  }

  private func newTicket() throws(Failure) -> UInt64 {
    let ticket = plane.makeTicket()
    if ticket == 0 { throw Failure(.busy, "too many tickets wait unused") }
    return ticket
  }

  /// Reads a source through this queue, under a ticket.
  private func add(_ source: any QueueSource, _ ticket: UInt64, _ userData: UInt) throws(Failure) {
    let entry = Entry(queue: self, ticket: ticket, userData: userData, source: source)
    try lock.withLock { () throws(Failure) in
      if isClosed { throw EventQueue.closed }
      guard entries.count - tools < depth else {
        throw Failure(.busy, "\(depth) calls are open in the queue: limits.queue_depth of the plane allows no more")
      }
      entries[ticket] = entry
    }
    source.setReader(entry)
  }

  // MARK: - Tools

  /// Registers a tool of the host whose calls come through this queue, until it is unregistered or the queue is closed.
  package func register(_ spec: ToolSpec) throws(Failure) {
    if spec.isOnCaller { throw Failure(.misuse, "a tool with \"thread\":\"caller\" cannot come through a queue") }
    let events = ToolEvents(name: spec.name, queue: self)
    events.setReader(try list(events))
    do throws(Failure) {
      try plane.registerTool(spec, events)
    } catch {
      forget(events)
      events.close()
      throw error
    }
    lock.lock()
    let isOpen = !isClosed
    lock.unlock()
    if isOpen { return }
    events.close()
    throw EventQueue.closed
  }

  private static var closed: Failure { Failure(.badHandle, "the queue is closed") }

  private func list(_ events: ToolEvents) throws(Failure) -> Entry {
    lock.lock()
    defer { lock.unlock() }
    if isClosed { throw EventQueue.closed }
    lastTool += 1
    tools += 1
    events.number = lastTool
    let entry = Entry(queue: self, ticket: lastTool, userData: 0, source: events)
    entries[lastTool] = entry
    return entry
  }

  /// Forgets a tool that is unregistered and read to its end. Under the lock of its events.
  func forget(_ events: ToolEvents) {
    lock.lock()
    if entries.removeValue(forKey: events.number) != nil { tools -= 1 }
    lock.unlock()
  }

  // MARK: - News

  /// Takes a source out that was not started.
  private func remove(_ ticket: UInt64) {
    let entry = lock.withLock { entries.removeValue(forKey: ticket) }
    entry?.source.close()
  }

  /// Notes that an entry may have more.
  private func mark(_ entry: Entry) {
    lock.withLock {
      guard !entry.isReady, !isClosed else { return }
      entry.isReady = true
      if !entry.isBeingRead { append(entry) }
    }
  }

  /// Called with the lock held.
  private func append(_ entry: Entry) {
    let wasEmpty = ready.isEmpty
    ready.append(entry)
    changed.signal()
    if wasEmpty, let signal { platform_signal_set(signal) }
  }

  /// The next entry that may have more. Called with the lock held.
  private func take() -> Entry? {
    guard let entry = ready.popFirst() else { return nil }
    entry.isReady = false
    entry.isBeingRead = true
    if ready.isEmpty, let signal { platform_signal_clear(signal) }
    return entry
  }

  // MARK: - Reading

  /// The next event, of whichever call; each call in its turn. Waits until the deadline for one.
  package func next(until deadline: Deadline) -> Arrival<Event> {
    while true {
      let arrival = wait(until: deadline)
      guard case .came(let entry) = arrival else {
        if case .closed = arrival { return .closed }
        return .timedOut
      }
      if let event = read(entry) { return .came(event) }
    }
  }

  private func wait(until deadline: Deadline) -> Arrival<Entry> {
    lock.lock()
    defer { lock.unlock() }
    while true {
      if isClosed { return .closed }
      if let entry = take() { return .came(entry) }
      if deadline.hasPassed { return .timedOut }
      _ = changed.wait(lock, until: deadline)
    }
  }

  /// The next event of an entry that was taken; nil when it had none.
  private func read(_ entry: Entry) -> Event? {
    // Not under the lock: it may read the store.
    let item = entry.source.next()
    var isLast = false
    if case .final? = item { isLast = true }
    lock.withLock {
      entry.isBeingRead = false
      if isLast {
        entries[entry.ticket] = nil
      } else if item != nil || entry.isReady, !isClosed {
        // There may be another one.
        entry.isReady = true
        append(entry)
      }
    }
    if isLast {
      // Each holds the other.
      entry.source.close()
      plane.retire(entry.ticket)
    }
    let ticket = entry.ticket < EventQueue.firstTool ? entry.ticket : 0
    return item.map { Event(ticket: ticket, userData: entry.userData, item: $0) }
  }

  /// What waits, up to about `maximum` bytes of JSON but at least one event: an array of objects. Waits until the deadline
  /// for the first.
  package func drain(until deadline: Deadline, maximum: Int) -> Arrival<[UInt8]> {
    var writer = DrainedEvents()
    switch next(until: deadline) {
    case .timedOut: return .timedOut
    case .closed: return .closed
    case .came(let event): writer.add(event)
    }
    let now = Deadline.after(milliseconds: 0)
    while writer.size < maximum, case .came(let event) = next(until: now) { writer.add(event) }
    return .came(writer.finish())
  }

  /// A descriptor that is readable while an event may wait, for `poll` and its like; nil when there is none. It belongs to
  /// the queue.
  package var descriptor: Int32? {
    lock.withLock {
      if isClosed { return nil }
      if let signal { return signal }
      let made = platform_signal_new()
      guard made >= 0 else { return nil }
      if !ready.isEmpty { platform_signal_set(made) }
      signal = made
      return made
    }
  }

  /// Ends it: whoever waits is told, open calls go on unread, tools are unregistered. Not from inside a call of a tool.
  package func close() {
    let left = lock.withLock { () -> [Entry] in
      isClosed = true
      changed.broadcast()
      if let signal { platform_signal_close(signal) }
      signal = nil
      ready = Queue()
      defer { entries = [:] }
      return entries.map { $0.value }
    }
    for entry in left {
      entry.source.close()
      plane.retire(entry.ticket)
    }
  }
}
