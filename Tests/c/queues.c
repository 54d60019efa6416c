/* Queues: each submitted call has exactly one end, whatever happens to it, and its events come in their order.
 * argv[1]: an empty folder. Needs the mock at MODEL_BASE, whose model names say how it behaves. */
#define _POSIX_C_SOURCE 200809L
#include "queue.h"

/* The forms in which a run can be submitted, and what their events are when all goes well. */
static const struct {
  const char *operation, *letters;
} forms[] = {{"agents.invoke", "a"}, {"agents.invoke_stream", "cuxf"}};
enum { INVOKE, STREAM, FORMS };

static int disconnects(void) {
  json_t *observed = ask_mock("GET /observed");
  int count = (int)json_array_size(member(observed, "disconnects"));
  json_decref(observed);
  return count;
}

/* The mock saw so many clients go away since it was reset. */
static void check_disconnects(int wanted) {
  int seen = 0;
  for (int round = 0; round < 500 && (seen = disconnects()) < wanted; round++) {
    sleep_ms(10);
  }
  CHECK_INTEGER(wanted, seen);
}

/* The mock was asked so often since it was reset. */
static void check_requests(int wanted) {
  json_int_t seen = 0;
  for (int round = 0; round < 1000 && seen < wanted; round++) {
    json_t *observed = ask_mock("GET /observed");
    seen = integer_at(observed, "requests");
    json_decref(observed);
    sleep_ms(10);
  }
  CHECK_INTEGER(wanted, seen);
}

/* Waits until the agent has a task that runs, and gives its id; the caller frees. */
static char *wait_for_task(muster *plane, const char *agent) {
  char args[128], *id = NULL;
  snprintf(args, sizeof args, "{\"agent_id\":\"%s\",\"status\":\"executing\"}", agent);
  for (int round = 0; round < 1000 && id == NULL; round++) {
    json_t *list = call(plane, "tasks.list", args);
    const char *found = text_at(json_array_get(member(list, "items"), 0), "id");
    id = found != NULL ? strdup(found) : NULL;
    json_decref(list);
    sleep_ms(10);
  }
  CHECK(id != NULL);
  return id;
}

/* Waits until a run has text on its way: a stream's, or that of a plain run, which nobody sees. */
static char *wait_for_text(muster *plane, muster_queue *queue, int form, const char *agent, struct submitted *run) {
  if (form == STREAM) {
    read_chunks(queue, run, 1);
    return strdup(run->task);
  }
  char *task = wait_for_task(plane, agent);
  sleep_ms(200);
  return task;
}

static void check_result_is_the_text(const struct submitted *run) {
  const char *result = text_at(task_at_end(run), "result");
  CHECK_TEXT(run->text != NULL ? run->text : "", result);
}

static void check_task(muster *plane, const char *id, const char *status, int stopped, const char *internal_status) {
  char args[128];
  snprintf(args, sizeof args, "{\"task_id\":\"%s\"}", id);
  json_t *task = call(plane, "tasks.get", args);
  CHECK_TEXT(status, text_at(task, "status"));
  CHECK_INTEGER(stopped, json_is_true(member(task, "is_manually_stopped")));
  if (internal_status != NULL) {
    CHECK_TEXT(internal_status, text_at(task, "internal_status"));
  }
  json_decref(task);
}

/* ---- How a run ends ------------------------------------------------------------------------------------------------ */

static void a_run_ends_by_itself(muster *plane, muster_queue *queue) {
  static const struct {
    const char *model, *status, *letters;
  } rows[] = {{"echo", "completed", "cuxf"},     {"split", "completed", "cuxf"},  {"slow:5", "completed", "cuxf"},
              {"nostream", "completed", "cuxf"}, {"nodone", "completed", "cuxf"}, {"refusal", "failed", NULL},
              {"filter", "failed", NULL},        {"length", "completed", "cuxf"}, {"status:401", "error", "cuf"},
              {"empty", "error", "cuf"},         {"html", "error", "cuf"},        {"interim", "completed", "cuxf"}};
  for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
    char *agent = create_agent(plane, rows[row].model, rows[row].model);
    for (int form = 0; form < FORMS; form++) {
      struct submitted run = {0};
      submit_invoke(plane, queue, forms[form].operation, agent, "one two three", NULL, &run);
      read_ends(queue, &run, 1);
      CHECK_INTEGER(MUSTER_OK, run.status);
      check_ended(&run, rows[row].status);
      if (form == INVOKE || rows[row].letters != NULL) {
        if (!CHECK_TEXT(form == INVOKE ? "a" : rows[row].letters, run.letters)) {
          fprintf(stderr, "  %s %s\n", rows[row].model, forms[form].operation);
        }
      }
      if (form == STREAM && strcmp(rows[row].status, "completed") == 0) {
        check_result_is_the_text(&run);
      }
      forget(&run);
    }
    free(agent);
  }
  check_nothing_waits(queue);
}

