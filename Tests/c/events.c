/* Events: what runs, and those who follow them, are told; repeated, replaced and foreign runs; requests whose answer comes
 * as events. argv[1]: an empty folder. Needs the mock at MODEL_BASE. */
#define _POSIX_C_SOURCE 200809L
#include <sys/wait.h>

#include "queue.h"

#define TEXT "one two three four five six"

/* Submits tasks.events; `after`: NULL, or the JSON of where to go on. */
static void follow(muster *plane, muster_queue *queue, const char *task, const char *after, struct submitted *call) {
  char args[512];
  snprintf(args, sizeof args, "{\"task_id\":\"%s\"%s%s}", task, after != NULL ? ",\"after\":" : "",
           after != NULL ? after : "");
  must_submit(plane, queue, "tasks.events", args, call);
}

static json_int_t tasks_of(muster *plane, const char *agent) {
  char args[128];
  snprintf(args, sizeof args, "{\"agent_id\":\"%s\"}", agent);
  json_t *list = call(plane, "tasks.list", args);
  json_int_t total = integer_at(list, "total");
  json_decref(list);
  return total;
}

/* ---- Following ------------------------------------------------------------------------------------------------------ */

/* From each place on, the rest comes: no event twice, none missing, no byte of the text twice or missing. */
static void check_suffixes(muster *plane, muster_queue *queue, const struct submitted *whole) {
  for (int index = 0; index < whole->id_count; index++) {
    struct submitted rest = {0};
    char after[80];
    snprintf(after, sizeof after, "\"%s\"", whole->ids[index]);
    follow(plane, queue, whole->task, after, &rest);
    read_ends(queue, &rest, 1);
    CHECK_INTEGER(MUSTER_OK, rest.status);
    if (index + 1 < whole->id_count) {
      if (!CHECK_TEXT(whole->text + whole->lengths[index], rest.text != NULL ? rest.text : "")) {
        fprintf(stderr, "  after %s: %s\n", whole->ids[index], rest.letters);
      }
      /* The last letters are those of the whole. */
      size_t length = strlen(rest.letters), all = strlen(whole->letters);
      CHECK(length <= all && strcmp(whole->letters + all - length, rest.letters) == 0);
      CHECK_TEXT(whole->last_id, rest.last_id);
    }
    forget(&rest);
  }
}

static void an_ended_task_is_followed_from_any_place(muster *plane, muster_queue *queue) {
  static const char *const models[] = {"split", "echo", "slow:3", "status:401"};
  for (size_t row = 0; row < sizeof models / sizeof models[0]; row++) {
    char *agent = create_agent(plane, models[row], models[row]);
    struct submitted run = {0}, again = {0}, number = {0};
    submit_invoke(plane, queue, "agents.invoke_stream", agent, "gr\xc3\xbc\xc3\x9f " TEXT " \xf0\x9f\x8c\x8a", NULL, &run);
    read_ends(queue, &run, 1);
    follow(plane, queue, run.task, NULL, &again);
    read_ends(queue, &again, 1);
    CHECK_TEXT(run.letters, again.letters);
    CHECK_TEXT(run.last_id, again.last_id);
    CHECK(json_equal(run.end, again.end));
    if (run.text != NULL) {
      CHECK_TEXT(run.text, again.text);
      CHECK_TEXT(run.text, text_at(task_at_end(&run), "result"));
      check_suffixes(plane, queue, &run);
      check_suffixes(plane, queue, &again);
    }
    /* A record's number, as a number. */
    follow(plane, queue, run.task, "1", &number);
    read_ends(queue, &number, 1);
    CHECK_TEXT(run.text != NULL ? run.text : "", number.text != NULL ? number.text : "");
    CHECK_TEXT(run.last_id, number.last_id);
    forget(&number);
    forget(&run);
    forget(&again);
    free(agent);
  }
  check_nothing_waits(queue);
}

