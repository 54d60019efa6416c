import CMicrohttpd
import MusterSystem

/// An answer that is made while it is sent: what stands between its source and the connection. Everything but waking is
/// done by the loop's thread.
final class AnswerStream: @unchecked Sendable {
  /// A comment, which keeps the connection alive and which readers of events pass over.
  private static let heartbeat = Array(": ping\n\n".utf8)

  private let raw: OpaquePointer
  private let streams: Streams
  /// Nil once it was closed: then `raw` is gone as well.
  private var source: (any AnswerSource)?
  private var isListening = false
  /// What was taken and not written yet.
  private var left: ArraySlice<UInt8> = []
  /// How many bytes were written.
  private(set) var sent = 0
  /// Kept by `streams`: whether it was woken since the loop last looked, and whether that is of any use.
  var isWoken = false
  var isOpen = true

  /// Counts as open from now on until `close`.
  init(_ raw: OpaquePointer, _ source: any AnswerSource, _ streams: Streams) {
    self.raw = raw
    self.source = source
    self.streams = streams
    streams.add()
  }

  /// Has `read` called again, if the connection rests.
  func goOn() {
    if source != nil { cmicrohttpd_stream_go_on(raw) }
  }

  /// Writes the next bytes: how many, or what `cmicrohttpd_settings.read` may say instead.
  func read(_ bytes: UnsafeMutablePointer<UInt8>, most: Int, isDue: Bool) -> Int {
    guard let source, !streams.isInterrupted else { return Int(cmicrohttpd_broken) }
    if left.isEmpty {
      switch Inside.stepOut({ piece(of: source, most) }) {
      case .bytes(let piece): left = piece[...]
      case .nothing: break
      case .end: return Int(cmicrohttpd_end)
      }
    }
    if left.isEmpty {
      guard isDue else { return Int(cmicrohttpd_nothing) }
      left = AnswerStream.heartbeat[...]
    }
    let written = left.prefix(most)
    written.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress { bytes.update(from: start, count: buffer.count) }
    }
    sent &+= written.count
    // An empty slice would keep its bytes.
    left = written.count == left.count ? [] : left.dropFirst(written.count)
    return written.count
  }

  private func piece(of source: any AnswerSource, _ most: Int) -> AnswerPiece {
    if !isListening {
      isListening = true
      source.listen { [self] in streams.wake(self) }
    }
    return source.take(maximum: most)
  }

  /// The request has ended.
  func close(isComplete: Bool) {
    guard let source else { return }
    self.source = nil
    left = []
    streams.remove(self)
    Inside.stepOut { source.closed(isComplete: isComplete) }
  }
}
