/* Models that misbehave, time-outs, cancelling, stopping and closing. argv[1]: an empty folder. Needs the mock at
 * MODEL_BASE, whose model names say how it behaves. */
#define _POSIX_C_SOURCE 200809L
#include "mock.h"

#define BODY "{\"input\":{\"text\":\"hello\"}}"

/* One invoke on a thread of its own. */
struct run {
  muster *plane;
  const char *agent;
  muster_ticket ticket;
  int64_t timeout_ms;
  pthread_t thread;
  muster_status status;
  char *json;
  muster_error *error;
};

static void *invoke(void *argument) {
  struct run *run = argument;
  json_t *args = json_pack("{s:s, s:{s:{s:s}}}", "agent_id", run->agent, "body", "input", "text", "hello");
  char *text;
  if (run->ticket != 0) {
    json_object_set_new(args, "context", json_pack("{s:I}", "ticket", (json_int_t)run->ticket));
  }
  text = json_dumps(args, 0);
  run->status = muster_call(run->plane, "agents.invoke", text, run->timeout_ms, &run->json, NULL, &run->error);
  free(text);
  json_decref(args);
  return NULL;
}

static void start(struct run *run) { CHECK_INTEGER(0, pthread_create(&run->thread, NULL, invoke, run)); }

static void finish(struct run *run) {
  pthread_join(run->thread, NULL);
  muster_free(run->json);
  muster_error_free(run->error);
}

/* The task that the error of a started task names. NULL without one; the caller frees. */
static char *task_of(const muster_error *error) {
  json_t *document = error != NULL ? json_loads(muster_error_json(error, NULL), 0, NULL) : NULL;
  const char *id = text_at(member(document, "detail"), "task_id");
  char *copy = id != NULL ? strdup(id) : NULL;
  CHECK(text_at(member(document, "detail"), "message") != NULL);
  json_decref(document);
  return copy;
}

static void check_task(muster *plane, const char *id, const char *status, int stopped, const char *internal_status) {
  char *text = NULL;
  json_t *task;
  if (!CHECK(id != NULL) || !CHECK_INTEGER(MUSTER_OK, muster_task_get(plane, id, &text, NULL, NULL))) {
    return;
  }
  task = parse(text);
  CHECK_TEXT(status, text_at(task, "status"));
  CHECK_INTEGER(stopped, json_is_true(member(task, "is_manually_stopped")));
  if (internal_status != NULL) {
    CHECK_TEXT(internal_status, text_at(task, "internal_status"));
  }
  CHECK(text_at(task, "finished_at") != NULL);
  json_decref(task);
}

static json_t *executing(muster *plane, const char *agent) {
  json_t *filter = json_pack("{s:s, s:s}", "agent_id", agent, "status", "executing"), *list;
  char *text = json_dumps(filter, 0), *json = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_tasks_list(plane, text, 0, 0, &json, NULL, NULL));
  list = parse(json);
  free(text);
  json_decref(filter);
  return list;
}

/* Waits until a task of the agent waits for its model, and gives its id; the caller frees. */
static char *wait_for_task(muster *plane, const char *agent) {
  char *id = NULL;
  for (int round = 0; round < 500 && id == NULL; round++) {
    json_t *list = executing(plane, agent);
    const char *found = text_at(json_array_get(member(list, "items"), 0), "id");
    id = found != NULL ? strdup(found) : NULL;
    json_decref(list);
    sleep_ms(10);
  }
  CHECK(id != NULL);
  sleep_ms(200);
  return id;
}

/* The mock saw its client go away: the socket was closed, not left behind. */
static void mock_saw_the_connection_close(void) {
  size_t seen = 0;
  for (int round = 0; round < 100 && seen == 0; round++) {
    json_t *observed = ask_mock("GET /observed");
    seen = json_array_size(member(observed, "disconnects"));
    json_decref(observed);
    sleep_ms(10);
  }
  CHECK(seen > 0);
}

static void the_plane_still_works(muster *plane, const char *good) {
  char *text = NULL;
  json_t *task;
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, good, NULL, BODY, 30000, &text, NULL, NULL));
  task = parse(text);
  CHECK_TEXT("completed", text_at(task, "status"));
  CHECK_TEXT("echo: hello", text_at(task, "result"));
  json_decref(task);
}