/* Followers that come at any time have the same text as the run itself, in the end. */
static void a_running_task_is_followed(muster *plane, muster_queue *queue) {
  enum { FOLLOWERS = 6 };
  char *agent = create_agent(plane, "Slow", "slow:40");
  muster_queue *other = open_queue(plane);
  struct submitted run = {0}, followers[FOLLOWERS];
  size_t had[FOLLOWERS];
  memset(followers, 0, sizeof followers);
  submit_invoke(plane, queue, "agents.invoke_stream", agent, TEXT, NULL, &run);
  for (int index = 0; index < FOLLOWERS; index++) {
    char after[80];
    read_chunks(queue, &run, run.chunks + 1 < 4 ? run.chunks + 1 : run.chunks);
    snprintf(after, sizeof after, "\"%s\"", run.last_id);
    had[index] = index % 2 == 0 ? 0 : run.length;
    follow(plane, other, run.task, index % 2 == 0 ? NULL : after, &followers[index]);
  }
  read_ends(queue, &run, 1);
  read_ends(other, followers, FOLLOWERS);
  check_ended(&run, "completed");
  for (int index = 0; index < FOLLOWERS; index++) {
    CHECK_INTEGER(MUSTER_OK, followers[index].status);
    CHECK_TEXT(run.text + had[index], followers[index].text);
    CHECK_TEXT(index % 2 == 0 ? "cuxf" : "xf", followers[index].letters);
    CHECK(json_equal(run.end, followers[index].end));
    forget(&followers[index]);
  }
  check_nothing_waits(other);
  check_nothing_waits(queue);
  forget(&run);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(other));
  free(agent);
}

/* Who merely follows does not end the run. */
static void a_follower_that_goes_leaves_the_run(muster *plane, muster_queue *queue) {
  char *agent = create_agent(plane, "Slow", "slow:60");
  muster_queue *other = open_queue(plane);
  struct submitted run = {0}, cancelled = {0}, closed = {0};
  submit_invoke(plane, queue, "agents.invoke_stream", agent, TEXT, NULL, &run);
  read_chunks(queue, &run, 1);
  follow(plane, queue, run.task, NULL, &cancelled);
  follow(plane, other, run.task, NULL, &closed);
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, cancelled.ticket));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(other));
  read_ends(queue, &cancelled, 1);
  CHECK_INTEGER(MUSTER_E_CANCELLED, cancelled.status);
  read_ends(queue, &run, 1);
  CHECK_INTEGER(MUSTER_OK, run.status);
  check_ended(&run, "completed");
  check_nothing_waits(queue);
  forget(&run);
  forget(&cancelled);
  forget(&closed);
  free(agent);
}

static void a_deleted_task_is_followed_no_more(muster *plane, muster_queue *queue) {
  char *agent = create_agent(plane, "Stall", "stall:2");
  struct submitted run = {0}, follower = {0}, late = {0}, wrong = {0};
  submit_invoke(plane, queue, "agents.invoke_stream", agent, TEXT, NULL, &run);
  read_chunks(queue, &run, 1);
  follow(plane, queue, run.task, NULL, &follower);
  read_chunks(queue, &follower, 1);
  CHECK_INTEGER(MUSTER_OK, muster_task_delete(plane, run.task, NULL));
  read_ends(queue, &run, 1);
  read_ends(queue, &follower, 1);
  CHECK_INTEGER(404, run.http_status);
  CHECK_INTEGER(MUSTER_E_API, follower.status);
  CHECK_INTEGER(404, follower.http_status);
  follow(plane, queue, run.task, NULL, &late);
  read_ends(queue, &late, 1);
  CHECK_INTEGER(404, late.http_status);
  static const char *const places[] = {"\"x\"", "\"1.2\"", "\"-1\"", "-1", "1.5", "true", "\"\"", "\"1.1.1.1\""};
  forget(&run);
  submit_invoke(plane, queue, "agents.invoke_stream", agent, TEXT, NULL, &run);
  read_chunks(queue, &run, 1);
  for (size_t index = 0; index < sizeof places / sizeof places[0]; index++) {
    follow(plane, queue, run.task, places[index], &wrong);
    read_ends(queue, &wrong, 1);
    if (!CHECK_INTEGER(422, wrong.http_status)) {
      fprintf(stderr, "  after %s: %s\n", places[index], wrong.letters);
    }
    forget(&wrong);
  }
  CHECK_INTEGER(MUSTER_OK, muster_agent_delete(plane, agent, NULL));
  read_ends(queue, &run, 1);
  CHECK_INTEGER(404, run.http_status);
  check_nothing_waits(queue);
  forget(&run);
  forget(&follower);
  forget(&late);
  free(agent);
}