/* An attempt that breaks is begun anew: the task goes on to a good end, and the stream has one end. */
static void a_broken_attempt_is_repeated(muster *plane, muster_queue *queue) {
  static const char *const models[] = {"break:2:queues", "flaky:1:503:queues"};
  for (size_t row = 0; row < 2; row++) {
    char *agent = create_agent(plane, models[row], models[row]);
    struct submitted run = {0};
    submit_invoke(plane, queue, "agents.invoke_stream", agent, "one two three", NULL, &run);
    read_ends(queue, &run, 1);
    CHECK_INTEGER(MUSTER_OK, run.status);
    check_ended(&run, "completed");
    CHECK(run.letters[0] == 'c' && run.letters[strlen(run.letters) - 1] == 'f');
    forget(&run);
    free(agent);
  }
}

static void a_ticket_cancels_before_the_start(muster *plane, muster_queue *queue, const char *stalled) {
  for (int form = 0; form < FORMS; form++) {
    struct submitted run = {0};
    muster_ticket ticket = muster_ticket_new(plane);
    char more[64];
    CHECK(ticket != 0);
    CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, ticket));
    snprintf(more, sizeof more, "{\"context\":{\"ticket\":%llu}}", (unsigned long long)ticket);
    submit_invoke(plane, queue, forms[form].operation, stalled, "x", more, &run);
    CHECK_INTEGER(ticket, run.ticket);
    read_ends(queue, &run, 1);
    CHECK_INTEGER(MUSTER_E_CANCELLED, run.status);
    CHECK_INTEGER(1, run.events);
    forget(&run);
  }
  check_nothing_waits(queue);
}

static void a_ticket_cancels_in_the_middle(muster *plane, muster_queue *queue, const char *stalled) {
  for (int form = 0; form < FORMS; form++) {
    struct submitted run = {0};
    json_decref(ask_mock("POST /reset"));
    submit_invoke(plane, queue, forms[form].operation, stalled, "one two three", NULL, &run);
    char *task = wait_for_text(plane, queue, form, stalled, &run);
    double begin = seconds_now();
    CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
    read_ends(queue, &run, 1);
    CHECK(seconds_now() - begin < 2);
    CHECK_INTEGER(MUSTER_E_CANCELLED, run.status);
    check_ended(&run, "stopped");
    CHECK(json_is_true(member(task_at_end(&run), "is_manually_stopped")));
    CHECK_TEXT(task, text_at(task_at_end(&run), "id"));
    CHECK_TEXT(task, text_at(member(run.document, "detail"), "task_id"));
    if (form == STREAM) {
      CHECK_TEXT("cuxf", run.letters);
      check_result_is_the_text(&run);
    }
    check_task(plane, task, "stopped", 1, NULL);
    check_disconnects(1);
    /* Late, again and unknown: harmless. */
    CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
    CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket + 100000));
    check_nothing_waits(queue);
    free(task);
    forget(&run);
  }
}

static void cancelling_after_the_end_changes_nothing(muster *plane, muster_queue *queue, const char *echo) {
  for (int form = 0; form < FORMS; form++) {
    struct submitted run = {0};
    submit_invoke(plane, queue, forms[form].operation, echo, "hello", NULL, &run);
    /* The run is over, but its events still wait. */
    sleep_ms(300);
    for (int round = 0; round < 500; round++) {
      json_t *list = call(plane, "tasks.list", "{\"status\":\"executing\"}");
      json_int_t total = integer_at(list, "total");
      json_decref(list);
      if (total == 0) {
        break;
      }
      sleep_ms(10);
    }
    CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
    read_ends(queue, &run, 1);
    CHECK_INTEGER(MUSTER_OK, run.status);
    check_ended(&run, "completed");
    CHECK_TEXT(forms[form].letters, run.letters);
    check_nothing_waits(queue);
    forget(&run);
  }
}

static void stopping_the_task_ends_its_run(muster *plane, muster_queue *queue, const char *stalled) {
  for (int form = 0; form < FORMS; form++) {
    struct submitted run = {0};
    json_decref(ask_mock("POST /reset"));
    submit_invoke(plane, queue, forms[form].operation, stalled, "one two three", NULL, &run);
    char *task = wait_for_text(plane, queue, form, stalled, &run);
    CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, task, NULL, NULL, NULL));
    read_ends(queue, &run, 1);
    CHECK_INTEGER(MUSTER_OK, run.status);
    check_ended(&run, "stopped");
    CHECK(json_is_true(member(task_at_end(&run), "is_manually_stopped")));
    if (form == STREAM) {
      CHECK_TEXT("cuxf", run.letters);
      check_result_is_the_text(&run);
    }
    check_disconnects(1);
    check_nothing_waits(queue);
    free(task);
    forget(&run);
  }
}

