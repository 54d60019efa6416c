import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI

@Suite("tasks.replay")
struct ReplayTests {
  @Test("gives the events of the task byte for byte as tasks.events does, and says that nothing else follows from them")
  func events() throws {
    let bench = try Bench()
    let agent = try bench.agent("script:one|two", #"{"instructions":{"general":"caf\u00e9"}}"#)
    _ = try bench.invoke(agent, #"{"id":"t","input":{"text":"1 \u00e9","user":{"email":"a@b"}}}"#)
    _ = try bench.invoke(agent, #"{"id":"t"}"#)
    _ = try bench.invoke(agent, #"{"id":"below","parent_execution_id":"t"}"#)
    _ = try bench.invoke(try bench.agent("status:400"), #"{"id":"broken"}"#)
    for id in ["t", "below", "broken"] {
      let replay = try bench.call("tasks.replay", #"{"task_id":"\#(id)"}"#)
      #expect(
        replay.keys == [
          "task_id", "status", "is_identical", "turns", "records", "compared", "difference", "problem", "events",
        ])
      #expect(replay["task_id"]?.string == id)
      #expect(replay["is_identical"]?.bool == true)
      #expect(replay["difference"]?.isNull == true)
      #expect(replay["problem"]?.isNull == true)
      let events = try bench.call("tasks.events", #"{"task_id":"\#(id)"}"#)
      #expect(events.elements.count >= 3)
      #expect(text(replay["events"]) == text(events))
    }
  }
}