/* muster_call() of the same operations: an array of all events. */
static void the_waiting_call_gives_all_events(muster *plane, const char *echo) {
  char *args = invocation(echo, TEXT, NULL, NULL), again[128];
  json_t *all = call(plane, "agents.invoke_stream", args), *last = json_array_get(all, json_array_size(all) - 1);
  CHECK(json_array_size(all) >= 4);
  CHECK_TEXT("task_created", text_at(json_array_get(all, 0), "type"));
  CHECK_TEXT("task_finished", text_at(last, "type"));
  snprintf(again, sizeof again, "{\"task_id\":\"%s\"}", text_at(last, "task_id"));
  json_t *followed = call(plane, "tasks.events", again);
  CHECK(json_equal(last, json_array_get(followed, json_array_size(followed) - 1)));
  json_decref(all);
  json_decref(followed);
  free(args);
}

/* ---- Turns ---------------------------------------------------------------------------------------------------------- */

static char *turn(const char *agent, const char *thread, const char *model, const char *text, const char *more) {
  char body[512];
  snprintf(body, sizeof body, "{\"body\":{\"id\":\"%s\",\"llm_model_name\":\"%s\",\"input\":{\"text\":\"%s\"}}%s%s}", thread,
           model, text, more[0] != 0 ? "," : "", more);
  return invocation(agent, "", NULL, body);
}

static void submit_turn(muster *plane, muster_queue *queue, const char *agent, const char *thread, const char *model,
                        const char *text, const char *more, struct submitted *call) {
  char *args = turn(agent, thread, model, text, more);
  must_submit(plane, queue, "agents.invoke_stream", args, call);
  free(args);
}

/* The turns of a thread come one after the other; each stream has its own turn only, a follower both. */
static void turns_of_one_thread_are_told_apart(muster *plane, muster_queue *queue, const char *echo) {
  struct submitted first = {0}, second = {0}, follower = {0};
  submit_turn(plane, queue, echo, "thread-a", "slow:20", "first", "", &first);
  /* Calls are begun on several threads: what was created stands before what is submitted then. */
  CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS));
  submit_turn(plane, queue, echo, "thread-a", "echo", "second", "", &second);
  read_ends(queue, &second, 1);
  CHECK_INTEGER(1, first.finals);
  CHECK_TEXT("cuxf", first.letters);
  CHECK_TEXT("cuxf", second.letters);
  CHECK_TEXT("answered after 20 ms", first.text);
  CHECK_TEXT("echo: second", second.text);
  CHECK_TEXT("thread-a", second.task);
  /* The second begins behind the first. */
  CHECK(atoll(second.ids[0]) > first.sequence);
  follow(plane, queue, "thread-a", NULL, &follower);
  read_ends(queue, &follower, 1);
  CHECK_TEXT("cuxfcuxf", follower.letters);
  CHECK_TEXT("echo: second", follower.text);
  check_nothing_waits(queue);
  forget(&first);
  forget(&second);
  forget(&follower);
}

static void a_busy_thread(muster *plane, muster_queue *queue, const char *echo) {
  struct submitted first = {0}, second = {0}, third = {0};
  /* reject: the second is refused, the first goes on. */
  submit_turn(plane, queue, echo, "thread-b", "stall:2", "a b c", "", &first);
  read_chunks(queue, &first, 1);
  submit_turn(plane, queue, echo, "thread-b", "echo", "second", "\"on_busy\":\"reject\"", &second);
  read_ends(queue, &second, 1);
  CHECK_INTEGER(MUSTER_E_API, second.status);
  CHECK_INTEGER(409, second.http_status);
  CHECK_INTEGER(0, first.finals);
  forget(&second);
  /* enqueue, which is the default, waits; replace stops what is before it, also what waits. */
  submit_turn(plane, queue, echo, "thread-b", "echo", "second", "\"on_busy\":\"enqueue\"", &second);
  for (int round = 0; round < 10; round++) {
    (void)(read_one(queue, 50) == MUSTER_OK);
  }
  CHECK_INTEGER(0, second.events + first.finals);
  submit_turn(plane, queue, echo, "thread-b", "echo", "third", "\"on_busy\":\"replace\"", &third);
  read_ends(queue, &third, 1);
  read_ends(queue, &first, 1);
  read_ends(queue, &second, 1);
  check_ended(&first, "stopped");
  CHECK_INTEGER(MUSTER_OK, first.status);
  check_ended(&third, "completed");
  CHECK_TEXT("echo: third", third.text);
  CHECK(second.status != MUSTER_OK);
  check_nothing_waits(queue);
  forget(&first);
  forget(&second);
  forget(&third);
}