/* Wherever a stream is stopped, by whom it may be: what its reader has joined is what is on record. */
static void the_text_of_a_stopped_run_is_what_was_read(muster *plane, muster_queue *queue) {
  enum { ROUNDS = 30, AT_ONCE = 8 };
  char *agent = create_agent(plane, "Split", "split"), *text = malloc(2000);
  struct submitted runs[AT_ONCE];
  int differing = 0, stopped = 0;
  for (int index = 0; index < 1999; index++) {
    text[index] = index % 4 == 3 ? ' ' : 'a';
  }
  text[1999] = 0;
  for (int round = 0; round < ROUNDS; round++) {
    char more[64];
    memset(runs, 0, sizeof runs);
    for (int index = 0; index < AT_ONCE; index++) {
      snprintf(more, sizeof more, "{\"context\":{\"timeout_ms\":%d}}", index % 4 == 3 ? 20 + round : 60000);
      submit_invoke(plane, queue, "agents.invoke_stream", agent, text, more, &runs[index]);
    }
    for (int index = 0; index < AT_ONCE; index++) {
      while (index % 4 != 3 && runs[index].chunks <= (size_t)round % 5 && runs[index].finals == 0) {
        if (!CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS))) {
          break;
        }
      }
      if (index % 2 == 0) {
        CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, runs[index].ticket));
      } else if (index % 4 == 1) {
        CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, runs[index].task, NULL, NULL, NULL));
      }
    }
    read_ends(queue, runs, AT_ONCE);
    for (int index = 0; index < AT_ONCE; index++) {
      const char *result = text_at(task_at_end(&runs[index]), "result");
      const char *status = text_at(task_at_end(&runs[index]), "status");
      stopped += status != NULL && strcmp(status, "stopped") == 0;
      differing += status != NULL && strcmp(result != NULL ? result : "", runs[index].text != NULL ? runs[index].text : "") != 0;
      forget(&runs[index]);
    }
  }
  CHECK(stopped > ROUNDS);
  CHECK_INTEGER(0, differing);
  free(text);
  free(agent);
}

/* `deletes_agent`: with its agent. */
static void deleting_the_task_ends_its_run(muster *plane, muster_queue *queue, int deletes_agent) {
  for (int form = 0; form < FORMS; form++) {
    char *agent = create_agent(plane, "Deleted", "stall:2");
    struct submitted run = {0};
    json_decref(ask_mock("POST /reset"));
    submit_invoke(plane, queue, forms[form].operation, agent, "one two three", NULL, &run);
    char *task = wait_for_text(plane, queue, form, agent, &run);
    CHECK_INTEGER(MUSTER_OK,
                  deletes_agent ? muster_agent_delete(plane, agent, NULL) : muster_task_delete(plane, task, NULL));
    read_ends(queue, &run, 1);
    CHECK_INTEGER(MUSTER_E_API, run.status);
    CHECK_INTEGER(404, run.http_status);
    CHECK(run.end == NULL);
    CHECK_INTEGER(MUSTER_E_API, muster_task_get(plane, task, NULL, NULL, NULL));
    check_disconnects(1);
    check_nothing_waits(queue);
    free(task);
    free(agent);
    forget(&run);
  }
}

static void time_runs_out(muster *plane, muster_queue *queue, const char *stalled) {
  for (int form = 0; form < FORMS; form++) {
    struct submitted run = {0};
    json_decref(ask_mock("POST /reset"));
    double begin = seconds_now();
    submit_invoke(plane, queue, forms[form].operation, stalled, "one two three", "{\"context\":{\"timeout_ms\":700}}",
                  &run);
    read_ends(queue, &run, 1);
    CHECK(seconds_now() - begin > 0.65 && seconds_now() - begin < 10);
    CHECK_INTEGER(MUSTER_E_TIMEOUT, run.status);
    CHECK(json_is_string(member(member(run.document, "detail"), "task_id")));
    check_ended(&run, "stopped");
    CHECK(json_is_false(member(task_at_end(&run), "is_manually_stopped")));
    CHECK_TEXT("timeout", text_at(task_at_end(&run), "internal_status"));
    if (form == STREAM) {
      check_result_is_the_text(&run);
    }
    check_disconnects(1);
    check_nothing_waits(queue);
    forget(&run);
  }
}

