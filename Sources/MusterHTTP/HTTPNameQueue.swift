import CCurl
import MusterSystem

/// Requests of an `HTTPLoop` that wait for others to look a host's name up.
///
/// curl looks a name up on a thread of its own, for each request that does not find it among the known ones: a thousand
/// requests to one host would be a thousand threads. So one request asks for each name, and the others come after it.
/// An address, a known name and an idle connection need no thread, and nobody waits for them.
struct HTTPNameQueue {
  private var asking: [HTTPCall] = []
  private var waiting: [HTTPCall] = []
  private var nextLook = Deadline.never

  /// So many names are looked up at the same time.
  private static let most = 32
  static let tickMilliseconds: Int32 = 100

  /// Whether somebody waits, whose deadline has to be watched.
  var isWaiting: Bool { !waiting.isEmpty }

  /// Whether a request may begin; if not, it waits here.
  mutating func admits(_ call: HTTPCall) -> Bool {
    guard !asking.isEmpty else { return true }
    guard asking.count >= HTTPNameQueue.most || asking.contains(where: { $0.host == call.host }) else { return true }
    if waiting.isEmpty { nextLook = .after(milliseconds: Int64(HTTPNameQueue.tickMilliseconds)) }
    waiting.append(call)
    return false
  }

  /// Takes a request that has begun, if curl looks its host's name up.
  mutating func add(_ call: HTTPCall) {
    if HTTPNameQueue.isAsking(call) { asking.append(call) }
  }

  private static func isAsking(_ call: HTTPCall) -> Bool {
    call.stream.map { !ccurl_request_has_address(ccurl_stream_request($0)) } ?? false
  }

  /// Those that may try again, because a name was found or given up.
  mutating func released() -> [HTTPCall] {
    guard !asking.isEmpty else { return [] }
    let count = asking.count
    asking.removeAll { !HTTPNameQueue.isAsking($0) }
    guard asking.count < count else { return [] }
    return takeWaiting { _ in true }
  }

  /// Those whose time is over.
  mutating func expired() -> [HTTPCall] {
    guard isWaiting, nextLook.hasPassed else { return [] }
    nextLook = .after(milliseconds: Int64(HTTPNameQueue.tickMilliseconds))
    return takeWaiting { $0.deadline.hasPassed }
  }

  /// Those who would have asked for the same name at the same time, as one for whom it was not found.
  mutating func sharingFate(of call: HTTPCall) -> [HTTPCall] {
    takeWaiting { $0.host == call.host && $0.scope == call.scope }
  }

  mutating func takeAll() -> [HTTPCall] { takeWaiting { _ in true } }

  private mutating func takeWaiting(_ isTaken: (HTTPCall) -> Bool) -> [HTTPCall] {
    var taken: [HTTPCall] = []
    var kept: [HTTPCall] = []
    for call in waiting {
      if isTaken(call) { taken.append(call) } else { kept.append(call) }
    }
    waiting = kept
    return taken
  }
}
