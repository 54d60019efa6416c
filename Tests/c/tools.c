/* Tools of the host: registered as functions and through queues, released exactly once, called by agents.
 * argv[1]: an empty folder. Needs the mock at MODEL_BASE. */
#define _POSIX_C_SOURCE 200809L
#include <muster.h>

#include "queue.h"

static const char *folder;
static int stores;

static muster *open_plane(void) {
  char name[32], *path;
  muster *plane;
  snprintf(name, sizeof name, "tools-%d.db", stores++);
  path = path_in(folder, name);
  plane = open_store(path, "echo");
  free(path);
  return plane;
}

/* A tool, and what was heard of it. */
struct tool {
  muster *plane;
  muster_queue *queue;
  /* What it does in a call; NULL: it answers "done". */
  void (*body)(struct tool *tool, const char *call_id, json_t *call);
  int calls, open, most_open, released, repeats;
  pthread_t thread;
  char call_id[128], task_id[128], arguments[1024];
  int finished;
};

static void raise_to(int *highest, int value) {
  int seen = __atomic_load_n(highest, __ATOMIC_SEQ_CST);
  while (seen < value && !__atomic_compare_exchange_n(highest, &seen, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
}

static void call_tool(void *user_data, const char *call_id, const char *call_json) {
  struct tool *tool = user_data;
  json_t *call = json_loads(call_json, 0, NULL);
  char *arguments = json_dumps(member(call, "arguments"), JSON_COMPACT | JSON_ENCODE_ANY);
  raise_to(&tool->most_open, __atomic_add_fetch(&tool->open, 1, __ATOMIC_SEQ_CST));
  CHECK_TEXT(call_id, text_at(call, "call_id"));
  CHECK_TEXT(call_id, text_at(call, "idempotency_key"));
  CHECK(text_at(call, "name") != NULL && text_at(call, "organization_id") != NULL && text_at(call, "agent_id") != NULL);
  CHECK(json_is_boolean(member(call, "repeat")) && json_is_boolean(member(call, "probe")));
  CHECK_INTEGER(0, tool->released);
  if (__atomic_fetch_add(&tool->calls, 1, __ATOMIC_SEQ_CST) == 0) {
    tool->thread = pthread_self();
    snprintf(tool->call_id, sizeof tool->call_id, "%s", call_id);
    snprintf(tool->task_id, sizeof tool->task_id, "%s", text_at(call, "task_id"));
    snprintf(tool->arguments, sizeof tool->arguments, "%s", arguments);
  }
  free(arguments);
  if (tool->body != NULL) {
    tool->body(tool, call_id, call);
  } else {
    CHECK(!muster_tool_cancelled(tool->plane, call_id));
    CHECK_INTEGER(MUSTER_OK, muster_tool_reply(tool->plane, call_id, "\"done\"", false, NULL));
    CHECK(muster_tool_cancelled(tool->plane, call_id));
  }
  json_decref(call);
  __atomic_sub_fetch(&tool->open, 1, __ATOMIC_SEQ_CST);
}

/* A callback like that of the log: it may not call the plane. */
static void release_tool(void *user_data) {
  struct tool *tool = user_data;
  CHECK_INTEGER(0, tool->open);
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_agents_list(tool->plane, 0, 0, NULL, NULL, NULL));
  tool->released++;
}

static void must_register(muster *plane, struct tool *tool, const char *spec) {
  muster_error *error = NULL;
  tool->plane = plane;
  if (!CHECK_INTEGER(MUSTER_OK, muster_tool_register(plane, spec, call_tool, tool, release_tool, &error))) {
    report(spec, error);
  }
  CHECK(error == NULL);
}

/* ---- registering ---- */

static void names_are_taken_once_and_released_once(void) {
  muster *plane = open_plane();
  struct tool first = {0}, second = {0}, third = {0};
  must_register(plane, &first, "{\"name\":\"add\"}");
  second.plane = third.plane = plane;
  CHECK_INTEGER(MUSTER_E_MISUSE,
                muster_tool_register(plane, "{\"name\":\"add\"}", call_tool, &second, release_tool, NULL));
  CHECK_INTEGER(1, second.released);
  CHECK_INTEGER(MUSTER_OK, muster_tool_unregister(plane, "add", NULL));
  CHECK_INTEGER(1, first.released);
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_unregister(plane, "add", NULL));
  /* Nobody has to be told of the end. */
  CHECK_INTEGER(MUSTER_OK, muster_tool_register(plane, "{\"name\":\"quiet\"}", call_tool, NULL, NULL, NULL));
  must_register(plane, &third, "{\"name\":\"add\"}");
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_register(plane, "{\"name\":\"none\"}", NULL, &second, release_tool, NULL));
  CHECK_INTEGER(2, second.released);
  CHECK_INTEGER(0, third.released);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(1, first.released);
  CHECK_INTEGER(2, second.released);
  CHECK_INTEGER(1, third.released);
}