/* The plane's own limit holds where the call has none. */
static void time_of_the_plane_runs_out(const char *path) {
  char config[1024];
  muster *plane = NULL;
  snprintf(config, sizeof config,
           "{\"store\":\"%s\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"stall:1\","
           "\"api_base\":\"%s\"},\"limits\":{\"run_timeout_ms\":400}}",
           path, getenv("MODEL_BASE"));
  if (!CHECK_INTEGER(MUSTER_OK, muster_open(config, NULL, &plane, NULL))) {
    return;
  }
  muster_queue *queue = open_queue(plane);
  char *agent = create_agent(plane, "Limit", NULL);
  struct submitted run = {0};
  submit_invoke(plane, queue, "agents.invoke_stream", agent, "x y", NULL, &run);
  read_ends(queue, &run, 1);
  CHECK_INTEGER(MUSTER_E_TIMEOUT, run.status);
  check_ended(&run, "stopped");
  forget(&run);
  free(agent);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
}

static void what_is_wrong_comes_with_the_end(muster *plane, muster_queue *queue, const char *echo) {
  static const struct {
    const char *operation, *args;
    int32_t http_status;
  } rows[] = {
      {"agents.get", "{\"agent_id\":\"nobody\"}", 404},
      {"agents.get", "{}", 422},
      {"agents.list", "{\"page\":0}", 422},
      {"agents.create", "{\"body\":{}}", 422},
      {"agents.invoke", "{\"agent_id\":\"nobody\",\"body\":{\"input\":{\"text\":\"x\"}}}", 404},
      {"agents.invoke_stream", "{\"agent_id\":\"nobody\",\"body\":{\"input\":{\"text\":\"x\"}}}", 404},
      {"agents.invoke_async", "{\"agent_id\":\"nobody\",\"body\":{\"input\":{\"text\":\"x\"}}}", 404},
      {"agents.invoke_stream", "{\"agent_id\":\"${agent}\",\"body\":{}}", 422},
      {"agents.invoke_stream", "{\"agent_id\":\"${agent}\"}", 422},
      {"agents.invoke_stream", "{\"agent_id\":\"${agent}\",\"version\":\"99\",\"body\":{\"input\":{\"text\":\"x\"}}}", 404},
      {"agents.invoke_stream", "{\"agent_id\":\"${agent}\",\"on_disconnect\":\"x\",\"body\":{\"input\":{\"text\":\"x\"}}}",
       422},
      {"tasks.events", "{\"task_id\":\"nobody\"}", 404},
      {"tasks.events", "{}", 422},
      {"tasks.stop", "{\"task_id\":\"nobody\"}", 404},
  };
  for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
    struct submitted one = {0};
    char args[512];
    const char *place = strstr(rows[row].args, "${agent}");
    if (place != NULL) {
      snprintf(args, sizeof args, "%.*s%s%s", (int)(place - rows[row].args), rows[row].args, echo, place + 8);
    } else {
      snprintf(args, sizeof args, "%s", rows[row].args);
    }
    must_submit(plane, queue, rows[row].operation, args, &one);
    read_ends(queue, &one, 1);
    if (!CHECK_INTEGER(MUSTER_E_API, one.status) || !CHECK_INTEGER(rows[row].http_status, one.http_status)) {
      fprintf(stderr, "  %s %s: %s\n", rows[row].operation, args, one.message);
    }
    CHECK_INTEGER(1, one.events);
    CHECK(one.end == NULL);
    CHECK(member(one.document, "detail") != NULL);
    forget(&one);
  }
  /* The caller's mistakes that can be seen at once: nothing is promised then. */
  struct submitted one = {0};
  CHECK_INTEGER(MUSTER_E_UNKNOWN_OP, submit(plane, queue, "agents.lis", NULL, &one));
  CHECK_INTEGER(MUSTER_E_JSON, submit(plane, queue, "agents.list", "{", &one));
  CHECK_INTEGER(MUSTER_E_JSON, submit(plane, queue, "agents.list", "[]", &one));
  CHECK_INTEGER(MUSTER_E_MISUSE, submit(plane, queue, "agents.list", "{\"context\":{\"ticket\":987654321}}", &one));
  check_nothing_waits(queue);
}

/* A ticket is for one call: a second that carries it is refused, and does not touch the first. */
static void a_ticket_is_for_one_call(muster *plane, muster_queue *queue, const char *stalled) {
  struct submitted run = {0}, second = {0};
  char more[64], *args;
  snprintf(more, sizeof more, "{\"context\":{\"ticket\":%llu}}", (unsigned long long)muster_ticket_new(plane));
  submit_invoke(plane, queue, "agents.invoke_stream", stalled, "one two", more, &run);
  read_chunks(queue, &run, 1);
  args = invocation(stalled, "one two", NULL, more);
  CHECK_INTEGER(MUSTER_E_MISUSE, submit(plane, queue, "agents.invoke_stream", args, &second));
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_call(plane, "agents.list", more, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
  for (int round = 0; round < 100 && run.finals == 0; round++) {
    (void)(read_one(queue, 50) == MUSTER_OK);
  }
  if (!CHECK_INTEGER(1, run.finals)) {
    CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, run.task, NULL, NULL, NULL));
    read_ends(queue, &run, 1);
  } else {
    CHECK_INTEGER(MUSTER_E_CANCELLED, run.status);
  }
  free(args);
  forget(&run);
}

