import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Writes the task object, every documented key of it.
enum TaskDocument {
  static func make(_ snapshot: TaskSnapshot) throws(Failure) -> [UInt8] {
    let task = snapshot.task
    let beginning: Beginning
    do throws(RunError) {
      beginning = try snapshot.beginning()
    } catch {
      throw Failure(error)
    }
    let request = beginning.request
    var writer = JSONWriter(capacity: request.bytes.count + 2048)
    writer.beginObject()
    writer.member("id", task.id)
    writer.member("agent_id", task.agentID)
    writer.member("organization_id", task.organizationID)
    writer.key("input")
    writeInput(request["input"], to: &writer)
    writer.member("status", task.status.word)
    writer.member("internal_status", task.internalStatus)
    writer.member("last_executed_node_id", nil as String?)
    writer.member("agent_version", beginning.requestedVersion)
    writer.member("created_at", task.createdAt.iso8601)
    writer.member("started_at", task.startedAt?.iso8601)
    writer.member("paused_at", task.status == .paused ? task.updatedAt.iso8601 : nil)
    writer.member("finished_at", task.finishedAt?.iso8601)
    writer.member("result", snapshot.result)
    writer.member("parent_execution", task.parentID)
    writeIDs("sub_executions", snapshot.subtasks, to: &writer)
    writeIDs("finished_sub_executions", snapshot.subtasks.filter { $0.status.isFinal }, to: &writer)
    writer.member("is_manually_stopped", task.isManuallyStopped)
    writer.member("payload_extension", request["payload_extension"])
    writer.key("hitl_request")
    if let request = snapshot.request { write(request, to: &writer) } else { writer.null() }
    writer.member("pending_eca_request", nil as JSON?)
    writer.member("source", request["source"] ?? .literal("\"api\""))
    writer.member("worker_id", request["worker_id"])
    writer.member("additional_context", request["additional_context"])
    writer.member("expected_output", request["expected_output"])
    writer.member("title", request["title"])
    writer.member("triggering_agent_id", request["triggering_agent_id"])
    writer.member("instructions_override", request["instructions_override"])
    writer.member("test_run_node_id", request["test_run_node_id"])
    writer.member("is_orchestration", false)
    writer.member("output_format", beginning.format.rawValue)
    writer.member("voice_id", nil as String?)
    writer.member("output_schema", beginning.schema)
    writer.member("events_streaming", request["events_streaming"]?.bool ?? false)
    writer.member("used_mutating_tools", false)
    writer.member("is_continuous", false)
    writer.member("mcp_servers", .literal("[]"))
    writer.member("think_mode", request["think_mode"] ?? .literal("\"default\""))
    writer.member("disable_attachment_injection", request["disable_attachment_injection"]?.bool ?? false)
    writer.member(
      "deep_planning",
      .literal(#"{"enabled":false,"enforce":false,"started":false,"question_raised":false,"tasks":[]}"#))
    writer.member("execution_attempts", 1 as Int64)
    writer.member("user_tokens", nil as JSON?)
    writer.member("user_oidc_token", nil as JSON?)
    writer.member("return_metrics", false)
    writeTokens(task, to: &writer)
    writer.member("llm_model_provider", beginning.provider)
    writer.member("llm_model_name", beginning.model)
    writer.member("llm_reasoning_effort", beginning.reasoningEffort ?? "medium")
    if let source = task.forkedFrom {
      writer.key("forked_from")
      writer.beginObject()
      writer.member("task_id", source)
      writer.member("event", task.forkedAt)
      writer.endObject()
    }
    writer.endObject()
    return writer.bytes
  }

  /// What a person is asked, in the form of the contract's first era, which has the most to tell; and what is decided by
  /// `request_id`.
  private static func write(_ asked: PersonRequest, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("request_id", asked.id)
    writer.member("operation_id", asked.request.name)
    writer.member("question", asked.question.rawValue)
    writer.member("title", asked.approval?.present("title"))
    writer.member("description", asked.approval?.present("description"))
    writer.member("content", asked.request.arguments)
    writer.endObject()
  }

  private static func writeInput(_ input: JSON?, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("text", input?.present("text") ?? .literal("\"\""))
    writer.member("files", input?.present("files") ?? .literal("[]"))
    writer.member("user", input?.present("user").map { $0.setting([("display_name", .string(displayName($0)))]) })
    writer.endObject()
  }

  /// First and last name, else the e-mail address, else the id.
  private static func displayName(_ user: JSON) -> String {
    let names = [user["first_name"]?.string, user["last_name"]?.string].compactMap { $0 }.filter { !$0.isEmpty }
    if !names.isEmpty { return names.joined(separator: " ") }
    if let email = user["email"]?.string, !email.isEmpty { return email }
    return user["id"]?.string ?? ""
  }

  private static func writeIDs(_ key: StaticString, _ tasks: [Subtask], to writer: inout JSONWriter) {
    writer.key(key)
    writer.beginArray()
    for task in tasks { writer.value(task.id) }
    writer.endArray()
  }

  private static func writeTokens(_ task: TaskRow, to writer: inout JSONWriter) {
    writer.key("tokens")
    guard let prompt = task.promptTokens, let completion = task.completionTokens else {
      writer.null()
      return
    }
    writer.beginObject()
    writer.member("completion_tokens", completion)
    writer.member("prompt_tokens", prompt)
    writer.member("total_tokens", prompt &+ completion)
    writer.endObject()
  }

  /// A task as lists show it.
  static func item(_ row: TaskListRow) -> [UInt8] {
    let task = row.task
    var writer = JSONWriter(capacity: 512)
    writer.beginObject()
    writer.member("id", task.id)
    writer.member("agent_id", task.agentID)
    writer.member("organization_id", task.organizationID)
    writer.member("status", task.status.word)
    writer.member("user_id", task.userID)
    writer.member("parent_task_id", task.parentID)
    writer.member("triggering_agent_id", task.triggeringAgentID)
    writer.member("created_at", task.createdAt.iso8601)
    writer.member("updated_at", task.updatedAt.iso8601)
    // What the documented service shows for tasks that were made through its API.
    writer.member("source_node_type", "sdk")
    writer.member("result", row.result.flatMap { JournalCoding.result($0) })
    writer.member("title", task.title)
    writer.endObject()
    return writer.bytes
  }
}
