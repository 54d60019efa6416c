/// Names a task among those of all organizations.
package struct TaskName: Hashable, Sendable {
  let organizationID: String
  let taskID: String

  init(_ organizationID: String, _ taskID: String) {
    self.organizationID = organizationID
    self.taskID = taskID
  }
}
