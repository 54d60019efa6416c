/// What schedules have done, in all.
struct Counts {
  var schedules = 0
  var steps = 0
  var turns = 0
  var questions = 0
  var toolCalls = 0
  var effects = 0
  var probes = 0
  var decisions = 0
  var emptyResults = 0
  var events = 0
  var records = 0
  var closes = 0
  var kills = 0
  var powerCuts = 0
  var faults = 0
  var resumed = 0
  var subtasks = 0

  static var names: [(String, WritableKeyPath<Counts, Int>)] {
    [
      ("schedules", \.schedules), ("steps", \.steps), ("turns asked for", \.turns),
      ("questions to models", \.questions),
      ("calls of tools", \.toolCalls), ("effects", \.effects), ("probes", \.probes),
      ("decisions of people", \.decisions),
      ("records checked", \.records), ("events followed", \.events), ("planes closed", \.closes),
      ("processes killed", \.kills), ("power cuts", \.powerCuts), ("failures of the disk", \.faults),
      ("turns gone on with", \.resumed), ("turns of sub-tasks", \.subtasks),
    ]
  }
}
