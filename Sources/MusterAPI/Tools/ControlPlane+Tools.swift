package import MusterJSON
import MusterRuns
import MusterSystem
package import MusterTools

extension ControlPlane {
  /// Registers a tool of the host. When it throws, the handler is the caller's, and is not released.
  package func registerTool(_ spec: ToolSpec, _ handler: any ToolHandler) throws(Failure) {
    do throws(ToolRegistryError) {
      try tools.register(spec, handler)
    } catch {
      throw Failure(error, of: spec.name)
    }
    runs.toolCame()
  }

  /// Goes on with the runs that earlier processes, or this plane's last life, left unfinished.
  package func resume() throws(Failure) {
    try gate.pass(Interrupt()) { () throws(Failure) in
      do throws(RunError) {
        try runs.resume()
      } catch {
        throw Failure(error)
      }
    }
  }

  /// Unregisters a tool: its calls end with an error, and the host's code is waited for.
  package func unregisterTool(_ name: String) throws(Failure) {
    do throws(ToolRegistryError) {
      try tools.unregister(name)
    } catch {
      throw Failure(error, of: name)
    }
  }

  /// How deep an answer may be: it stands within others that have to stay within what the library reads itself.
  private static var answerDepth: Int { 100 }

  /// Answers a call of a tool.
  package func answerTool(_ callID: String, _ content: JSON, isError: Bool) throws(Failure) {
    if content.isDeeper(than: ControlPlane.answerDepth) { throw Failure(.limit, "result_json is nested too deep") }
    do throws(ToolRegistryError) {
      try tools.reply(callID, content, isError: isError)
    } catch {
      throw Failure(error, of: callID)
    }
  }

  /// Refuses a call that waits for a run of a task, when a tool that the task waits for makes it on this thread.
  package func refuseWaitingForItself(
    _ operation: Operation, _ arguments: Arguments, as caller: Caller?
  ) throws(Failure) {
    guard ToolThread.isInCall, operation.form != .answer else { return }
    var id = arguments.body?["id"]
    // No operation that waits has both.
    for parameter in arguments.parameters where parameter.name == "task_id" { id = parameter.value }
    let organization = caller?.organizationID ?? host.organizationID
    guard let task = id?.string, ToolThread.serves(organization, task) else { return }
    throw Failure(.wouldDeadlock, "the task waits for the tool that makes this call")
  }
}

extension Failure {
  /// `name`: of the tool, or the call.
  fileprivate init(_ error: ToolRegistryError, of name: String) {
    let (status, words): (Status, StaticString)
    switch error {
    case .nameTaken: (status, words) = (.misuse, "a tool with this name is registered already")
    case .unknownTool: (status, words) = (.misuse, "no tool has this name")
    case .unknownCall: (status, words) = (.misuse, "no call of a tool waits for this answer")
    case .full: (status, words) = (.limit, "the plane has as many tools as it can have")
    case .wouldWaitForItself: (status, words) = (.wouldDeadlock, "a call of a tool may not unregister one")
    case .closed: (status, words) = (.closed, "the plane is closed")
    }
    self.init(status, "\(name): \(words)")
  }
}