/* ---- How queues and planes end ------------------------------------------------------------------------------------- */

enum { OPEN_CALLS = 12 };

/* Each open call ends CLOSED, and its end can be read when the plane is gone. */
static void closing_the_plane_ends_open_calls(const char *path) {
  muster *plane = open_store(path, "stall:2");
  muster_queue *queue = open_queue(plane);
  char *agent = create_agent(plane, "Stall", NULL), *args;
  struct submitted runs[OPEN_CALLS], followed = {0}, waiting = {0};
  memset(runs, 0, sizeof runs);
  json_decref(ask_mock("POST /reset"));
  for (int index = 0; index < OPEN_CALLS; index++) {
    submit_invoke(plane, queue, forms[index % 2].operation, agent, "one two three", NULL, &runs[index]);
  }
  read_chunks(queue, &runs[1], 1);
  check_requests(OPEN_CALLS);
  json_t *task = json_pack("{s:s}", "task_id", runs[1].task);
  args = json_dumps(task, 0);
  json_decref(task);
  must_submit(plane, queue, "tasks.events", args, &followed);
  free(args);
  args = invocation(agent, "behind", runs[1].task, NULL);
  must_submit(plane, queue, "agents.invoke_stream", args, &waiting);
  free(args);
  double begin = seconds_now();
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK(seconds_now() - begin < 5);
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, submit(plane, queue, "agents.list", NULL, &(struct submitted){0}));
  read_ends(queue, runs, OPEN_CALLS);
  read_ends(queue, &followed, 1);
  read_ends(queue, &waiting, 1);
  for (int index = 0; index < OPEN_CALLS; index++) {
    if (!CHECK_INTEGER(MUSTER_E_CLOSED, runs[index].status)) {
      fprintf(stderr, "  call %d: %s %s\n", index, runs[index].letters, runs[index].message);
    }
  }
  CHECK_INTEGER(MUSTER_E_CLOSED, followed.status);
  CHECK_INTEGER(MUSTER_E_CLOSED, waiting.status);
  check_nothing_waits(queue);
  check_disconnects(OPEN_CALLS);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  /* No task runs on for ever. */
  plane = open_store(path, "echo");
  for (int index = 0; index < OPEN_CALLS; index++) {
    if (runs[index].task[0] != 0) {
      check_task(plane, runs[index].task, "pending", 0, NULL);
    }
    forget(&runs[index]);
  }
  json_t *list = call(plane, "tasks.list", "{\"status\":\"executing\"}");
  CHECK_INTEGER(0, integer_at(list, "total"));
  json_decref(list);
  /* They are put aside, for muster_resume(). */
  list = call(plane, "tasks.list", "{\"status\":\"pending\"}");
  CHECK(integer_at(list, "total") > 0);
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  forget(&followed);
  forget(&waiting);
  free(agent);
}

/* A call that is submitted while the plane is being closed is refused, or ends. */
static struct {
  muster *plane;
  muster_queue *queue;
  char *agent;
  struct submitted calls[4000];
  int count;
} racing;

static void *submit_until_closed(void *unused) {
  (void)unused;
  char *args = invocation(racing.agent, "x", NULL, NULL);
  while (racing.count < 4000) {
    struct submitted *call = &racing.calls[racing.count];
    muster_status status = submit(racing.plane, racing.queue, racing.count % 3 == 0 ? "agents.list" : forms[racing.count % 2].operation,
                                  racing.count % 3 == 0 ? NULL : args, call);
    if (status != MUSTER_OK) {
      CHECK(status == MUSTER_E_BAD_HANDLE || status == MUSTER_E_CLOSED);
      break;
    }
    racing.count++;
  }
  free(args);
  return NULL;
}

static void submitting_while_the_plane_is_closed(const char *path) {
  for (int round = 0; round < 8; round++) {
    pthread_t thread;
    muster_event event = MUSTER_EVENT_INIT;
    int finals = 0;
    memset(&racing, 0, sizeof racing);
    racing.plane = open_store(path, "echo");
    racing.queue = open_queue(racing.plane);
    racing.agent = create_agent(racing.plane, "Race", NULL);
    CHECK_INTEGER(0, pthread_create(&thread, NULL, submit_until_closed, NULL));
    sleep_ms(round * 7);
    CHECK_INTEGER(MUSTER_OK, muster_close(racing.plane));
    pthread_join(thread, NULL);
    while (finals < racing.count && muster_queue_next(racing.queue, 5000, &event) == MUSTER_OK) {
      finals += event.kind == MUSTER_EVENT_FINAL;
      muster_event_clear(&event);
    }
    CHECK_INTEGER(racing.count, finals);
    CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_next(racing.queue, 0, &event));
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(racing.queue));
    free(racing.agent);
  }
}