static void what_is_wrong_with_a_tool_is_named(void) {
  static const struct {
    const char *spec, *named;
  } rows[] = {{"{}", "name"},
              {"{\"name\":\"\"}", "name"},
              {"{\"name\":\"a.b\"}", "name"},
              {"{\"name\":\"a\",\"strict\":true}", "strict"},
              {"{\"name\":\"a\",\"description\":7}", "description"},
              {"{\"name\":\"a\",\"thread\":\"main\"}", "thread"},
              {"{\"name\":\"a\",\"timeout_ms\":0}", "timeout_ms"},
              {"{\"name\":\"a\",\"timeout_ms\":9223372036854775807}", "timeout_ms"},
              {"{\"name\":\"a\",\"timeout_ms\":5,\"thread\":\"caller\"}", "timeout_ms"},
              {"{\"name\":\"a\",\"result_limit\":-1}", "result_limit"},
              {"{\"name\":\"a\",\"parameters\":{}}", "parameters"},
              {"{\"name\":\"a\",\"parameters\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"text\"}}}}",
               "#/properties/b"},
              {"{\"name\":\"a\",\"parameters\":{\"type\":\"object\",\"$ref\":\"#\"}}", "parameters"}};
  muster *plane = open_plane();
  struct tool tool = {0};
  tool.plane = plane;
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    muster_error *error = NULL;
    CHECK_INTEGER(MUSTER_E_MISUSE,
                  muster_tool_register(plane, rows[index].spec, call_tool, &tool, release_tool, &error));
    if (!CHECK(strstr(muster_error_message(error), rows[index].named) != NULL)) {
      report(rows[index].spec, error);
    }
    CHECK_INTEGER(index + 1, tool.released);
    muster_error_free(error);
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(sizeof rows / sizeof rows[0], tool.released);
}

static void answers_that_nobody_waits_for(void) {
  muster *plane = open_plane();
  muster_error *error = NULL;
  char *deep = calloc(1, 300);
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_reply(plane, "none", "1", false, &error));
  CHECK(strstr(muster_error_message(error), "none") != NULL);
  muster_error_free(error);
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_reply(plane, "none", NULL, true, NULL));
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_reply(plane, NULL, "1", false, NULL));
  memset(deep, '[', 100);
  memset(deep + 100, ']', 100);
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_reply(plane, "none", deep, false, NULL));
  memset(deep, '[', 101);
  memset(deep + 101, ']', 101);
  CHECK_INTEGER(MUSTER_E_LIMIT, muster_tool_reply(plane, "none", deep, false, NULL));
  CHECK(muster_tool_cancelled(plane, "none"));
  CHECK(muster_tool_cancelled(plane, NULL));
  CHECK(muster_tool_cancelled(NULL, "none"));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK(muster_tool_cancelled(plane, "none"));
  free(deep);
}

static void queues_bring_and_take_tools(void) {
  muster *plane = open_plane();
  muster_queue *queue = open_queue(plane);
  struct tool tool = {0};
  CHECK_INTEGER(MUSTER_OK, muster_tool_register_queue(plane, "{\"name\":\"add\"}", queue, NULL));
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_tool_register_queue(plane, "{\"name\":\"add\"}", queue, NULL));
  CHECK_INTEGER(MUSTER_E_MISUSE,
                muster_tool_register_queue(plane, "{\"name\":\"w\",\"thread\":\"caller\"}", queue, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_tool_register_queue(plane, "{\"name\":\"sub\"}", queue, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_tool_unregister(plane, "sub", NULL));
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 0));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  /* The name is free again. */
  must_register(plane, &tool, "{\"name\":\"add\"}");
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(1, tool.released);
  /* A queue that outlives the plane of its tools. */
  plane = open_plane();
  queue = open_queue(plane);
  CHECK_INTEGER(MUSTER_OK, muster_tool_register_queue(plane, "{\"name\":\"add\"}", queue, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 0));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
}

