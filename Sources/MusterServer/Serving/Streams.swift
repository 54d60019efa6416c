import CMicrohttpd
import MusterSystem

/// The answers of a server that are made while they are sent: which of them were woken, how many are open, and their end.
final class Streams: @unchecked Sendable {
  private let lock = Lock()
  /// Nil before the server began and after it ended: then there is nobody to wake.
  private var loop: OpaquePointer?
  private var woken: [AnswerStream] = []
  private var open = 0
  /// Whether all of them are ended wherever they are. The loop's own.
  private(set) var isInterrupted = false

  /// How many have not ended.
  var count: Int { lock.withLock { open } }

  /// Wakes this loop from now on.
  func begin(_ loop: OpaquePointer) { lock.withLock { self.loop = loop } }

  func add() { lock.withLock { open &+= 1 } }

  func remove(_ stream: AnswerStream) {
    lock.withLock {
      open &-= 1
      stream.isOpen = false
    }
  }

  /// Has the loop look at a stream again. From any thread, also when stream or server have ended.
  func wake(_ stream: AnswerStream) {
    lock.withLock {
      guard let loop, stream.isOpen, !stream.isWoken else { return }
      stream.isWoken = true
      woken.append(stream)
      // The first of them has woken the loop for all that come before it looks.
      if woken.count == 1 { cmicrohttpd_server_wake(loop) }
    }
  }

  /// Those that were woken since; from now on they can be woken again.
  func takeWoken() -> [AnswerStream] {
    lock.withLock {
      guard !woken.isEmpty else { return [] }
      var taken: [AnswerStream] = []
      swap(&taken, &woken)
      for stream in taken { stream.isWoken = false }
      return taken
    }
  }

  /// Ends all of them wherever they are, and those that come.
  func interrupt(_ loop: OpaquePointer) {
    isInterrupted = true
    cmicrohttpd_server_cut_streams(loop)
  }

  /// The loop is about to be freed.
  func end() {
    lock.withLock {
      loop = nil
      woken = []
    }
  }
}
