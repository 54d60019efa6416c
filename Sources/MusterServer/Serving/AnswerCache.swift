import MusterAPI
import MusterSystem

/// The answers of operations that are functions of the store, kept until anything is committed to it.
///
/// An answer is found by the target of its request and the whole text of the API key, so that a key which finds one was
/// found good for it: neither key nor rights can have changed without a commit, and when the key expires is kept beside.
/// The keys themselves are not kept. What is looked up is the SHA-256 of both: how long that takes tells nothing about a
/// key to whoever has only the public part of it.
final class AnswerCache: @unchecked Sendable {
  /// Target and key of a request.
  struct Name: Hashable {
    private let digest: [UInt8]

    /// Nil when there is no libcrypto.
    init?(target: [UInt8], key: [UInt8]) {
      // Neither of them holds a NUL.
      guard let digest = Digest.sha256(key + [0] + target) else { return nil }
      self.digest = digest
    }
  }

  /// Together; when there is no more room, all go.
  private static let mostBytes = 4 << 20
  private static let most = 256

  private let lock = Lock()
  private var answers: [Name: KeptAnswer] = [:]
  private var bytes = 0

  /// The answer with this name if it still holds. `changeNumber` is asked when there is one: only then it is worth its
  /// time, and it has to be read after the request has come.
  func answer(_ name: Name, _ changeNumber: () -> Int64?) -> KeptAnswer? {
    guard let kept = lock.withLock({ answers[name] }) else { return nil }
    guard let now = changeNumber() else { return nil }
    if kept.holds(now) { return kept }
    // What else is kept is from before that commit, too, or will soon be made again.
    empty()
    return nil
  }

  func keep(_ answer: KeptAnswer, as name: Name) {
    guard answer.size <= AnswerCache.mostBytes / 4 else { return }
    lock.withLock {
      if let previous = answers[name] { bytes -= previous.size }
      bytes += answer.size
      answers[name] = answer
      guard bytes > AnswerCache.mostBytes || answers.count > AnswerCache.most else { return }
      answers = [name: answer]
      bytes = answer.size
    }
  }

  private func empty() {
    lock.withLock {
      answers = [:]
      bytes = 0
    }
  }
}
