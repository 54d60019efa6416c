import Foundation
import MusterJSON
import MusterSystem
import MusterTools

/// A host for tests: notes what it hears, and does what it is made with.
final class HostStub: ToolHandler, @unchecked Sendable {
  private let lock = NSCondition()
  private var heard: [(callID: String, json: [UInt8])] = []
  private var cancelled: [String] = []
  private var releases = 0
  private var open = 0
  private var mostOpen = 0
  let isQueue: Bool
  private let body: @Sendable (String) -> Void

  init(isQueue: Bool = false, _ body: @escaping @Sendable (String) -> Void = { _ in }) {
    self.isQueue = isQueue
    self.body = body
  }

  private func change<Value>(_ change: () -> Value) -> Value {
    lock.withLock {
      defer { lock.broadcast() }
      return change()
    }
  }

  func call(_ callID: String, _ json: [UInt8]) {
    change {
      heard.append((callID, json))
      open += 1
      mostOpen = max(mostOpen, open)
    }
    body(callID)
    change { open -= 1 }
  }

  func cancel(_ callID: String) { change { cancelled.append(callID) } }
  func release() { change { releases += 1 } }

  var calls: [String] { lock.withLock { heard.map { $0.callID } } }
  var texts: [String] { lock.withLock { heard.map { String(decoding: $0.json, as: UTF8.self) } } }
  var cancels: [String] { lock.withLock { cancelled } }
  var timesReleased: Int { lock.withLock { releases } }
  var threadsInside: Int { lock.withLock { open } }
  var mostThreadsInside: Int { lock.withLock { mostOpen } }

  /// Waits until something holds; false after ten seconds.
  func waits(until holds: (HostStub) -> Bool) -> Bool {
    let end = Date().addingTimeInterval(10)
    while !holds(self) {
      if Date() > end { return false }
      usleep(500)
    }
    return true
  }
}
