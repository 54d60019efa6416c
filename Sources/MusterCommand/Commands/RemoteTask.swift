import Glibc

/// Waits for a task of a server, which gives this program no events: it asks how the task stands.
enum RemoteTask {
  /// The first pause, and the longest: a key has so many requests an hour.
  private static let pausesMilliseconds = 200...5_000

  /// Waits until the task has ended, or waits for a person; gives it as JSON text.
  static func end(of id: String, on plane: Plane) throws(Failure) -> String {
    let arguments = try Value.object("task_id", id)
    var pause = pausesMilliseconds.lowerBound
    while true {
      var answer: String?
      do throws(Plane.CallFailure) {
        answer = try plane.call("tasks.get", arguments.text)
      } catch {
        // There were too many requests: those that come later are answered.
        guard error.httpStatus == 429 else { throw error.failure }
        pause = pausesMilliseconds.upperBound
      }
      if let answer, try isOver(try Value.parse(answer), plane) { return answer }
      usleep(UInt32(pause * 1000))
      pause = min(pause * 2, pausesMilliseconds.upperBound)
    }
  }

  private static func isOver(_ task: Value, _ plane: Plane) throws(Failure) -> Bool {
    switch task.string("status") {
    case "executing": return false
    case "pending": return try PersonQuestion.find(task.string("id") ?? "", in: plane) != nil
    default: return true
    }
  }
}
