/// `muster store …`.
enum StoreCommands {
  static let all = [
    Command(
      "store check", "Look whether the store is whole.",
      details: """
        Checks the file, what belongs to what, the counts of lists, and that the journal of each task leads to what the task \
        says. Others can use the store meanwhile.
        """, run: check),
    Command(
      "store backup", "Write a copy of the store, as it is at one moment, into a new file.",
      operands: [.init("FILE", completion: .files)],
      details: "Others can use the store meanwhile. The copy is a store itself. A file that is there is not touched.",
      run: backup),
  ]

  @Sendable private static func check(_ session: Session) throws(Failure) -> Int32 {
    guard let arguments = Value.object() else { throw .outOfMemory }
    let plane = try session.open()
    let spinner = Spinner("checking")
    defer { spinner.stop() }
    let answer = try plane.answer("store.check", arguments, timeoutMilliseconds: -1)
    spinner.stop()
    let found = try Value.parse(answer)
    let isWhole = found.flag("ok")
    if session.isJSON {
      session.printJSON(answer)
    } else {
      for problem in found.member("problems")?.texts ?? [] { Output.text(problem + "\n") }
      Output.text(
        isWhole
          ? "ok: \(found.integer("agents")) agents, \(found.integer("tasks")) tasks, \(found.integer("records")) records, "
            + "\(found.integer("bytes")) bytes\n"
          : "\(found.integer("problem_count")) problems\n")
    }
    return isWhole ? ExitCode.success : ExitCode.damaged
  }

  @Sendable private static func backup(_ session: Session) throws(Failure) -> Int32 {
    guard let arguments = Value.object() else { throw .outOfMemory }
    arguments.set("body", try Value.object("path", session.operand(0)))
    let plane = try session.open()
    let spinner = Spinner("copying")
    defer { spinner.stop() }
    let answer = try plane.answer("store.backup", arguments, timeoutMilliseconds: -1)
    spinner.stop()
    if session.isJSON {
      session.printJSON(answer)
    } else {
      Output.note("\(session.operand(0)), \(try Value.parse(answer).integer("bytes")) bytes")
    }
    return ExitCode.success
  }
}