static void a_service_elsewhere_has_no_tools(void) {
  muster *remote = NULL;
  struct tool tool = {0};
  CHECK_INTEGER(MUSTER_OK, muster_open("{\"store\":\"http://127.0.0.1:1\",\"api_key\":\"k\"}", NULL, &remote, NULL));
  tool.plane = remote;
  CHECK_INTEGER(MUSTER_E_UNSUPPORTED,
                muster_tool_register(remote, "{\"name\":\"add\"}", call_tool, &tool, release_tool, NULL));
  CHECK_INTEGER(1, tool.released);
  CHECK_INTEGER(MUSTER_E_UNSUPPORTED, muster_tool_unregister(remote, "add", NULL));
  CHECK_INTEGER(MUSTER_E_UNSUPPORTED, muster_tool_reply(remote, "c", "1", false, NULL));
  CHECK(muster_tool_cancelled(remote, "c"));
  CHECK_INTEGER(MUSTER_OK, muster_close(remote));
}

static void *register_and_unregister(void *data) {
  muster *plane = data;
  for (int round = 0; round < 200; round++) {
    struct tool tool = {0};
    tool.plane = plane;
    muster_status status =
        muster_tool_register(plane, round % 2 ? "{\"name\":\"a\"}" : "{\"name\":\"b\"}", call_tool, &tool, release_tool, NULL);
    if (status == MUSTER_OK) {
      CHECK_INTEGER(MUSTER_OK, muster_tool_unregister(plane, round % 2 ? "a" : "b", NULL));
    } else {
      CHECK_INTEGER(MUSTER_E_MISUSE, status);
    }
    CHECK_INTEGER(1, tool.released);
  }
  return NULL;
}

static void many_threads_register(void) {
  muster *plane = open_plane();
  pthread_t threads[8];
  for (size_t index = 0; index < 8; index++) {
    CHECK_INTEGER(0, pthread_create(&threads[index], NULL, register_and_unregister, plane));
  }
  for (size_t index = 0; index < 8; index++) {
    pthread_join(threads[index], NULL);
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

/* ---- agents that call tools: `call:NAME` asks for the tool, then says what came of it ---- */

/* An agent that may use the tools of the plane. */
static char *tool_agent(muster *plane, const char *model) {
  char *agent = create_agent(plane, model, model), *text = NULL;
  json_t *body = json_pack("{s:[s]}", "tools", strchr(model, ':') + 1);
  char *body_text = json_dumps(body, JSON_COMPACT);
  CHECK_INTEGER(MUSTER_OK, muster_agent_update(plane, agent, body_text, true, &text, NULL, NULL));
  muster_free(text);
  free(body_text);
  json_decref(body);
  return agent;
}

/* Runs the agent to its end on this thread; gives the status, and the task. */
static muster_status invoke(muster *plane, const char *agent, const char *task, int64_t timeout_ms, json_t **out) {
  json_t *body = json_pack("{s:{s:s}, s:s*}", "input", "text", "go", "id", task);
  char *text = json_dumps(body, 0), *json = NULL;
  muster_status status = muster_agent_invoke(plane, agent, NULL, text, timeout_ms, &json, NULL, NULL);
  *out = json != NULL ? parse(json) : NULL;
  free(text);
  json_decref(body);
  return status;
}

/* Runs the agent and checks the end of its answer. */
static void expect_answer(muster *plane, const char *agent, const char *part) {
  json_t *task = NULL;
  CHECK_INTEGER(MUSTER_OK, invoke(plane, agent, NULL, PATIENCE_MS, &task));
  CHECK_TEXT("completed", text_at(task, "status"));
  if (!CHECK(text_at(task, "result") != NULL && strstr(text_at(task, "result"), part) != NULL)) {
    fprintf(stderr, "  wanted %s in %s\n", part, text_at(task, "result"));
  }
  json_decref(task);
}

static void a_tool_answers(void) {
  muster *plane = open_plane();
  struct tool tool = {0};
  char *agent = tool_agent(plane, "call:add");
  must_register(plane, &tool, "{\"name\":\"add\"}");
  expect_answer(plane, agent, "done");
  CHECK_INTEGER(1, tool.calls);
  CHECK(!pthread_equal(tool.thread, pthread_self()));
  /* The same tool in runs that no thread waits for. */
  muster_queue *queue = open_queue(plane);
  struct submitted runs[8];
  memset(runs, 0, sizeof runs);
  for (size_t index = 0; index < 8; index++) {
    submit_invoke(plane, queue, "agents.invoke", agent, "go", NULL, &runs[index]);
  }
  read_ends(queue, runs, 8);
  for (size_t index = 0; index < 8; index++) {
    check_ended(&runs[index], "completed");
    forget(&runs[index]);
  }
  CHECK_INTEGER(9, tool.calls);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(1, tool.released);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  free(agent);
}

static void a_tool_on_the_callers_thread(void) {
  muster *plane = open_plane();
  struct tool tool = {0};
  char *agent = tool_agent(plane, "call:window");
  must_register(plane, &tool, "{\"name\":\"window\",\"thread\":\"caller\"}");
  expect_answer(plane, agent, "done");
  CHECK_INTEGER(1, tool.calls);
  CHECK(pthread_equal(tool.thread, pthread_self()));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
}

/* What a tool may do, and what not. */
static void call_the_plane(struct tool *tool, const char *call_id, json_t *call) {
  json_t *other = NULL;
  char *agent = create_agent(tool->plane, "Other", "echo");
  const char *own = text_at(call, "agent_id");
  muster_event event = MUSTER_EVENT_INIT;
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_close(tool->plane));
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_queue_close(tool->queue));
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_tool_unregister(tool->plane, "inside", NULL));
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, invoke(tool->plane, own, text_at(call, "task_id"), PATIENCE_MS, &other));
  CHECK(other == NULL);
  CHECK_INTEGER(MUSTER_OK, muster_agents_list(tool->plane, 0, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, invoke(tool->plane, agent, NULL, PATIENCE_MS, &other));
  CHECK_TEXT("completed", text_at(other, "status"));
  json_decref(other);
  CHECK_INTEGER(MUSTER_OK, muster_submit(tool->plane, tool->queue, "agents.list", NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(tool->queue, PATIENCE_MS, &event));
  muster_event_clear(&event);
  CHECK_INTEGER(MUSTER_OK, muster_tool_reply(tool->plane, call_id, "\"called\"", false, NULL));
  free(agent);
}

static void a_tool_calls_the_plane(const char *spec) {
  muster *plane = open_plane();
  struct tool tool = {0};
  char *agent = tool_agent(plane, "call:inside");
  tool.body = call_the_plane;
  tool.queue = open_queue(plane);
  must_register(plane, &tool, spec);
  expect_answer(plane, agent, "called");
  CHECK_INTEGER(1, tool.calls);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(tool.queue));
  free(agent);
}

