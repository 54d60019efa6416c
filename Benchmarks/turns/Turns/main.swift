// turns FOLDER ROUNDS COUNT RESUMES RUNS - turns with a tool whose answers are injected at the driver's model seam, from 64 callers, against the durable
// commits that they owe, made by a C program with the same group commit; and going on with RUNS runs that a process left in the midst of such a
// turn, against reading their journals.

import BenchFloor
import Glibc
import MusterRuns
import MusterSystem

private let callers: Int32 = 64

private final class Load {
  let plant: Plant
  let each: Int
  init(_ plant: Plant, each: Int) {
    self.plant = plant
    self.each = each
  }
}

/// Nanoseconds for each turn.
private func turns(_ plant: Plant, each: Int) -> Double {
  let load = Unmanaged.passRetained(Load(plant, each: each))
  defer { load.release() }
  let time = bench_threads(
    callers,
    { _, context in
      guard let context else { return }
      let load = Unmanaged<Load>.fromOpaque(context).takeUnretainedValue()
      for _ in 0..<load.each { load.plant.turn() }
    }, load.toOpaque())
  return time / Double(Int(callers) * each)
}

private func measureTurns(_ folder: String, rounds: Int, each: Int) {
  let kinds: [(figure: Int32, tool: String, commits: Int32, file: String)] = [
    (0, "", 4, "once"), (1, #","read_only":true"#, 2, "read"),
  ]
  floor_open("\(folder)/turns-floor.db")
  for kind in kinds {
    let plant = Plant("\(folder)/turns-\(kind.file).db", tool: kind.tool)
    for round in -1..<rounds {
      let ours = turns(plant, each: each)
      let floor = floor_turns(callers, each, kind.commits)
      if round >= 0 { bench_round(kind.figure, ours, floor) }
    }
    plant.close()
  }
  bench_print(0, "64 callers, a turn with a tool that changes something", 1e3, "us", 5)
  bench_print(1, "64 callers, a turn with a tool that only reads", 1e3, "us", 5)
}

private func copy(_ from: String, _ to: String) {
  for tail in ["", "-wal"] {
    remove(to + tail)
    if system("cp '\(from + tail)' '\(to + tail)'") != 0 { bench_die("a store cannot be copied") }
  }
}

private func measureResume(_ folder: String, rounds: Int, runs: Int) throws {
  let path = "\(folder)/resume.db"
  let left = "\(folder)/resume-left.db"
  let plant = Plant(path, tool: #","read_only":true"#, hangs: true, isDurable: false)
  for _ in 0..<runs {
    try plant.driver.launch(
      plant.invocation(), deadline: .never, onBusy: .enqueue, interrupt: .init(), listener: Deaf())
  }
  plant.model.waitForQuestions(runs)
  // What a process leaves that is killed now.
  copy(path, left)
  plant.model.forget()
  plant.close()
  for round in -1..<rounds {
    let store = "\(folder)/resume-\(round).db"
    copy(left, store)
    var records = 0
    let floor = floor_read(store, &records)
    if records != runs * 3 { bench_die("\(records) records were left") }
    copy(left, store)
    let start = bench_now()
    let plant = Plant(store, tool: #","read_only":true"#, hangs: true, isNew: false)
    try plant.driver.takeInventory()
    try plant.driver.resume()
    plant.model.waitForQuestions(runs)
    if round >= 0 { bench_round(2, bench_now() - start, floor) }
    plant.model.forget()
    plant.close()
  }
  bench_print(2, "going on with \(runs) runs", 1e6, "ms", 3)
}

private final class Deaf: FlightListener {
  func begun(_ turn: LiveTurn) {}
  func ended(_ end: FlightEnd) {}
}

private let numbers = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
guard numbers.count == 4 else {
  bench_die("FOLDER ROUNDS COUNT RESUMES RUNS")
}
private let folder = CommandLine.arguments[1]
measureTurns(folder, rounds: numbers[0], each: numbers[1] / Int(callers))
do {
  try measureResume(folder, rounds: numbers[2], runs: numbers[3])
} catch {
  bench_die("the runs are not gone on with")
}