static void a_run_goes_on_without_its_queue(muster *plane) {
  char *agent = create_agent(plane, "Slow", "slow:60");
  struct submitted run = {0}, cancelled = {0};
  muster_queue *queue = open_queue(plane);
  submit_invoke(plane, queue, "agents.invoke_stream", agent, "x", NULL, &run);
  submit_invoke(plane, queue, "agents.invoke_stream", agent, "x", "{\"on_disconnect\":\"cancel\"}", &cancelled);
  read_chunks(queue, &run, 1);
  read_chunks(queue, &cancelled, 1);
  CHECK_INTEGER(0, run.finals + cancelled.finals);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, read_one(queue, 0));
  CHECK_INTEGER(-1, muster_queue_fd(queue));
  json_t *task = wait_for_end(plane, run.task);
  CHECK_TEXT("completed", text_at(task, "status"));
  json_decref(task);
  task = wait_for_end(plane, cancelled.task);
  CHECK_TEXT("stopped", text_at(task, "status"));
  json_decref(task);
  forget(&run);
  forget(&cancelled);
  free(agent);
}

static void *wait_in(void *queue) {
  muster_event event = MUSTER_EVENT_INIT;
  muster_status status = muster_queue_next(queue, -1, &event);
  return (void *)(intptr_t)status;
}

static void *drain_in(void *queue) {
  char *json = NULL;
  muster_status status = muster_queue_drain(queue, -1, 0, &json, NULL, NULL);
  CHECK(json == NULL);
  return (void *)(intptr_t)status;
}

static void closing_a_queue_tells_who_waits(muster *plane) {
  pthread_t threads[8];
  muster_queue *queue = open_queue(plane);
  for (int index = 0; index < 8; index++) {
    CHECK_INTEGER(0, pthread_create(&threads[index], NULL, index % 2 == 0 ? wait_in : drain_in, queue));
  }
  sleep_ms(200);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  for (int index = 0; index < 8; index++) {
    void *status = NULL;
    pthread_join(threads[index], &status);
    CHECK_INTEGER(MUSTER_E_CLOSED, (intptr_t)status);
  }
}

/* ---- Limits -------------------------------------------------------------------------------------------------------- */

static muster *open_limited(const char *path, const char *limits) {
  char config[1024];
  muster *plane = NULL;
  snprintf(config, sizeof config,
           "{\"store\":\"%s\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"stall:1\","
           "\"api_base\":\"%s\"},\"limits\":%s}",
           path, getenv("MODEL_BASE"), limits);
  if (!CHECK_INTEGER(MUSTER_OK, muster_open(config, NULL, &plane, NULL))) {
    exit(1);
  }
  return plane;
}

/* A place is taken from the submission until the end was read. */
static void a_queue_holds_so_many_calls(const char *path) {
  muster *plane = open_limited(path, "{\"queue_depth\":3}");
  muster_queue *queue = open_queue(plane), *other = open_queue(plane);
  struct submitted calls[4];
  muster_error *error = NULL;
  memset(calls, 0, sizeof calls);
  for (int index = 0; index < 3; index++) {
    must_submit(plane, queue, "agents.list", NULL, &calls[index]);
  }
  CHECK_INTEGER(MUSTER_E_BUSY, muster_submit(plane, queue, "agents.list", NULL, NULL, NULL, &error));
  CHECK(muster_error_retryable(error));
  muster_error_free(error);
  /* Another queue has places of its own. */
  must_submit(plane, other, "agents.list", NULL, &calls[3]);
  read_ends(other, &calls[3], 1);
  forget(&calls[3]);
  sleep_ms(200);
  CHECK_INTEGER(MUSTER_E_BUSY, submit(plane, queue, "agents.list", NULL, &calls[3]));
  CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS));
  must_submit(plane, queue, "agents.list", NULL, &calls[3]);
  read_ends(queue, calls, 4);
  check_nothing_waits(queue);
  for (int index = 0; index < 4; index++) {
    CHECK_INTEGER(MUSTER_OK, calls[index].status);
    forget(&calls[index]);
  }
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(other));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