/* ---- Repetition ------------------------------------------------------------------------------------------------------ */

static void a_key_makes_one_run(muster *plane, muster_queue *queue, const char *operation) {
  char *agent = create_agent(plane, "Once", "slow:20"), more[128];
  struct submitted runs[4], other = {0};
  int is_stream = strcmp(operation, "agents.invoke_stream") == 0, is_accepted = strcmp(operation, "agents.invoke_async") == 0;
  memset(runs, 0, sizeof runs);
  snprintf(more, sizeof more, "{\"context\":{\"idempotency_key\":\"key of %s\"}}", operation);
  /* Two at once, one while it runs or has just ended, and one afterwards. */
  submit_invoke(plane, queue, operation, agent, TEXT, more, &runs[0]);
  submit_invoke(plane, queue, operation, agent, TEXT, more, &runs[1]);
  sleep_ms(60);
  submit_invoke(plane, queue, operation, agent, TEXT, more, &runs[2]);
  read_ends(queue, runs, 3);
  if (is_accepted) {
    json_decref(wait_for_end(plane, text_at(runs[0].end, "id")));
  }
  submit_invoke(plane, queue, operation, agent, TEXT, more, &runs[3]);
  read_ends(queue, runs, 4);
  for (int index = 0; index < 4; index++) {
    if (!CHECK_INTEGER(MUSTER_OK, runs[index].status)) {
      fprintf(stderr, "  %s, number %d: %s\n", operation, index, runs[index].message);
      continue;
    }
    CHECK_TEXT(is_stream ? "cuxf" : "a", runs[index].letters);
    CHECK_TEXT(text_at(task_at_end(&runs[0]), "id"), text_at(task_at_end(&runs[index]), "id"));
    if (is_stream) {
      CHECK_TEXT("answered after 20 ms", runs[index].text);
    } else if (!is_accepted) {
      CHECK(json_equal(runs[0].end, runs[index].end));
    }
  }
  CHECK_INTEGER(1, tasks_of(plane, agent));
  submit_invoke(plane, queue, operation, agent, "another request", more, &other);
  read_ends(queue, &other, 1);
  CHECK_INTEGER(422, other.http_status);
  check_nothing_waits(queue);
  for (int index = 0; index < 4; index++) {
    forget(&runs[index]);
  }
  forget(&other);
  free(agent);
}

/* ---- Requests --------------------------------------------------------------------------------------------------------- */

static void request(muster *plane, muster_queue *queue, const char *method, const char *target, const char *headers,
                    const char *body, struct submitted *call) {
  muster_error *error = NULL;
  if (!CHECK_INTEGER(MUSTER_OK, muster_http_submit(plane, queue, method, target, headers, body, body != NULL ? strlen(body) : 0,
                                                   call, &call->ticket, &error))) {
    report(target, error);
  }
  CHECK(error == NULL && call->ticket != 0);
}

/* Checks the first event, and gives the status in it. */
static json_int_t head_of(const struct submitted *call) {
  json_t *head = json_array_get(call->all, 0);
  CHECK(json_is_integer(member(head, "status")) && json_is_object(member(head, "headers")));
  return integer_at(head, "status");
}

