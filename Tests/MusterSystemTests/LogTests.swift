import MusterSystem
import TestSupport
import Testing

@Suite("Log, Random, Environment")
struct LogTests {
  @Test("A line reaches the host's function with its level and component")
  func line() {
    let lines = Shared<[String]>([])
    let log = Log { level, component, message in lines.change { $0.append("\(level.rawValue) \(component) \(message)") }
    }
    log.write(.error, "store", "full")
    log.write(.debug, "runs", "begun")
    #expect(lines.value == ["1 store full", "4 runs begun"])
  }

  @Test("A message that nobody reads is not built")
  func lazy() {
    let built = Shared(0)
    func message() -> String {
      built.change { $0 += 1 }
      return ""
    }
    Log.none.write(.error, "store", message())
    #expect(built.value == 0)
    Log(sink: { _, _, _ in }).write(.error, "store", message())
    #expect(built.value == 1)
  }

  @Test("A random number is below its bound; a bound without numbers gives 0")
  func below() {
    var seen: Set<Int> = []
    for _ in 0..<1000 { seen.insert(Random.below(4)) }
    #expect(seen == [0, 1, 2, 3])
    #expect(Random.below(1) == 0)
    #expect(Random.below(0) == 0)
    #expect(Random.below(.min) == 0)
    #expect((0..<Int.max).contains(Random.below(.max)))
  }

  @Test("A variable that is set has its text, one that is not has none")
  func environment() throws {
    let path = try #require(Environment.value("PATH"))
    #expect(!path.isEmpty)
    #expect(Environment.value("MUSTER_NO_SUCH_VARIABLE") == nil)
  }
}
