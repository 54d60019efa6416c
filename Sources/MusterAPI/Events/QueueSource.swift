/// Something whose events are read through a queue.
package protocol QueueSource: AnyObject, Sendable {
  /// Says who reads it; they are told at once.
  func setReader(_ reader: any SubmissionReader)
  /// The next item; nil: nothing now, or nothing any more. One thread at a time.
  func next() -> SubmissionItem?
  /// Lets go of it: nothing is given any more.
  func close()
}

extension Submission: QueueSource {}