static void plain_requests(muster *plane, muster_queue *queue, const char *key) {
  const struct {
    const char *method, *target, *headers, *body;
    int status;
  } rows[] = {{"GET", "/v1/agents?page=1", key, NULL, 200},
              {"GET", "/v1/agents", NULL, NULL, 401},
              {"GET", "/v1/agents", "{\"x-api-key\":\"wrong\"}", NULL, 401},
              {"GET", "/v1/agents/nobody", key, NULL, 404},
              {"GET", "/nowhere", key, NULL, 404},
              {"GET", "/v1/agents?page=0", key, NULL, 422},
              {"POST", "/v1/agents", key, "{", 422},
              {"POST", "/v1/agents", key, "{\"name\":\"By request\"}", 201},
              {"POST", "/v1/agents/nobody/invoke/stream", key, "{\"input\":{\"text\":\"x\"}}", 404},
              {"POST", "/v1/agents/nobody/invoke/stream", NULL, "{\"input\":{\"text\":\"x\"}}", 401},
              {"GET", "/v1/tasks/nobody/events", key, NULL, 404},
              {"GET", "/health", NULL, NULL, 200},
              {"GET", "/openapi.json", NULL, NULL, 200},
              {"HEAD", "/v1/agents", key, NULL, 200},
              {"OPTIONS", "/v1/agents", key, NULL, 0},
              {"PUT", "/v1/agents", key, "{}", 405},
              {"", "", NULL, NULL, 0}};
  for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
    struct submitted one = {0};
    int32_t status = 0;
    void *response = NULL;
    size_t length = 0;
    request(plane, queue, rows[row].method, rows[row].target, rows[row].headers, rows[row].body, &one);
    read_ends(queue, &one, 1);
    if (!CHECK_INTEGER(MUSTER_OK, one.status) || !CHECK_INTEGER(2, one.events) ||
        !(rows[row].status == 0 || CHECK_INTEGER(rows[row].status, head_of(&one)))) {
      fprintf(stderr, "  %s %s: %s\n", rows[row].method, rows[row].target, one.message);
    }
    /* The same as the request that waits. */
    if (strcmp(rows[row].method, "POST") != 0 || rows[row].status != 201) {
      CHECK_INTEGER(MUSTER_OK, muster_http(plane, rows[row].method, rows[row].target, rows[row].headers, rows[row].body,
                                           rows[row].body != NULL ? strlen(rows[row].body) : 0, &status, NULL, &response,
                                           &length, NULL));
      CHECK_INTEGER(status, head_of(&one));
      json_t *body = json_loadb(response, length, JSON_DECODE_ANY, NULL);
      if (!CHECK(body == NULL ? json_is_string(one.end) && json_string_length(one.end) == length : json_equal(body, one.end))) {
        fprintf(stderr, "  %s %s: %.*s\n", rows[row].method, rows[row].target, (int)length, (char *)response);
      }
      json_decref(body);
      muster_free(response);
    }
    forget(&one);
  }
  check_nothing_waits(queue);
}

static void streamed_requests(muster *plane, muster_queue *queue, const char *key, const char *echo) {
  char target[256], *stalled = create_agent(plane, "Stall", "stall:2");
  struct submitted run = {0}, follower = {0}, plain = {0}, cancelled = {0}, stopped = {0};
  snprintf(target, sizeof target, "/v1/agents/%s/invoke/stream", echo);
  request(plane, queue, "POST", target, key, "{\"input\":{\"text\":\"" TEXT "\"}}", &run);
  read_ends(queue, &run, 1);
  CHECK_INTEGER(MUSTER_OK, run.status);
  CHECK_INTEGER(200, head_of(&run));
  CHECK_TEXT("acuxf", run.letters);
  CHECK_TEXT("echo: " TEXT, run.text);
  json_t *headers = member(json_array_get(run.all, 0), "headers");
  const char *name;
  json_t *value;
  int is_stream = 0;
  json_object_foreach(headers, name, value) {
    is_stream |= strstr(json_string_value(value), "text/event-stream") != NULL;
  }
  CHECK(is_stream);

  snprintf(target, sizeof target, "/v1/tasks/%s/events?after=%s", run.task, run.ids[1]);
  request(plane, queue, "GET", target, key, NULL, &follower);
  read_ends(queue, &follower, 1);
  CHECK_TEXT("axf", follower.letters);
  CHECK_TEXT(run.text, follower.text);

  snprintf(target, sizeof target, "/v1/agents/%s/invoke", echo);
  request(plane, queue, "POST", target, key, "{\"input\":{\"text\":\"plain\"}}", &plain);
  read_ends(queue, &plain, 1);
  CHECK_INTEGER(2, plain.events);
  CHECK_TEXT("echo: plain", text_at(plain.end, "result"));

  snprintf(target, sizeof target, "/v1/agents/%s/invoke/stream", stalled);
  request(plane, queue, "POST", target, key, "{\"input\":{\"text\":\"" TEXT "\"}}", &cancelled);
  request(plane, queue, "POST", target, key, "{\"input\":{\"text\":\"" TEXT "\"}}", &stopped);
  read_chunks(queue, &cancelled, 1);
  read_chunks(queue, &stopped, 1);
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, cancelled.ticket));
  CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, stopped.task, NULL, NULL, NULL));
  read_ends(queue, &cancelled, 1);
  read_ends(queue, &stopped, 1);
  CHECK_INTEGER(MUSTER_E_CANCELLED, cancelled.status);
  check_ended(&cancelled, "stopped");
  CHECK_INTEGER(MUSTER_OK, stopped.status);
  check_ended(&stopped, "stopped");
  check_nothing_waits(queue);
  forget(&run);
  forget(&follower);
  forget(&plain);
  forget(&cancelled);
  forget(&stopped);
  free(stalled);
}