/* The limit of runs: BUSY, at once or with the end of the call; when one has ended, there is place again. */
static void a_plane_runs_so_many(const char *path) {
  muster *plane = open_limited(path, "{\"runs\":2}");
  muster_queue *queue = open_queue(plane);
  char *agent = create_agent(plane, "Stall", NULL), *args = invocation(agent, "one two", NULL, NULL);
  struct submitted runs[3];
  memset(runs, 0, sizeof runs);
  must_submit(plane, queue, "agents.invoke_stream", args, &runs[0]);
  must_submit(plane, queue, "agents.invoke", args, &runs[1]);
  read_chunks(queue, &runs[0], 1);
  free(wait_for_task(plane, agent));
  sleep_ms(200);
  CHECK_INTEGER(MUSTER_E_BUSY, submit(plane, queue, "agents.invoke_stream", args, &runs[2]));
  if (runs[2].ticket != 0) {
    read_ends(queue, &runs[2], 1);
    CHECK_INTEGER(MUSTER_E_BUSY, runs[2].status);
    forget(&runs[2]);
  }
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, runs[0].ticket));
  read_ends(queue, &runs[0], 1);
  CHECK_INTEGER(MUSTER_E_CANCELLED, runs[0].status);
  must_submit(plane, queue, "agents.invoke_stream", args, &runs[2]);
  read_chunks(queue, &runs[2], 1);
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, runs[1].ticket));
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, runs[2].ticket));
  read_ends(queue, runs, 3);
  check_nothing_waits(queue);
  for (int index = 0; index < 3; index++) {
    forget(&runs[index]);
  }
  free(args);
  free(agent);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

/* ---- What is submitted ---------------------------------------------------------------------------------------------- */

static void any_operation_can_be_submitted(muster *plane, muster_queue *queue) {
  struct submitted made = {0}, list = {0}, got = {0}, updated = {0}, gone = {0};
  char args[256];
  must_submit(plane, queue, "agents.create", "{\"body\":{\"name\":\"Submitted\"}}", &made);
  read_ends(queue, &made, 1);
  CHECK_INTEGER(MUSTER_OK, made.status);
  CHECK_TEXT("a", made.letters);
  CHECK_TEXT("Submitted", text_at(made.end, "name"));
  must_submit(plane, queue, "agents.list", NULL, &list);
  snprintf(args, sizeof args, "{\"agent_id\":\"%s\"}", text_at(made.end, "id"));
  must_submit(plane, queue, "agents.get", args, &got);
  read_ends(queue, &list, 1);
  read_ends(queue, &got, 1);
  CHECK(integer_at(list.end, "total") >= 1 && json_is_array(member(list.end, "items")));
  /* The same as the call that waits. */
  json_t *same = call(plane, "agents.get", args);
  CHECK(json_equal(same, got.end));
  json_decref(same);
  must_submit(plane, queue, "agents.delete", args, &gone);
  read_ends(queue, &gone, 1);
  CHECK_INTEGER(MUSTER_OK, gone.status);
  CHECK(json_is_null(gone.end));
  check_nothing_waits(queue);
  forget(&made);
  forget(&list);
  forget(&got);
  forget(&updated);
  forget(&gone);
}

/* agents.invoke_async, called and submitted: the task, pending; the run goes on by itself. */
static void an_accepted_run_goes_on(muster *plane, muster_queue *queue, const char *echo) {
  struct submitted one = {0};
  char *text = NULL;
  size_t length = 0;
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_async(plane, echo, NULL, "{\"input\":{\"text\":\"later\"}}", &text, &length,
                                                     NULL));
  CHECK(text != NULL && strlen(text) == length);
  json_t *task = parse(text), *ended = wait_for_end(plane, text_at(task, "id"));
  CHECK_TEXT("pending", text_at(task, "status"));
  CHECK_TEXT("completed", text_at(ended, "status"));
  CHECK_TEXT("echo: later", text_at(ended, "result"));
  json_decref(task);
  json_decref(ended);
  submit_invoke(plane, queue, "agents.invoke_async", echo, "later", NULL, &one);
  read_ends(queue, &one, 1);
  CHECK_TEXT("a", one.letters);
  CHECK_TEXT("pending", text_at(one.end, "status"));
  ended = wait_for_end(plane, text_at(one.end, "id"));
  CHECK_TEXT("completed", text_at(ended, "status"));
  json_decref(ended);
  check_nothing_waits(queue);
  forget(&one);
}

static void the_named_function_submits_a_stream(muster *plane, muster_queue *queue, const char *echo) {
  struct submitted run = {0}, draft = {0};
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_stream(plane, queue, echo, NULL, "{\"input\":{\"text\":\"named\"}}", &run,
                                                      &run.ticket, &error));
  CHECK(error == NULL && run.ticket != 0);
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_stream(plane, queue, echo, "draft", "{\"input\":{\"text\":\"named\"}}",
                                                      &draft, &draft.ticket, NULL));
  CHECK(draft.ticket != run.ticket);
  read_ends(queue, &run, 1);
  read_ends(queue, &draft, 1);
  CHECK_TEXT("cuxf", run.letters);
  CHECK_TEXT("cuxf", draft.letters);
  CHECK_TEXT("echo: named", run.text);
  check_result_is_the_text(&run);
  forget(&run);
  forget(&draft);
}

