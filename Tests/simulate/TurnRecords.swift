import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore

/// What the journal says of one turn.
struct TurnRecords {
  private(set) var number: Int64 = 0
  /// The number of the turn among those that were asked for.
  private(set) var prompt: Int?
  private(set) var end: TaskStatus?
  /// How often the model was to be asked, and tools were.
  private(set) var questions = 0
  private(set) var calls: Set<String> = []
  private(set) var resumes = 0
  /// The call of another task that it answers.
  private(set) var answers: String?
  /// The ids of all calls.
  private(set) var keys: [String] = []
  private var found: [String] = []
  /// Of the last answer with calls: their ids, and what came of each.
  private var open: [String] = []
  private var isSequence = false
  private var results: [Int: ToolReturned] = [:]
  private var told: [(key: String, result: ToolReturned)] = []

  mutating func take(_ record: JournalRecord) {
    number = record.turn
    do {
      take(try JournalCoding.event(record))
      for command in try JournalCoding.commands(record) { take(command) }
    } catch {
      found.append("record \(record.sequence) cannot be read")
    }
  }

  private mutating func take(_ event: Event) {
    switch event {
    case .began(let beginning):
      answers = beginning.delegated?.call
      if answers == nil { prompt = Turn.number(of: beginning.request["input"]?["text"]?.string ?? "") }
      // The agents of a sequence are asked without a model.
      if let calls = beginning.team?.calls(sequence: 0) {
        open = calls.requests.indices.map { calls.id($0) }
        keys += open
        isSequence = true
      }
    case .modelAnswered(let answer):
      isSequence = false
      open = answer.calls.indices.map { "\(answer.key ?? "")-\($0)" }
      results = [:]
      if Set(open).intersection(keys).isEmpty { keys += open } else { found.append("two calls have one id") }
    case .toolReturned(let returned):
      guard open.indices.contains(returned.call) else { return found.append("a result of no call") }
      if results[returned.call] != nil { found.append("two results of one call") }
      results[returned.call] = returned
      told.append((open[returned.call], returned))
    case .resumed: resumes += 1
    default: break
    }
  }

  private mutating func take(_ command: Command) {
    switch command {
    case .askModel:
      questions += 1
      // Each call has its result before the model is asked again.
      if results.count != open.count, !isSequence {
        found.append("the model is asked while \(open.count - results.count) calls are open")
      }
      open = []
      results = [:]
    case .callTool(let call, _): if open.indices.contains(call), !isSequence { calls.insert(open[call]) }
    case .finish(let finish):
      switch finish.status {
      case .completed: end = .completed
      case .failed: end = .failed
      case .error: end = .error
      case .stopped: end = .stopped
      }
    default: break
    }
  }

  /// What is wrong with the turn.
  func problems(_ effects: Effects) -> [String] {
    var found = found
    for (key, result) in told {
      let text = result.result.string ?? ""
      let isDone = effects.isDone(key)
      if !result.isError, text.hasPrefix("did "), !isDone { found.append("\(key) is told as done, and was not") }
      if isDone, text.contains("not called:") || text.contains("not begun") {
        found.append("\(key) was done, and is told as not: \(text)")
      }
    }
    return found
  }
}