static void hold_until_cancelled(struct tool *tool, const char *call_id, json_t *call) {
  (void)call;
  while (!muster_tool_cancelled(tool->plane, call_id)) {
    sleep_ms(2);
  }
  CHECK(muster_tool_reply(tool->plane, call_id, "\"late\"", false, NULL) != MUSTER_OK);
  tool->finished = 1;
}

static void a_tool_that_takes_too_long(void) {
  muster *plane = open_plane();
  struct tool tool = {0};
  char *agent = tool_agent(plane, "call:slow");
  tool.body = hold_until_cancelled;
  must_register(plane, &tool, "{\"name\":\"slow\",\"timeout_ms\":200}");
  expect_answer(plane, agent, "timed out after 200 ms; whether it was done is not known");
  CHECK_INTEGER(MUSTER_OK, muster_tool_unregister(plane, "slow", NULL));
  CHECK(tool.finished && tool.released == 1);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
}

struct waiting {
  muster *plane;
  const char *agent;
  muster_status status;
};

static void *invoke_and_wait(void *data) {
  struct waiting *waiting = data;
  json_t *task = NULL;
  waiting->status = invoke(waiting->plane, waiting->agent, NULL, -1, &task);
  json_decref(task);
  return NULL;
}

static void closing_with_a_tool_inside(const char *spec) {
  muster *plane = open_plane();
  struct tool tool = {0};
  char *agent = tool_agent(plane, "call:held");
  struct waiting waiting = {plane, agent, MUSTER_OK};
  pthread_t thread;
  tool.body = hold_until_cancelled;
  must_register(plane, &tool, spec);
  CHECK_INTEGER(0, pthread_create(&thread, NULL, invoke_and_wait, &waiting));
  for (int round = 0; round < 5000 && __atomic_load_n(&tool.open, __ATOMIC_SEQ_CST) == 0; round++) {
    sleep_ms(2);
  }
  CHECK_INTEGER(1, tool.open);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK(tool.finished && tool.open == 0 && tool.released == 1);
  pthread_join(thread, NULL);
  CHECK_INTEGER(MUSTER_E_CLOSED, waiting.status);
  free(agent);
}