/* Each event of a text that is longer than one read of the network. */
static void a_long_text_comes_whole(muster *plane, muster_queue *queue) {
  char *agent = create_agent(plane, "Huge", "huge:2000000");
  struct submitted run = {0};
  submit_invoke(plane, queue, "agents.invoke_stream", agent, "x", NULL, &run);
  /* A slow reader loses nothing. */
  sleep_ms(500);
  read_ends(queue, &run, 1);
  check_ended(&run, "completed");
  CHECK_INTEGER(2000000, run.length);
  CHECK(run.text != NULL && strspn(run.text, "x") == 2000000);
  CHECK_INTEGER(2000000, json_string_length(member(task_at_end(&run), "result")));
  forget(&run);
  free(agent);
}

/* ---- Events --------------------------------------------------------------------------------------------------------- */

static void an_event_is_cleared(muster *plane, muster_queue *queue) {
  muster_event event = MUSTER_EVENT_INIT;
  int mark;
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list", NULL, &mark, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &event));
  CHECK_INTEGER(sizeof(muster_event), event.struct_size);
  CHECK(event.user_data == &mark && event.json != NULL && event.json_len > 0 && event.ticket != 0);
  for (int round = 0; round < 2; round++) {
    muster_event_clear(&event);
    CHECK_INTEGER(sizeof(muster_event), event.struct_size);
    CHECK(event.ticket == 0 && event.user_data == NULL && event.kind == 0 && event.status == 0 && event.sequence == 0);
    CHECK(event.json == NULL && event.json_len == 0 && event.error == NULL);
  }
  muster_event_clear(NULL);
  /* A read that gives nothing leaves the event as it was. */
  event.ticket = 7;
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_next(queue, 0, &event));
  CHECK_INTEGER(7, event.ticket);
}

/* A structure of a later version is longer: what this version does not know stays untouched. */
static void a_longer_event_is_taken(muster *plane, muster_queue *queue) {
  struct {
    muster_event event;
    uint64_t more[4];
  } later;
  memset(&later, 0x5a, sizeof later);
  later.event = (muster_event)MUSTER_EVENT_INIT;
  later.event.struct_size = sizeof later;
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.get", "{\"agent_id\":\"nobody\"}", &later, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &later.event));
  CHECK_INTEGER(sizeof later, later.event.struct_size);
  CHECK(later.event.user_data == &later);
  CHECK_INTEGER(MUSTER_E_API, later.event.status);
  CHECK_INTEGER(MUSTER_E_API, muster_error_status(later.event.error));
  muster_event_clear(&later.event);
  CHECK_INTEGER(sizeof later, later.event.struct_size);
  CHECK(later.more[0] == 0x5a5a5a5a5a5a5a5a && later.more[3] == 0x5a5a5a5a5a5a5a5a);
  later.event.struct_size = sizeof(muster_event) - 1;
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_queue_next(queue, 0, &later.event));
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char *path = path_in(folder, "queues.db"), *closed = path_in(folder, "closed.db"), *limits = path_in(folder, "limits.db");
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  char *echo = create_agent(plane, "Echo", NULL), *stalled = create_agent(plane, "Stall", "stall:2");
  a_run_ends_by_itself(plane, queue);
  a_broken_attempt_is_repeated(plane, queue);
  a_ticket_cancels_before_the_start(plane, queue, stalled);
  a_ticket_cancels_in_the_middle(plane, queue, stalled);
  cancelling_after_the_end_changes_nothing(plane, queue, echo);
  stopping_the_task_ends_its_run(plane, queue, stalled);
  the_text_of_a_stopped_run_is_what_was_read(plane, queue);
  deleting_the_task_ends_its_run(plane, queue, 0);
  deleting_the_task_ends_its_run(plane, queue, 1);
  time_runs_out(plane, queue, stalled);
  what_is_wrong_comes_with_the_end(plane, queue, echo);
  a_ticket_is_for_one_call(plane, queue, stalled);
  any_operation_can_be_submitted(plane, queue);
  an_accepted_run_goes_on(plane, queue, echo);
  the_named_function_submits_a_stream(plane, queue, echo);
  a_long_text_comes_whole(plane, queue);
  an_event_is_cleared(plane, queue);
  a_longer_event_is_taken(plane, queue);
  a_run_goes_on_without_its_queue(plane);
  closing_a_queue_tells_who_waits(plane);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  closing_the_plane_ends_open_calls(closed);
  submitting_while_the_plane_is_closed(closed);
  time_of_the_plane_runs_out(limits);
  a_queue_holds_so_many_calls(limits);
  a_plane_runs_so_many(limits);
  free(echo);
  free(stalled);
  free(path);
  free(closed);
  free(limits);
  return check_finish("queues");
}
