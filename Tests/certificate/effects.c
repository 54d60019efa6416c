/* SPDX-License-Identifier: Apache-2.0
 *
 * effects.c - a host whose tools have effects, made to be killed: it goes on with what earlier processes left, lets
 * agents call its tools, and decides about the calls whose outcome is not known.
 *
 *   effects STORE FOLDER NAME THREADS RUNS SHAPE END
 *     RUNS    how many runs each thread begins; -1: without end
 *     SHAPE   which of the shapes below each run has; -1: any
 *     END     settle: it closes the plane when no task is left unfinished; leave: in the middle of its runs
 *
 * Each tool has a file in FOLDER, by its name, to which each call appends a line, and syncs it, before it answers:
 *   TASK CALL KEY REPEAT      CALL is the place of the call in its task, which the model gave it as an argument
 * What this process was told goes to FOLDER/notes, each line one write:
 *   accepted TASK             the run is kept: submitted or asynchronous ones
 *   ended TASK STATUS         the call that waited for it has returned
 *   paused TASK KEY QUESTION  a person is asked
 *   decided TASK KEY ANSWER   and has answered
 *   probed TASK CALL KEY ANSWER
 *   fail WHAT STATUS MESSAGE  a call failed: nothing here may fail
 *
 * KILL=PLACE:N[:FAULT] kills the process when it comes to PLACE for the N-th time; with FAULT, that is set then (see
 * faults.h). The places are those of the calls of `reach` below.
 */
#include "faults.h"
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLING_MS = 90000 };

static muster *plane;
static muster_queue *queue;
static char agent[64];
static const char *folder, *name;
static int notes = -1;
static int runs, shape;
static bool stopping;
/* Submitted runs whose last event has not come. */
static int submitted;

/* ---- where it dies ---- */

static char kill_place[32], kill_fault[128];
static long kill_left;

static void reach(const char *place) {
  if (strcmp(place, kill_place) != 0 || __atomic_sub_fetch(&kill_left, 1, __ATOMIC_SEQ_CST) != 0) {
    return;
  }
  if (kill_fault[0] != 0 && fault_set != NULL) {
    fault_set(kill_fault);
  } else {
    raise(SIGKILL);
  }
}

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...) {
  char line[1024];
  va_list rest;
  int length;
  va_start(rest, format);
  length = vsnprintf(line, sizeof line - 1, format, rest);
  va_end(rest);
  if (length > (int)sizeof line - 2) {
    length = (int)sizeof line - 2;
  }
  line[length] = '\n';
  if (write(notes, line, (size_t)length + 1) != length + 1) {
    abort();
  }
}

/* Calls an operation and gives its answer; NULL when it failed. `allowed`: the HTTP status that is no failure here. */
static json_t *call(const char *operation, json_t *args, int allowed) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  muster_status status = muster_call_j(plane, operation, args, -1, &answer, &error);
  json_decref(args);
  if (status != MUSTER_OK) {
    if (muster_error_http_status(error) != allowed && status != MUSTER_E_CLOSED && status != MUSTER_E_BAD_HANDLE) {
      note("fail\t%s\t%s\t%s", operation, muster_status_name(status), muster_error_message(error));
    }
    muster_error_free(error);
    return NULL;
  }
  return answer;
}

/* ---- tools ---- */

struct tool {
  const char *name, *spec;
  int file;
};

#define PARAMETERS "\"parameters\":{\"type\":\"object\",\"properties\":{\"call\":{\"type\":\"string\"}},\"required\":[\"call\"]}"

static struct tool tools[] = {
    {"look", "{\"name\":\"look\",\"read_only\":true," PARAMETERS "}", -1},
    {"set", "{\"name\":\"set\",\"idempotent\":true," PARAMETERS "}", -1},
    {"pay", "{\"name\":\"pay\",\"probe\":true," PARAMETERS "}", -1},
    {"send", "{\"name\":\"send\"," PARAMETERS "}", -1},
    {"sign", "{\"name\":\"sign\"," PARAMETERS "}", -1},
};
enum { TOOLS = sizeof tools / sizeof *tools };

/* Whether the file of a tool has a line with this key. */
static bool is_done(const struct tool *tool, const char *key) {
  struct stat state;
  char *text, wanted[256];
  bool found = false;
  snprintf(wanted, sizeof wanted, "\t%s\t", key);
  if (fstat(tool->file, &state) == 0 && (text = calloc(1, (size_t)state.st_size + 1)) != NULL) {
    found = pread(tool->file, text, (size_t)state.st_size, 0) == state.st_size && strstr(text, wanted) != NULL;
    free(text);
  }
  return found;
}

