import CPlatform
import MusterAPI
import MusterJSON
import MusterSystem

/// Writes a JSON line for each request through the log of the plane, on a thread of its own: the host's function may take
/// its time, and may wait for a thread that forks.
final class RequestLog: @unchecked Sendable {
  /// More lines than this are not kept waiting: the loop waits for the host then.
  private static let most = 16_384

  private let log: Log
  private let lock = Lock()
  private let changed = Condition()
  private var waiting: [Record] = []
  private var isStopping = false
  private var thread: UInt64?

  /// What a line tells: nothing of what headers, query or bodies held.
  struct Record: Sendable {
    let moment = Timestamp.now()
    let facts: RESTAnswer.Facts
    let trace: String?
    let method: String?
    let status: UInt32
    let durationMicroseconds: Int64
    let bytesIn: Int
    let bytesOut: Int
    let remote: String
  }

  /// Nil when there is no thread for it.
  init?(_ log: Log) {
    self.log = log
    var thread: UInt64 = 0
    let pointer = Unmanaged.passRetained(self).toOpaque()
    let failure = platform_thread_start_joined(
      "muster-requests",
      { pointer in
        guard let pointer else { return }
        Unmanaged<RequestLog>.fromOpaque(pointer).takeRetainedValue().run()
      }, pointer, &thread)
    guard failure == 0 else {
      Unmanaged<RequestLog>.fromOpaque(pointer).release()
      return nil
    }
    self.thread = thread
  }

  func add(_ record: Record) {
    lock.withLock {
      waiting.append(record)
      if waiting.count == 1 { changed.broadcast() }
    }
  }

  /// Waits while the host is too far behind. Called outside of the fork gate.
  func waitForRoom() {
    lock.withLock {
      while waiting.count > RequestLog.most, !isStopping { _ = changed.wait(lock) }
    }
  }

  private func run() {
    lock.lock()
    while true {
      if waiting.isEmpty {
        if isStopping { break }
        _ = changed.wait(lock)
        continue
      }
      var records: [Record] = []
      swap(&records, &waiting)
      changed.broadcast()
      lock.unlock()
      for record in records { log.write(.info, "request", RequestLog.line(record)) }
      lock.lock()
    }
    lock.unlock()
  }

  /// Writes what waits, and ends the thread.
  func stop() {
    let thread = lock.withLock { () -> UInt64? in
      isStopping = true
      changed.broadcast()
      defer { self.thread = nil }
      return self.thread
    }
    if let thread { platform_thread_join(thread) }
  }

  private static func line(_ record: Record) -> String {
    var writer = JSONWriter(capacity: 384)
    writer.beginObject()
    writer.member("time", record.moment.iso8601)
    writer.member("request_id", record.facts.requestID)
    writer.member("trace", record.trace)
    writer.member("method", record.method)
    writer.member("route", record.facts.route)
    writer.member("status", Int64(record.status))
    writer.member("duration_us", record.durationMicroseconds)
    writer.member("bytes_in", Int64(record.bytesIn))
    writer.member("bytes_out", Int64(record.bytesOut))
    writer.member("key", record.facts.keyID)
    writer.member("organization", record.facts.organizationID)
    writer.member("remote", record.remote)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