static void every_broken_answer_ends_as_documented(muster *plane, const char *good) {
  static const struct {
    const char *model, *status;
  } rows[] = {{"html", "error"},
              {"halfjson", "error"},
              {"half", "error"},
              {"hangup", "error"},
              {"status:500", "error"},
              {"status:401", "error"},
              {"empty", "error"},
              {"nul", "error"},
              {"bigint", "error"},
              {"deep", "error"},
              {"badutf8", "error"},
              {"redirect", "error"},
              {"refusal", "failed"},
              {"filter", "failed"},
              {"length", "completed"},
              {"parts", "completed"},
              {"drip:1", "completed"},
              {"stale", "completed"},
              {"flaky:1:503:c", "completed"}};
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    char *agent = create_agent(plane, rows[index].model, rows[index].model), *text = NULL;
    muster_error *error = NULL;
    if (CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, agent, NULL, BODY, 60000, &text, NULL, &error))) {
      json_t *task = parse(text);
      if (!CHECK_TEXT(rows[index].status, text_at(task, "status"))) {
        fprintf(stderr, "  %s: %s\n", rows[index].model, text_at(task, "result"));
      }
      /* Whatever happened, the result says it in words. */
      CHECK(text_at(task, "result") != NULL && strlen(text_at(task, "result")) > 0);
      CHECK(text_at(task, "finished_at") != NULL);
      json_decref(task);
    } else {
      report(rows[index].model, error);
    }
    muster_error_free(error);
    the_plane_still_works(plane, good);
    free(agent);
  }
}

static void an_unreachable_model_is_an_error_that_names_it(muster *plane, const char *good) {
  char *text = NULL, *id;
  json_t *task;
  CHECK_INTEGER(MUSTER_OK,
                muster_agent_create(plane,
                                    "{\"name\":\"Far\",\"model_provider\":\"openai_compatible\",\"model_name\":"
                                    "\"far\",\"llm_api_base\":\"http://127.0.0.1:1/v1\"}",
                                    &text, NULL, NULL));
  task = parse(text);
  id = strdup(text_at(task, "id"));
  json_decref(task);
  text = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, id, NULL, BODY, 60000, &text, NULL, NULL));
  task = parse(text);
  CHECK_TEXT("error", text_at(task, "status"));
  CHECK(text_at(task, "result") != NULL && strstr(text_at(task, "result"), "127.0.0.1") != NULL);
  json_decref(task);
  free(id);
  the_plane_still_works(plane, good);
}

static void a_slow_model_runs_into_the_timeout(muster *plane, const char *good) {
  char *agent = create_agent(plane, "Slow", "slow:5000"), *text = (char *)plane, *task;
  muster_error *error = NULL;
  size_t length = 9;
  double begin = seconds_now();
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_agent_invoke(plane, agent, NULL, BODY, 300, &text, &length, &error));
  CHECK(seconds_now() - begin >= 0.25 && seconds_now() - begin < 1.5);
  CHECK(text == NULL && length == 0);
  task = task_of(error);
  check_task(plane, task, "stopped", 0, "timeout");
  muster_error_free(error);
  free(task);
  free(agent);
  the_plane_still_works(plane, good);
}

static void a_ticket_cancels_before_the_call(muster *plane, const char *good) {
  char *agent = create_agent(plane, "Hang", "hang"), *task;
  struct run run = {.plane = plane, .agent = agent, .ticket = muster_ticket_new(plane), .timeout_ms = 30000};
  double begin = seconds_now();
  CHECK(run.ticket != 0);
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
  start(&run);
  pthread_join(run.thread, NULL);
  CHECK(seconds_now() - begin < 1);
  CHECK_INTEGER(MUSTER_E_CANCELLED, run.status);
  CHECK(run.json == NULL);
  task = strstr(muster_error_json(run.error, NULL), "task_id") != NULL ? task_of(run.error) : NULL;
  if (task != NULL) { /* a call may be refused before it has made a task */
    check_task(plane, task, "stopped", 1, NULL);
  }
  muster_error_free(run.error);
  free(task);
  /* Late and unknown tickets are harmless. */
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
  free(agent);
  the_plane_still_works(plane, good);
}

