/// A sub-task as its parent shows it.
package struct Subtask: Sendable {
  package let id: String
  package let status: TaskStatus
}
