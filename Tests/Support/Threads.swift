import Foundation
import Testing

/// Runs `body` on `count` threads at once, with their numbers from 0, and returns when all have ended.
package func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  let group = DispatchGroup()
  for number in 0..<count {
    group.enter()
    Thread.detachNewThread {
      body(number)
      group.leave()
    }
  }
  group.wait()
}

/// A value that threads share.
package final class Shared<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var stored: Value

  package init(_ value: Value) { stored = value }

  package var value: Value { lock.withLock { stored } }
  package func change(_ body: (inout Value) -> Void) { lock.withLock { body(&stored) } }
}

/// Something took longer than a test waits.
package struct TooLate: Error {
  package init() {}
}

/// Something that a thread of its own makes.
package final class Later<Value>: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var result: Result<Value, any Error>?

  package init(_ body: @escaping @Sendable () throws -> Value) {
    let thread = Thread {
      self.result = Result { try body() }
      self.done.signal()
    }
    thread.stackSize = 1 << 20
    thread.start()
  }

  package var isDone: Bool {
    guard done.wait(timeout: .now()) == .success else { return false }
    done.signal()
    return true
  }

  package func value(seconds: Int = 30) throws -> Value {
    guard done.wait(timeout: .now() + .seconds(seconds)) == .success, let result else { throw TooLate() }
    done.signal()
    return try result.get()
  }

  /// The error that it ended with; nil when it gave a value.
  package func error<Failure: Error>(_: Failure.Type, seconds: Int = 30) throws -> Failure? {
    do {
      _ = try value(seconds: seconds)
      return nil
    } catch let error as Failure {
      return error
    }
  }
}

/// Waits until something is so, and records an issue when it is not in time.
package func awaitTrue(_ what: String, seconds: Double = 20, _ condition: () throws -> Bool) throws {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if try condition() { return }
    Thread.sleep(forTimeInterval: 0.005)
  }
  Issue.record("in vain: \(what)")
  throw TooLate()
}
