import MusterEngine
import MusterJSON
import MusterStore

/// Runs a task again from its journal: what models, tools and people said is taken from there, and what follows from it
/// is made anew by the engine and compared with what is on record.
struct TaskReplay {
  private(set) var result: Replay
  private let subtasks: [Subtask]
  private var check = JournalCheck()
  private var run = Run()
  /// Whether this version of the engine began the turn. One of an older version goes on as that version meant it, which
  /// its recorded commands alone say.
  private var isCompared = false
  private var events: TurnEvents?
  /// The tools of the turns that brought new ones, by the numbers of their first records.
  private var lists: [Int64: ToolList] = [:]

  init(task: TaskRow, subtasks: [Subtask]) {
    result = Replay(task: task)
    self.subtasks = subtasks
  }

  /// Takes the next record. After the first that cannot be read the rest means nothing any more.
  mutating func take(_ record: JournalRecord) {
    guard result.problem == nil else { return }
    check.take(record)
    do throws(RunError) {
      try fold(record)
      result.records &+= 1
    } catch {
      if case .unreadable(let what) = error { result.problem = what }
    }
  }

  /// Ends it, when all records were taken.
  mutating func finish() { result.problem = check.problem(with: result.task) ?? result.problem }

  private mutating func fold(_ record: JournalRecord) throws(RunError) {
    var event = try JournalCoding.event(record)
    let recorded = try JournalCoding.commands(record)
    if case .began(let beginning) = event {
      event = .began(try begin(beginning, record))
    }
    if isCompared {
      var next = run
      let made = Command.json(next.apply(event, sequence: record.sequence))
      result.compared &+= 1
      if made.bytes.elementsEqual(record.commands) {
        run = next
      } else {
        if result.difference == nil {
          result.difference = Replay.Difference(
            sequence: record.sequence, turn: record.turn, recorded: .trusted(record.commands), made: made)
        }
        run.replay(event, commands: recorded, sequence: record.sequence)
      }
    } else {
      run.replay(event, commands: recorded, sequence: record.sequence)
    }
    guard var turn = events else { throw .unreadable("task \(result.task.id) has no beginning") }
    result.events += try turn.take(record, from: .start)
    events = turn
  }

  /// Begins a turn, with the tools that it names by their record.
  private mutating func begin(_ beginning: Beginning, _ record: JournalRecord) throws(RunError) -> Beginning {
    run = Run()
    isCompared = beginning.engineVersion == Engine.version
    result.turns &+= 1
    if let list = beginning.tools { lists[record.sequence] = list }
    let lists = lists
    events = TurnEvents(task: result.task, subtasks: subtasks) { lists[$0] }
    guard beginning.tools == nil, let sequence = beginning.toolsRecord else { return beginning }
    guard let list = lists[sequence] else { throw .unreadable("record \(sequence) holds no tools") }
    return Beginning(beginning, tools: list)
  }
}