static void a_repeated_request_makes_one_run(muster *plane, muster_queue *queue, const char *key) {
  char *agent = create_agent(plane, "Once", "slow:20"), target[256], headers[512];
  struct submitted first = {0}, second = {0};
  snprintf(target, sizeof target, "/v1/agents/%s/invoke/stream", agent);
  snprintf(headers, sizeof headers, "%.*s,\"Idempotency-Key\":\"by request\"}", (int)strlen(key) - 1, key);
  request(plane, queue, "POST", target, headers, "{\"input\":{\"text\":\"x\"}}", &first);
  request(plane, queue, "POST", target, headers, "{\"input\":{\"text\":\"x\"}}", &second);
  read_ends(queue, &first, 1);
  read_ends(queue, &second, 1);
  CHECK_TEXT("acuxf", first.letters);
  CHECK_TEXT("acuxf", second.letters);
  CHECK_TEXT(first.task, second.task);
  CHECK_INTEGER(1, tasks_of(plane, agent));
  forget(&first);
  forget(&second);
  free(agent);
}

/* ---- Two processes ---------------------------------------------------------------------------------------------------- */

/* What one process tells the other. */
struct message {
  char text[128];
  double time;
};

static void tell(int descriptor, const char *text) {
  struct message message = {"", seconds_now()};
  snprintf(message.text, sizeof message.text, "%s", text);
  CHECK_INTEGER(sizeof message, write(descriptor, &message, sizeof message));
}

static struct message hear(int descriptor) {
  struct message message = {"", 0};
  CHECK_INTEGER(sizeof message, read(descriptor, &message, sizeof message));
  return message;
}

/* Follows what another process runs, then stops and deletes its runs. */
static void other_process(const char *path, int from, int to) {
  struct submitted follower = {0};
  struct message message = hear(from);
  alarm(120);
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  follow(plane, queue, message.text, NULL, &follower);
  read_ends(queue, &follower, 1);
  CHECK_INTEGER(MUSTER_OK, follower.status);
  CHECK_TEXT("cuxf", follower.letters);
  CHECK_TEXT("answered after 150 ms", follower.text);
  tell(to, "finished");
  forget(&follower);
  message = hear(from);
  /* A run of the other process: followed here, and stopped. */
  follow(plane, queue, message.text, NULL, &follower);
  CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS));
  char *text = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, message.text, &text, NULL, NULL));
  json_t *task = parse(text);
  CHECK_TEXT("stopped", text_at(task, "status"));
  json_decref(task);
  tell(to, "stopped");
  read_ends(queue, &follower, 1);
  CHECK_INTEGER(MUSTER_OK, follower.status);
  check_ended(&follower, "stopped");
  forget(&follower);
  message = hear(from);
  CHECK_INTEGER(MUSTER_OK, muster_task_delete(plane, message.text, NULL));
  tell(to, "deleted");
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  _exit(check_failed_count == 0 ? 0 : 1);
}

