/// Who reads what a submission gives.
package protocol SubmissionReader: AnyObject, Sendable {
  /// There may be more. From any thread, under locks: brief, and without coming back to the submission.
  func mayHaveMore()
}