static void a_ticket_cancels_during_the_call(muster *plane, const char *good) {
  char *agent = create_agent(plane, "Hang", "hang"), *waiting, *task;
  struct run run = {.plane = plane, .agent = agent, .ticket = muster_ticket_new(plane), .timeout_ms = 30000};
  double begin;
  json_decref(ask_mock("POST /reset"));
  start(&run);
  waiting = wait_for_task(plane, agent);
  begin = seconds_now();
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, run.ticket));
  pthread_join(run.thread, NULL);
  printf("cancelled in %.1f ms\n", (seconds_now() - begin) * 1000);
  CHECK(seconds_now() - begin < 1);
  CHECK_INTEGER(MUSTER_E_CANCELLED, run.status);
  task = task_of(run.error);
  CHECK_TEXT(waiting != NULL ? waiting : "", task);
  check_task(plane, task, "stopped", 1, NULL);
  mock_saw_the_connection_close();
  muster_error_free(run.error);
  free(waiting);
  free(task);
  free(agent);
  the_plane_still_works(plane, good);
}

static void another_thread_stops_the_task(muster *plane, const char *good) {
  char *agent = create_agent(plane, "Hang", "hang"), *waiting, *text = NULL;
  struct run run = {.plane = plane, .agent = agent, .timeout_ms = 30000};
  json_t *task;
  double begin;
  start(&run);
  waiting = wait_for_task(plane, agent);
  begin = seconds_now();
  CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, waiting, &text, NULL, NULL));
  task = parse(text);
  CHECK_TEXT("stopped", text_at(task, "status"));
  CHECK(json_is_true(member(task, "is_manually_stopped")));
  json_decref(task);
  pthread_join(run.thread, NULL);
  CHECK(seconds_now() - begin < 1);
  /* The invoke itself succeeds: it gives the task, which was stopped. */
  if (CHECK_INTEGER(MUSTER_OK, run.status)) {
    task = parse(run.json);
    CHECK_TEXT("stopped", text_at(task, "status"));
    json_decref(task);
  }
  muster_error_free(run.error);
  check_task(plane, waiting, "stopped", 1, NULL);
  free(waiting);
  free(agent);
  the_plane_still_works(plane, good);
}

static void deleting_the_agent_stops_its_task(muster *plane, const char *good) {
  char *agent = create_agent(plane, "Hang", "hang"), *waiting;
  struct run run = {.plane = plane, .agent = agent, .timeout_ms = 30000};
  double begin;
  start(&run);
  waiting = wait_for_task(plane, agent);
  begin = seconds_now();
  CHECK_INTEGER(MUSTER_OK, muster_agent_delete(plane, agent, NULL));
  finish(&run);
  CHECK(seconds_now() - begin < 2);
  CHECK_INTEGER(MUSTER_E_API, muster_task_get(plane, waiting, NULL, NULL, NULL));
  free(waiting);
  free(agent);
  the_plane_still_works(plane, good);
}

static void closing_interrupts_calls_under_way(const char *path) {
  muster *plane = open_store(path, "echo");
  char *agent = create_agent(plane, "Hang", "hang"), *waiting, *tasks[4] = {NULL};
  struct run runs[4];
  double begin;
  for (int index = 0; index < 4; index++) {
    runs[index] = (struct run){.plane = plane, .agent = agent, .timeout_ms = 30000};
    start(&runs[index]);
  }
  waiting = wait_for_task(plane, agent);
  begin = seconds_now();
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK(seconds_now() - begin < 1);
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_agents_list(plane, 0, 0, NULL, NULL, NULL));
  for (int index = 0; index < 4; index++) {
    pthread_join(runs[index].thread, NULL);
    CHECK_INTEGER(MUSTER_E_CLOSED, runs[index].status);
    CHECK(runs[index].json == NULL);
    tasks[index] = task_of(runs[index].error);
    muster_error_free(runs[index].error);
  }
  plane = open_store(path, "echo");
  for (int index = 0; index < 4; index++) {
    check_task(plane, tasks[index], "error", 0, "interrupted");
    free(tasks[index]);
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(waiting);
  free(agent);
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "models.db"), *good;
  muster *plane = open_store(path, "echo");
  good = create_agent(plane, "Good", NULL);
  every_broken_answer_ends_as_documented(plane, good);
  an_unreachable_model_is_an_error_that_names_it(plane, good);
  a_slow_model_runs_into_the_timeout(plane, good);
  a_ticket_cancels_before_the_call(plane, good);
  a_ticket_cancels_during_the_call(plane, good);
  another_thread_stops_the_task(plane, good);
  deleting_the_agent_stops_its_task(plane, good);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  closing_interrupts_calls_under_way(path);
  free(good);
  free(path);
  return check_finish("models");
}
