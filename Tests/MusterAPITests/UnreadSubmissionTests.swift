import Foundation
import MusterJSON
import MusterRuns
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Submissions that nobody reads")
struct UnreadSubmissionTests {
  private final class Reader: SubmissionReader, @unchecked Sendable {
    // As the entry of a queue has.
    var submission: Submission?
    func mayHaveMore() {}
  }

  /// Whether a submission goes when everything is over; `use` is what happens to it.
  private func goes(_ bench: Bench, _ name: String, _ arguments: String, _ use: (Submission) -> Void) throws -> Bool {
    weak var left: Submission?
    do {
      let submission = try bench.plane.submission(name, try Arguments(try json(arguments)))
      left = submission
      use(submission)
    }
    for _ in 0..<1000 where left != nil { Thread.sleep(forTimeInterval: 0.01) }
    return left == nil
  }

  @Test(
    "what is closed before it begins, while it begins, or is read to its end at once, is let go of",
    arguments: ["agents.invoke_stream", "agents.invoke", "tasks.events", "agents.list"])
  func released(name: String) throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let task = try #require(try bench.invoke(agent)["id"]?.string)
    let arguments = try bench.invocation(agent, "{}", #"{"task_id":"\#(task)"}"#)
    #expect(
      try goes(bench, name, arguments) {
        $0.close()
        $0.run()
      })
    #expect(
      try goes(bench, name, arguments) {
        $0.run()
        $0.close()
      })
    #expect(
      try goes(bench, name, arguments) { submission in
        submission.close()
        let reader = Reader()
        reader.submission = submission
        submission.setReader(reader)
        submission.run()
      })
    #expect(
      try goes(bench, name, arguments) { submission in
        submission.run()
        for _ in 0..<1000 {
          if case .final? = submission.next() { return }
          Thread.sleep(forTimeInterval: 0.01)
        }
        Issue.record("\(name) has no end")
      })
  }

  @Test("a plane that was closed is let go of, with its threads and what was followed")
  func closedPlane() throws {
    weak var left: ThreadPool?
    do {
      let bench = try Bench()
      let agent = try bench.agent()
      let task = try #require(try bench.invoke(agent)["id"]?.string)
      let pool = bench.plane.runs.pool
      left = pool
      let submission = try bench.plane.submission("tasks.events", try Arguments(try json(#"{"task_id":"\#(task)"}"#)))
      submission.run()
      bench.plane.close()
      submission.close()
    }
    for _ in 0..<1000 where left != nil { Thread.sleep(forTimeInterval: 0.01) }
    #expect(left == nil)
  }

  @Test("a run that is to end with its reader does not begin when that has gone before")
  func unread() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let arguments = try bench.invocation(agent, "{}", #"{"on_disconnect":"cancel"}"#)
    let goes = try goes(bench, "agents.invoke_stream", arguments) {
      $0.close()
      $0.run()
    }
    #expect(goes)
    #expect(try bench.call("tasks.list")["total"]?.int64 == 0)
  }
}