static void answer_tool(const char *call_id, json_t *result, bool is_error) {
  muster_error *error = NULL;
  char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
  // Nobody waits for it when the plane is being closed.
  if (muster_tool_reply(plane, call_id, text, is_error, &error) != MUSTER_OK &&
      !__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
    note("fail\tmuster_tool_reply\t%s\t%s", muster_status_name(muster_error_status(error)),
         muster_error_message(error));
  }
  muster_error_free(error);
  free(text);
  json_decref(result);
}

static void call_tool(void *user_data, const char *call_id, const char *call_json) {
  struct tool *tool = user_data;
  json_t *call = json_loads(call_json, 0, NULL);
  const char *task = text_at(call, "task_id"), *place = text_at(json_object_get(call, "arguments"), "call");
  char line[512];
  int length;
  if (json_is_true(json_object_get(call, "probe"))) {
    // It cannot always tell.
    bool is_known = call_id[strlen(call_id) / 2] % 4 != 0, has_done = is_done(tool, call_id);
    reach("probe");
    note("probed\t%s\t%s\t%s\t%s", task, place, call_id, !is_known ? "unknown" : has_done ? "done" : "not_done");
    answer_tool(call_id, json_pack("{s:b, s:{s:s}}", "done", has_done, "result", "did", call_id), !is_known);
    reach("probed");
    json_decref(call);
    return;
  }
  reach("tool");
  length = snprintf(line, sizeof line, "%s\t%s\t%s\t%d\n", task, place, call_id,
                    json_is_true(json_object_get(call, "repeat")));
  if (write(tool->file, line, (size_t)length) != length) {
    abort();
  }
  reach("effect");
  fsync(tool->file);
  reach("answer");
  answer_tool(call_id, json_pack("{s:s}", "did", call_id), false);
  reach("answered");
  json_decref(call);
}

static void register_tools(void) {
  for (int index = 0; index < TOOLS; index++) {
    muster_error *error = NULL;
    if (muster_tool_register(plane, tools[index].spec, call_tool, &tools[index], NULL, &error) != MUSTER_OK) {
      note("fail\tmuster_tool_register\t%s\t%s", tools[index].name, muster_error_message(error));
    }
    muster_error_free(error);
  }
}

/* ---- people ---- */

static void decide(const char *task) {
  json_t *found = call("tasks.get", json_pack("{s:s}", "task_id", task), 404);
  json_t *asked = json_object_get(found, "hitl_request");
  char key[128], answer[16];
  bool is_done_already = false;
  unsigned int chance = (unsigned int)random() % 16;
  snprintf(key, sizeof key, "%s", text_at(asked, "request_id"));
  if (!json_is_object(asked)) {
    json_decref(found);
    return;
  }
  for (int index = 0; index < TOOLS; index++) {
    if (strcmp(tools[index].name, text_at(asked, "operation_id")) == 0) {
      is_done_already = is_done(&tools[index], key);
    }
  }
  note("paused\t%s\t%s\t%s", task, key, text_at(asked, "question"));
  bool is_approval = strcmp(text_at(asked, "question"), "approval") == 0;
  snprintf(answer, sizeof answer, "%s",
           chance == 0                  ? "give_up"
           : is_approval && chance <= 3 ? "reject"
           : is_approval                ? "proceed"
           : is_done_already            ? "done"
                                        : "not_done");
  reach("approve");
  // Somebody else may have decided already.
  json_t *decided =
      strcmp(answer, "reject") == 0
          ? call("tasks.reject", json_pack("{s:s, s:{s:s, s:s}}", "task_id", task, "body", "request_id", key,
                                           "comment", "no"), 409)
          : call("tasks.approve", json_pack("{s:s, s:{s:s, s:s, s:s}}", "task_id", task, "body", "request_id", key,
                                            "decision", answer, "comment", "found"), 409);
  if (decided != NULL) {
    note("decided\t%s\t%s\t%s", task, key, answer);
  }
  reach("approved");
  json_decref(decided);
  json_decref(found);
}

