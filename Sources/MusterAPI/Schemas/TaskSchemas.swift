/// The schemas of tasks and of invoking, as JSON text by name.
enum TaskSchemas {
  static let all: [(name: String, text: String)] = [
    ("InvokeAgent", invoke),
    ("ApproveTask", approve), ("RejectTask", reject), ("ForkTask", fork),
    ("InvokeInput", input),
    ("User", user),
    ("AgentExecution", execution),
    ("TasksListItem", listItem),
    ("TasksListItemPage", SharedSchemas.page(of: "TasksListItem")),
    ("ThreadMessage", message),
    ("Thread", ##"{"type":"array","items":{"$ref":"#/components/schemas/ThreadMessage"}}"##),
    ("TaskEvent", event),
    ("TaskEvents", ##"{"type":"array","items":{"$ref":"#/components/schemas/TaskEvent"}}"##),
    ("ActivityEntry", activityEntry),
    ("TaskActivity", activity),
    ("TaskReplay", replay),
    (
      "FullThread",
      ##"{"type":"object","properties":{"root":{"$ref":"#/components/schemas/Thread"}},"required":["root"],"##
        + ##""additionalProperties":{"$ref":"#/components/schemas/Thread"}}"##
    ),
  ]

  /// The statuses of a task.
  static let statuses = #"["pending","executing","paused","error","failed","completed","stopped"]"#

  private static let invoke = """
    {"type":"object","description":"What to run the agent on. A known id continues its thread.","properties":{\
    "input":{"$ref":"#/components/schemas/InvokeInput"},\
    "id":{"type":["string","null"],"minLength":1,"maxLength":255},\
    "title":{"type":["string","null"]},\
    "output_format":{"type":["string","null"],"enum":["text","markdown","json","voice",null]},\
    "output_schema":{"type":["object","null"]},\
    "additional_context":{"type":["string","null"]},\
    "instructions_override":{"type":["string","null"]},\
    "expected_output":{"type":["string","null"]},\
    "think_mode":{"type":["string","null"],"enum":["default","harder",null],"x-muster-inactive":true,"x-muster-neutral":"default"},\
    "disable_attachment_injection":{"type":["boolean","null"]},\
    "parent_execution_id":{"type":["string","null"],"minLength":1,"maxLength":255},\
    "triggering_agent_id":{"type":["string","null"]},\
    "payload_extension":{"type":["object","null"]},\
    "source":{"type":["string","null"]},\
    "mcp_servers":{"type":["array","null"],"x-muster-inactive":true},\
    "events_streaming":{"type":["boolean","null"]},\
    "worker_id":{"type":["string","null"],"x-muster-inactive":true},\
    "run_locally":{"type":["boolean","null"],"x-muster-inactive":true,"x-muster-neutral":false},\
    "user_tokens":{"type":["object","null"],"x-muster-inactive":true},\
    "user_oidc_token":{"type":["string","null"],"x-muster-inactive":true},\
    "test_run_node_id":{"type":["string","null"],"x-muster-inactive":true},\
    "return_metrics":{"type":["boolean","null"],"x-muster-inactive":true,"x-muster-neutral":false},\
    "llm_model_provider":{"anyOf":[\(AgentProperty.providerEnumeration),{"type":"null"}]},\
    "llm_model_name":{"type":["string","null"],"minLength":1},\
    "llm_reasoning_effort":{"type":["string","null"],"enum":["low","medium","high","xhigh",null]},\
    "tool_call_limit":{"type":["integer","null"],"minimum":0,\
    "description":"How many calls of tools are made; the model is told when there are no more. 0: any number. Default: the agent's."},\
    "limits":{"type":["object","null"],"description":"What the turn may use up; crossing a limit ends it, `failed`.",\
    "properties":{"model_calls":{"type":"integer","minimum":1,"description":"How often the model is asked. Default for agents with tools: 100."},\
    "tool_calls":{"type":"integer","minimum":0},"input_tokens":{"type":"integer","minimum":1},\
    "output_tokens":{"type":"integer","minimum":1},\
    "cost":{"type":"number","exclusiveMinimum":0,"maximum":1000000,"description":"US dollars, by the plane's prices."},\
    "seconds":{"type":"integer","minimum":1,"description":"From the beginning of the turn; waiting for people counts."},\
    "depth":{"type":"integer","minimum":0,"description":"How many tasks may be below each other; 0: no agent is started. Default: 8."}},"additionalProperties":false},\
    "harness_cli":{"type":["string","null"],"x-muster-inactive":true},\
    "permission_mode":{"type":["string","null"],"enum":["full","gated",null],"x-muster-inactive":true}},"required":["input"]}
    """

  private static let approve = """
    {"type":"object","description":"A person's decision about the call that a task is paused for (`hitl_request`).","properties":{\
    "request_id":{"type":["string","null"],"description":"Which call, as `hitl_request` names it; the one that it shows by default."},\
    "decision":{"type":["string","null"],"enum":["proceed","done","not_done","give_up",null],"description":"Asked for approval: \
    `proceed` (the default) makes the call. Asked for the outcome, where one of these has to be given: `done` takes the call as made, \
    `not_done` makes it again. `give_up` ends the task, `failed`, `given_up`, whatever was asked."},\
    "comment":{"type":["string","null"],"maxLength":65536,"description":"With `done`: what the model is told as the result. With `give_up`: \
    why, in the task's result. Kept in the task's journal."},\
    "user":{"type":["string","null"],"maxLength":255,"description":"Who decided; kept in the task's journal."}}}
    """

  private static let reject = """
    {"type":"object","properties":{"request_id":{"type":["string","null"],"description":"Which call, as `hitl_request` names it; the one \
    that it shows by default."},\
    "comment":{"type":["string","null"],"maxLength":65536,"description":"Why; the model is told, or the task's result tells it."},\
    "user":{"type":["string","null"],"maxLength":255,"description":"Who decided; kept in the task's journal."}}}
    """

  private static let fork = """
    {"type":"object","description":"Where a new task goes on from, and with what it does. `input` is asked in place of the turn's own; behind \
    the last event of a turn it is that of a further one, and required.","properties":{\
    "event":{"type":["integer","string"],"minimum":1,"description":"The last event that the new task has of the other one: the number of a \
    record in the journal, or the id of an event, which stands for its record."},\
    "input":{"$ref":"#/components/schemas/InvokeInput"},\
    "instructions":{"type":["string","null"],"minLength":1,"description":"Takes the place of the agent's instructions (general, role and \
    goal) in this turn."},\
    "llm_model_provider":{"anyOf":[\(AgentProperty.providerEnumeration),{"type":"null"}]},\
    "llm_model_name":{"type":["string","null"],"minLength":1},\
    "llm_reasoning_effort":{"type":["string","null"],"enum":["low","medium","high","xhigh",null]},\
    "title":{"type":["string","null"]}},"required":["event"],"additionalProperties":false}
    """

  private static let input = """
    {"type":"object","properties":{"text":{"type":["string","null"]},"files":{"type":["array","null"],"items":{"type":"string"},\
    "x-muster-inactive":true},"user":{"anyOf":[{"$ref":"#/components/schemas/User"},{"type":"null"}]},"attachments":{"type":["array",\
    "null"],"x-muster-inactive":true},"principal":{"type":["object","null"],"x-muster-inactive":true}}}
    """

  private static let user = """
    {"type":"object","properties":{"id":{"type":["string","null"],"default":null},"first_name":{"type":["string","null"],"default":null},\
    "last_name":{"type":["string","null"],"default":null},"email":{"type":"string"},"additional_attributes":{"type":["object","null"],\
    "default":null},"role":{"type":["string","null"],"default":"member"},"is_super_admin":{"type":["boolean","null"],"default":false},\
    "timezone":{"type":["string","null"],"default":null},"display_name":{"type":["string","null"],"description":"Computed in answers."}},\
    "required":["email"]}
    """

  private static let execution = """
    {"type":"object","description":"A task: the state of its latest turn.","properties":{"id":{"type":"string"},"agent_id":{"type":"string"},\
    "organization_id":{"type":"string"},"input":{"type":"object"},"status":{"type":"string","enum":\(statuses)},"internal_status":{"type":\
    ["string","null"]},"last_executed_node_id":{"type":["string","null"]},"agent_version":{"type":["string","null"]},"created_at":{"type":\
    "string","format":"date-time"},"started_at":{"type":["string","null"],"format":"date-time"},"paused_at":{"type":["string","null"]},\
    "finished_at":{"type":["string","null"],"format":"date-time"},"result":{"type":["string","null"]},"parent_execution":{"type":["string",\
    "null"]},"sub_executions":{"type":"array","items":{"type":"string"}},"finished_sub_executions":{"type":"array","items":{"type":"string"}},\
    "is_manually_stopped":{"type":"boolean"},"payload_extension":{"type":["object","null"]},"hitl_request":{"type":["object","null"]},\
    "pending_eca_request":{"type":["object","null"]},"source":{"type":["string","null"]},"worker_id":{"type":["string","null"]},\
    "additional_context":{"type":["string","null"]},"expected_output":{"type":["string","null"]},"title":{"type":["string","null"]},\
    "triggering_agent_id":{"type":["string","null"]},"instructions_override":{"type":["string","null"]},"test_run_node_id":{"type":["string",\
    "null"]},"is_orchestration":{"type":"boolean"},"output_format":{"type":"string"},"voice_id":{"type":["string","null"]},"output_schema":\
    {"type":["object","null"]},"events_streaming":{"type":"boolean"},"used_mutating_tools":{"type":"boolean"},"is_continuous":{"type":\
    "boolean"},"mcp_servers":{"type":"array"},"think_mode":{"type":"string"},"disable_attachment_injection":{"type":"boolean"},\
    "deep_planning":{"type":"object"},"execution_attempts":{"type":"integer"},"user_tokens":{"type":"null"},"user_oidc_token":{"type":\
    "null"},"return_metrics":{"type":"boolean"},"tokens":{"type":["object","null"],"properties":{"completion_tokens":{"type":"integer"},\
    "prompt_tokens":{"type":"integer"},"total_tokens":{"type":"integer"}}},"llm_model_provider":{"type":["string","null"]},"llm_model_name":\
    {"type":["string","null"]},"llm_reasoning_effort":{"type":["string","null"]},"forked_from":{"type":"object","description":"Of a task that \
    was made by tasks.fork: the task that it goes on from, and the last record that it has of that.","properties":{"task_id":{"type":\
    "string"},"event":{"type":"integer"}},"required":["task_id","event"]}},"required":["id","agent_id","organization_id","input",\
    "created_at"]}
    """

  private static let listItem = """
    {"type":"object","description":"A task in a list.","properties":{"id":{"type":"string"},"agent_id":{"type":"string"},"organization_id":\
    {"type":"string"},"status":{"type":"string","enum":\(statuses)},"user_id":{"type":["string","null"]},"parent_task_id":{"type":["string",\
    "null"]},"triggering_agent_id":{"type":["string","null"]},"created_at":{"type":"string","format":"date-time"},"updated_at":{"type":\
    "string","format":"date-time"},"source_node_type":{"type":["string","null"]},"result":{"type":["string","null"]},"title":{"type":\
    ["string","null"]}},"required":["id","agent_id","organization_id","status"]}
    """

  private static let message = """
    {"type":"object","properties":{"id":{"type":"string"},"role":{"type":"string","enum":["user","assistant","system","tool"]},"content":\
    {"type":"string"},"created_at":{"type":"integer","description":"Unix seconds."},"name":{"type":"string","description":"Of the tool."},\
    "tool_call_id":{"type":"string"},"metrics":{"type":["object","null"],"properties":\
    {"input_tokens":{"type":"integer"},"output_tokens":{"type":"integer"},"total_tokens":{"type":"integer"}}}},"required":["id","role",\
    "content","created_at"]}
    """

  private static let event = """
    {"type":"object","description":"Something that happened to a task.","properties":{"type":{"type":"string","description":"task_created, \
    task_updated and task_finished carry the task in data, chunk a piece of what the model says, tool_call_request, sub_agent_trigger and \
    tool_call_result an object that tells of a call. A task_updated is executing when the turn goes on, and paused when it waits for a person: \
    the last event for whoever runs the task, while others that follow it stay. Right behind chunks it says that those count no more: the \
    attempt broke off. There may be more types: ignore what you do not know."},\
    "task_id":{"type":"string"},"organization_id":{"type":"string"},"time":{"type":"string","format":"date-time"},"id":{"type":"string",\
    "description":"The place behind the event: tasks.events goes on there with after. A journal record's number, and in the text of an answer \
    also the attempt and how many bytes of its text there were."},"data":{"type":["object","string"]}},"required":["type","task_id",\
    "organization_id","time","data"]}
    """

  private static let replay = """
    {"type":"object","description":"What came of running a task again from its journal. No model, tool or person is asked, and nothing is \
    written.","properties":{"task_id":{"type":"string"},"status":{"type":"string","enum":\(statuses)},"is_identical":{"type":"boolean",\
    "description":"Whether there is neither a difference nor a problem."},"turns":{"type":"integer"},"records":{"type":"integer",\
    "description":"How many records of the journal were taken."},"compared":{"type":"integer","description":"To how many of them this version \
    has found out anew what follows, and compared it with what was recorded. Turns that an older version of the engine began go on as that \
    version meant it: by what was recorded."},"difference":{"type":["object","null"],"description":"The first record from which something else \
    follows now than what was recorded. The events behind it are those of what was recorded.","properties":{"record":{"type":"integer"},"turn":\
    {"type":"integer"},"recorded":{"type":"array","items":{"type":"object","additionalProperties":true},"description":"What was to be done, as the journal has it."},"made":\
    {"type":"array","items":{"type":"object","additionalProperties":true},"description":"The same, as this version has it."}},"required":["record","turn","recorded","made"]},"problem":\
    {"type":["string","null"],"description":"Why the journal cannot be read to its end, or in what the task says something else than its \
    journal."},"events":{"$ref":"#/components/schemas/TaskEvents"}},"required":["task_id","status","is_identical","turns","records","compared",\
    "difference","problem","events"]}
    """

  private static let activity = """
    {"type":"object","description":"What was said in a task.","properties":{"id":{"type":"string"},"created_at":{"type":"string","format":\
    "date-time"},"user":{"type":["object","null"]},"messages":{"type":"array","items":{"$ref":"#/components/schemas/ActivityEntry"}}},\
    "required":["id","created_at","messages"]}
    """

  private static let activityEntry = """
    {"type":"object","properties":{"id":{"type":"string"},"created_at":{"type":"string","format":"date-time"},"role":{"type":"string","enum":\
    ["user","agent"]},"content":{"type":"object","properties":{"text":{"type":"string"},"files":{"type":"array","items":{"type":"string"}}}},\
    "sub_execution_result":{"type":"boolean"},"user":{"type":["object","null"]},"tool_name":{"type":"string"},"payload":{},"is_error":\
    {"type":"boolean"},"result":{},"agent_id":{"type":"string"},"query":{"type":["string","null"]},"files":{"type":"array","items":{"type":\
    "string"}},"reasoning":{"type":["object","null"]},"plan_task_id":{"type":["string","null"]}},"required":["id","created_at"],\
    "description":"A message, a call of a tool (with tool_name), or the start of an agent (with agent_id)."}
    """
}