static void two_processes_share_a_task(const char *path) {
  int to_child[2], to_parent[2], status = 0;
  struct submitted run = {0};
  struct message message;
  CHECK_INTEGER(0, pipe(to_child));
  CHECK_INTEGER(0, pipe(to_parent));
  pid_t child = fork();
  if (child == 0) {
    close(to_child[1]);
    close(to_parent[0]);
    other_process(path, to_child[0], to_parent[1]);
  }
  close(to_child[0]);
  close(to_parent[1]);
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  char *slow = create_agent(plane, "Slow", "slow:150"), *stalled = create_agent(plane, "Stall", "stall:2");

  submit_invoke(plane, queue, "agents.invoke_stream", slow, TEXT, NULL, &run);
  read_chunks(queue, &run, 1);
  tell(to_child[1], run.task);
  read_ends(queue, &run, 1);
  double ended = seconds_now();
  check_ended(&run, "completed");
  message = hear(to_parent[0]);
  printf("another process heard of the end after %.0f ms\n", (message.time - ended) * 1000);
  CHECK(message.time - ended < 1);
  forget(&run);

  json_decref(ask_mock("POST /reset"));
  submit_invoke(plane, queue, "agents.invoke_stream", stalled, TEXT, NULL, &run);
  read_chunks(queue, &run, 1);
  tell(to_child[1], run.task);
  read_ends(queue, &run, 1);
  ended = seconds_now();
  message = hear(to_parent[0]);
  printf("a run was ended by another process within %.0f ms\n", (ended - message.time) * 1000);
  CHECK(ended - message.time < 1);
  CHECK_INTEGER(MUSTER_OK, run.status);
  check_ended(&run, "stopped");
  CHECK_TEXT("cuxf", run.letters);
  size_t seen = 0;
  for (int round = 0; round < 200 && seen == 0; round++) {
    json_t *observed = ask_mock("GET /observed");
    seen = json_array_size(member(observed, "disconnects"));
    json_decref(observed);
    sleep_ms(10);
  }
  CHECK_INTEGER(1, seen);
  forget(&run);

  submit_invoke(plane, queue, "agents.invoke_stream", stalled, TEXT, NULL, &run);
  read_chunks(queue, &run, 1);
  tell(to_child[1], run.task);
  read_ends(queue, &run, 1);
  message = hear(to_parent[0]);
  CHECK_INTEGER(MUSTER_E_API, run.status);
  CHECK_INTEGER(404, run.http_status);
  forget(&run);
  CHECK_INTEGER(child, waitpid(child, &status, 0));
  CHECK_INTEGER(0, status);
  check_nothing_waits(queue);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  close(to_child[1]);
  close(to_parent[0]);
  free(slow);
  free(stalled);
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char *path = path_in(folder, "events.db"), *shared = path_in(folder, "shared.db"), key[256];
  /* First, while this process has no plane and no threads. */
  if (getenv("TEST_WITHOUT_FORKS") == NULL) {
    two_processes_share_a_task(shared);
  }
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  char *echo = create_agent(plane, "Echo", NULL);
  json_t *made = call(plane, "keys.create", "{\"body\":{\"name\":\"events\",\"can_manage_keys\":true}}");
  snprintf(key, sizeof key, "{\"x-api-key\":\"%s\"}", text_at(made, "key"));
  json_decref(made);
  an_ended_task_is_followed_from_any_place(plane, queue);
  a_running_task_is_followed(plane, queue);
  a_follower_that_goes_leaves_the_run(plane, queue);
  a_deleted_task_is_followed_no_more(plane, queue);
  the_waiting_call_gives_all_events(plane, echo);
  turns_of_one_thread_are_told_apart(plane, queue, echo);
  a_busy_thread(plane, queue, echo);
  a_key_makes_one_run(plane, queue, "agents.invoke_stream");
  a_key_makes_one_run(plane, queue, "agents.invoke");
  a_key_makes_one_run(plane, queue, "agents.invoke_async");
  plain_requests(plane, queue, key);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  /* A plane that lets API callers reach the mock. */
  char *config = malloc(2048);
  snprintf(config, 2048,
           "{\"store\":\"%s\",\"network\":\"open\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"echo\","
           "\"api_base\":\"%s\"}}",
           path, getenv("MODEL_BASE"));
  CHECK_INTEGER(MUSTER_OK, muster_open(config, NULL, &plane, NULL));
  queue = open_queue(plane);
  streamed_requests(plane, queue, key, echo);
  a_repeated_request_makes_one_run(plane, queue, key);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(config);
  free(echo);
  free(path);
  free(shared);
  return check_finish("events");
}