static void unregistering_with_a_tool_inside(void) {
  muster *plane = open_plane();
  struct tool tool = {0};
  char *agent = tool_agent(plane, "call:held");
  struct submitted run = {0};
  muster_queue *queue = open_queue(plane);
  tool.body = hold_until_cancelled;
  must_register(plane, &tool, "{\"name\":\"held\"}");
  submit_invoke(plane, queue, "agents.invoke", agent, "go", NULL, &run);
  for (int round = 0; round < 5000 && __atomic_load_n(&tool.open, __ATOMIC_SEQ_CST) == 0; round++) {
    sleep_ms(2);
  }
  CHECK_INTEGER(MUSTER_OK, muster_tool_unregister(plane, "held", NULL));
  CHECK(tool.finished && tool.open == 0 && tool.released == 1);
  read_ends(queue, &run, 1);
  CHECK(text_at(task_at_end(&run), "result") != NULL &&
        strstr(text_at(task_at_end(&run), "result"), "the tool was unregistered") != NULL);
  forget(&run);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
}

/* One loop serves the calls of a tool and reads the runs that make them. */
static void a_tool_through_a_queue(void) {
  enum { RUNS = 16 };
  muster *plane = open_plane();
  muster_queue *queue = open_queue(plane);
  char *agent = tool_agent(plane, "call:add");
  struct submitted runs[RUNS];
  int calls = 0, ends = 0;
  memset(runs, 0, sizeof runs);
  CHECK_INTEGER(MUSTER_OK, muster_tool_register_queue(plane, "{\"name\":\"add\"}", queue, NULL));
  for (size_t index = 0; index < RUNS; index++) {
    submit_invoke(plane, queue, "agents.invoke", agent, "go", NULL, &runs[index]);
  }
  while (ends < RUNS) {
    muster_event event = MUSTER_EVENT_INIT;
    if (!CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &event))) {
      break;
    }
    if (event.kind == MUSTER_EVENT_TOOL_CALL) {
      json_t *call = json_loadb(event.json, event.json_len, 0, NULL);
      CHECK(event.ticket == 0 && event.user_data == NULL && event.error == NULL && event.sequence == 0);
      CHECK_TEXT("add", text_at(call, "name"));
      CHECK_INTEGER(MUSTER_OK, muster_tool_reply(plane, text_at(call, "call_id"), "{\"sum\":3}", false, NULL));
      calls++;
      json_decref(call);
    } else {
      take(event.user_data, &event);
      ends += event.kind == MUSTER_EVENT_FINAL;
    }
    muster_event_clear(&event);
  }
  CHECK_INTEGER(RUNS, calls);
  for (size_t index = 0; index < RUNS; index++) {
    check_ended(&runs[index], "completed");
    forget(&runs[index]);
  }
  /* A run that is stopped takes its call back. */
  struct submitted run = {0};
  muster_event event = MUSTER_EVENT_INIT;
  submit_invoke(plane, queue, "agents.invoke", agent, "go", NULL, &run);
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &event));
  CHECK_INTEGER(MUSTER_EVENT_TOOL_CALL, event.kind);
  muster_event_clear(&event);
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
  for (int seen = 0; seen != 3;) {
    if (!CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &event))) {
      break;
    }
    seen |= event.kind == MUSTER_EVENT_TOOL_CANCEL ? 1 : event.kind == MUSTER_EVENT_FINAL ? 2 : 0;
    muster_event_clear(&event);
  }
  forget(&run);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
}

static void agents_call_tools(void) {
  a_tool_answers();
  a_tool_on_the_callers_thread();
  a_tool_calls_the_plane("{\"name\":\"inside\"}");
  a_tool_calls_the_plane("{\"name\":\"inside\",\"thread\":\"caller\"}");
  a_tool_that_takes_too_long();
  closing_with_a_tool_inside("{\"name\":\"held\"}");
  closing_with_a_tool_inside("{\"name\":\"held\",\"thread\":\"caller\"}");
  unregistering_with_a_tool_inside();
  a_tool_through_a_queue();
}

int main(int argc, char **argv) {
  folder = argc > 1 ? argv[1] : ".";
  names_are_taken_once_and_released_once();
  what_is_wrong_with_a_tool_is_named();
  answers_that_nobody_waits_for();
  queues_bring_and_take_tools();
  a_service_elsewhere_has_no_tools();
  many_threads_register();
  agents_call_tools();
  return check_finish("tools");
}