/* How many tasks there are in a state, or in all; those that are paused are decided about. */
static long long count_tasks(const char *status) {
  json_t *page = call("tasks.list", json_pack("{s:s*, s:i}", "status", status, "per_page", 50), 0), *item;
  long long total = page != NULL ? integer_at(page, "total") : -1;
  size_t index;
  if (status != NULL && strcmp(status, "paused") == 0) {
    json_array_foreach(json_object_get(page, "items"), index, item) {
      decide(text_at(item, "id"));
    }
  }
  json_decref(page);
  return total;
}

static void rest(long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void *decide_all(void *argument) {
  (void)argument;
  while (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
    count_tasks("paused");
    rest(10);
  }
  return NULL;
}

/* Waits until all tasks have ended. Ends are counted first: between two counts a task may go from one state to another,
 * but from none that is an end. */
static void settle(void) {
  long long end = now_ms() + SETTLING_MS;
  while (__atomic_load_n(&submitted, __ATOMIC_SEQ_CST) > 0 ||
         count_tasks("completed") + count_tasks("failed") + count_tasks("error") + count_tasks("stopped") < count_tasks(NULL)) {
    if (now_ms() > end) {
      note("fail\tsettle\ttasks are left unfinished\t");
      return;
    }
    rest(5);
  }
}

/* ---- runs ---- */

/* `hand` is an agent: a run of its own, whose model asks for tools. */
static const char *const shapes[] = {
    "steps:look",           "steps:set",
    "steps:pay",            "steps:send",
    "steps:sign",           "steps:look*2+set+pay|send",
    "steps:send+pay+set*2", "steps:pay|pay|look|send",
    "steps:sign+send|sign", "steps:set*9+look*4+pay*3",
    "steps:hand",           "steps:hand*2+pay|send",
    "steps:look|hand+sign",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void *read_queue(void *argument) {
  muster_event event = MUSTER_EVENT_INIT;
  (void)argument;
  for (;;) {
    muster_status status = muster_queue_next(queue, -1, &event);
    if (status != MUSTER_OK) {
      return NULL;
    }
    json_t *json = muster_event_json(&event);
    const char *type = text_at(json, "type"), *task = text_at(json, "task_id");
    if (strcmp(type, "task_created") == 0) {
      note("accepted\t%s", task);
    } else if (event.kind == MUSTER_EVENT_FINAL && event.status == MUSTER_OK) {
      note("ended\t%s\t%s", task, text_at(json_object_get(json, "data"), "status"));
    } else if (event.kind == MUSTER_EVENT_FINAL && event.status != MUSTER_E_CLOSED) {
      note("fail\tagents.invoke_stream\t%s\t%s", muster_status_name(event.status),
           muster_error_message(event.error));
    }
    __atomic_sub_fetch(&submitted, event.kind == MUSTER_EVENT_FINAL, __ATOMIC_SEQ_CST);
    json_decref(json);
    muster_event_clear(&event);
  }
}

/* Blocking runs have names that begin with b, asynchronous a, submitted s. */
static void *begin_runs(void *argument) {
  unsigned int seed = (unsigned int)(getpid() * 64 + *(int *)argument);
  for (int count = 0; count != runs && !__atomic_load_n(&stopping, __ATOMIC_SEQ_CST); count++) {
    int chosen = shape >= 0 ? shape : rand_r(&seed) % (3 * SHAPES);
    char task[128];
    json_t *body, *answer;
    snprintf(task, sizeof task, "%c-%s-%d-%d", "bas"[chosen / SHAPES % 3], name, *(int *)argument, count);
    body = json_pack("{s:s, s:{s:s}, s:s, s:s}", "id", task, "input", "text", "go", "llm_model_provider",
                     "openai_compatible", "llm_model_name", shapes[chosen % SHAPES]);
    reach("run");
    if (task[0] == 's') {
      char *text = json_dumps(body, JSON_COMPACT);
      muster_error *error = NULL;
      __atomic_add_fetch(&submitted, 1, __ATOMIC_SEQ_CST);
      muster_status status = muster_agent_invoke_stream(plane, queue, agent, NULL, text, NULL, NULL, &error);
      if (status != MUSTER_OK && !__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
        note("fail\tmuster_agent_invoke_stream\t%s\t%s", muster_status_name(status), muster_error_message(error));
      }
      muster_error_free(error);
      free(text);
      json_decref(body);
      rest(rand_r(&seed) % 20);
    } else {
      const char *operation = task[0] == 'b' ? "agents.invoke" : "agents.invoke_async";
      answer = call(operation, json_pack("{s:s, s:o}", "agent_id", agent, "body", body), 0);
      if (answer != NULL && task[0] == 'b') {
        note("ended\t%s\t%s", task, text_at(answer, "status"));
      } else if (answer != NULL) {
        note("accepted\t%s", task);
      }
      json_decref(answer);
    }
    reach("begun");
  }
  return NULL;
}

/* The agent of the store, made by the first process that comes. */
static void find_agent(void) {
  json_t *page = call("agents.list", NULL, 0), *hand = NULL, *made = NULL, *found = NULL, *item;
  size_t index;
  json_array_foreach(json_object_get(page, "items"), index, item) {
    if (strcmp(text_at(item, "name"), "effects") == 0) {
      found = item;
    }
  }
  if (found == NULL) {
    hand = call("agents.create",
                json_pack("{s:{s:s, s:s, s:s, s:[s,s,s]}}", "body", "name", "hand", "model_provider", "openai_compatible",
                          "model_name", "steps:pay+look|send", "tools", "look", "pay", "send"), 0);
    made = call("agents.create",
                json_pack("{s:{s:s, s:b, s:[s,s,s,s], s:[{s:s, s:s, s:s, s:[], s:{s:{s:s, s:s}}}, {s:s, s:s, s:[]}]}}",
                          "body", "name", "effects", "sub_agents_continuous_thread", 0, "tools", "look", "set", "pay",
                          "send", "graph", "item_id", "sign", "type", "tool", "sub_type", "local_tool", "targets",
                          "settings", "hitl_options", "title", "Sign?", "description", "It binds.", "item_id",
                          text_at(hand, "id"), "type", "agent", "targets"), 0);
    found = made;
  }
  snprintf(agent, sizeof agent, "%s", text_at(found, "id"));
  json_decref(page);
  json_decref(hand);
  json_decref(made);
}

static int open_file(const char *file) {
  char path[4200];
  int descriptor;
  snprintf(path, sizeof path, "%s/%s", folder, file);
  descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    fprintf(stderr, "effects: %s cannot be opened\n", path);
    exit(2);
  }
  return descriptor;
}

static void join(const pthread_t *threads, int count) {
  for (int index = 0; index < count; index++) {
    pthread_join(threads[index], NULL);
  }
}

int main(int count, char **values) {
  muster_error *error = NULL;
  pthread_t reader, person, beginners[64];
  int numbers[64], threads, index;
  if (count != 8 || (threads = atoi(values[4])) > 64) {
    fprintf(stderr, "effects STORE FOLDER NAME THREADS RUNS SHAPE settle|leave\n");
    return 2;
  }
  folder = values[2];
  name = values[3];
  bool settles = strcmp(values[7], "settle") == 0;
  runs = atoi(values[5]);
  shape = atoi(values[6]);
  if (getenv("KILL") != NULL) {
    sscanf(getenv("KILL"), "%31[^:]:%ld:%127s", kill_place, &kill_left, kill_fault);
  }
  srandom((unsigned int)getpid());
  notes = open_file("notes");
  for (index = 0; index < TOOLS; index++) {
    tools[index].file = open_file(tools[index].name);
  }
  reach("open");
  if (open_plane(values[1], "steps:look", &plane, &error) != MUSTER_OK ||
      muster_queue_open(plane, &queue, &error) != MUSTER_OK) {
    note("fail\topen\t%s\t%s", muster_status_name(muster_error_status(error)), muster_error_message(error));
    return 1;
  }
  find_agent();
  register_tools();
  reach("resume");
  if (muster_resume(plane, &error) != MUSTER_OK) {
    note("fail\tresume\t%s\t%s", muster_status_name(muster_error_status(error)), muster_error_message(error));
  }
  reach("resumed");
  pthread_create(&reader, NULL, read_queue, NULL);
  pthread_create(&person, NULL, decide_all, NULL);
  for (index = 0; index < threads; index++) {
    numbers[index] = index;
    pthread_create(&beginners[index], NULL, begin_runs, &numbers[index]);
  }
  if (settles) {
    join(beginners, threads);
    settle();
  } else {
    rest(random() % 60);
  }
  __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
  pthread_join(person, NULL);
  reach("close");
  muster_close(plane);
  reach("closed");
  if (!settles) {
    join(beginners, threads);
  }
  muster_queue_close(queue);
  pthread_join(reader, NULL);
  close(notes);
  return 0;
}
