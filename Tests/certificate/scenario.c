/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario.c - one script of calls, run with a fault at its first, second, third … place. Started with faults.so in
 * LD_PRELOAD and the store's path in FAULT_STORE.
 *
 *   scenario faults ACTION CALL FILE STRIDE [forever] [crashed]
 *                                     the script, again and again until the fault strikes no more; "crashed": on a
 *                                     store that a process left behind when it died, with a running task
 *   scenario syncs THREADS SECONDS    syncs for each acknowledgement
 *   scenario unsynced                 a sync fails once, at each place: nothing is written any more
 *   scenario full                     the disk is full in the middle of a batch
 *
 * Each prints "DONE OF WRONG" and its complaints before, and ends with 1 when something was wrong.
 */
#include "faults.h"
#include "host.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AGENTS = 3, TURNS = 2, LONGEST = 60 };

/* What a child tells its parent, in shared memory: also what was acknowledged to it, and what may have been done by
 * calls that failed. */
static struct report {
  int wrong, struck;
  char where[64];
  int created;
  struct agent {
    char id[64];
    int lowest, highest, version;
  } agents[2 * AGENTS];
  struct task {
    char id[64], result[2 * TURNS + 1][64];
    int acknowledged, tried;
  } task;
} *report;

static const char *store;
static char fault_text[128];

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...) {
  char text[512];
  va_list rest;
  va_start(rest, format);
  vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  __atomic_fetch_add(&report->wrong, 1, __ATOMIC_RELAXED);
  printf("    WRONG: %s: %s\n", fault_text, text);
  fflush(stdout);
}

static const char *const tails[] = {"", "-wal", "-shm", "-lock", "-journal"};

static void remove_store(void) {
  char name[4200];
  for (size_t index = 0; index < sizeof tails / sizeof *tails; index++) {
    snprintf(name, sizeof name, "%s%s", store, tails[index]);
    unlink(name);
  }
}

/* Calls an operation; a failure must have a status that the header documents for it. */
static json_t *call(muster *plane, const char *operation, json_t *args, muster_status *result) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  muster_status status = muster_call_j(plane, operation, args, 5000, &answer, &error);
  json_decref(args);
  snprintf(report->where, sizeof report->where, "%s", operation);
  if (status != MUSTER_OK) {
    if (status != MUSTER_E_STORE && status != MUSTER_E_BUSY && status != MUSTER_E_NETWORK) {
      complain("%s gave %s: %s", operation, muster_status_name(status), muster_error_message(error));
    }
    if (status != muster_error_status(error) || *muster_error_message(error) == 0) {
      complain("%s gave %s without an error that says so", operation, muster_status_name(status));
    }
    muster_error_free(error);
  } else if (answer == NULL) {
    complain("%s succeeded without an answer", operation);
  }
  if (result != NULL) {
    *result = status;
  }
  return answer;
}

/* ---- the script ---- */

static void check_agent(const struct agent *agent, const json_t *found, const char *what) {
  int value = atoi(text_at(found, "description"));
  if (strcmp(text_at(found, "id"), agent->id) != 0 || value < agent->lowest || value > agent->highest ||
      integer_at(found, "version") < agent->version) {
    complain("%s: value %d, version %lld, acknowledged were %d (to %d) and %d", what, value,
             integer_at(found, "version"), agent->lowest, agent->highest, agent->version);
  }
}

static void check_all(muster *plane, const char *when) {
  json_t *answer;
  muster_status status;
  for (int index = 0; index < report->created; index++) {
    answer = call(plane, "agents.get", json_pack("{s:s}", "agent_id", report->agents[index].id), &status);
    if (status == MUSTER_OK) {
      check_agent(&report->agents[index], answer, when);
    }
    json_decref(answer);
  }
  answer = call(plane, "agents.list_full", NULL, &status);
  if (status == MUSTER_OK) {
    size_t count = json_array_size(json_object_get(answer, "items"));
    long long total = integer_at(answer, "total");
    if ((long long)count != (total < 20 ? total : 20) || (int)count < report->created) {
      complain("%s: a list of %zu agents, total %lld, acknowledged were %d", when, count, total,
               report->created);
    }
    for (size_t item = 0; item < count; item++) {
      json_t *found = json_array_get(json_object_get(answer, "items"), item);
      for (int index = 0; index < report->created; index++) {
        if (strcmp(text_at(found, "id"), report->agents[index].id) == 0) {
          check_agent(&report->agents[index], found, "agents.list_full");
        }
      }
    }
  }
  json_decref(answer);
  if (report->task.acknowledged > 0) {
    answer = call(plane, "tasks.get", json_pack("{s:s}", "task_id", report->task.id), &status);
    if (status == MUSTER_OK && report->task.tried == report->task.acknowledged &&
        (strcmp(text_at(answer, "status"), "completed") != 0 ||
         strcmp(text_at(answer, "result"), report->task.result[report->task.acknowledged]) != 0)) {
      complain("%s: task %s with %s, acknowledged was %s", when, text_at(answer, "status"), text_at(answer, "result"),
               report->task.result[report->task.acknowledged]);
    }
    json_decref(answer);
    answer = call(plane, "tasks.thread", json_pack("{s:s}", "task_id", report->task.id), &status);
    for (int turn = 1; status == MUSTER_OK && turn <= report->task.acknowledged; turn++) {
      const char *text = text_at(json_array_get(answer, (size_t)(2 * turn - 1)), "content");
      if (strcmp(text, report->task.result[turn]) != 0) {
        complain("%s: turn %d of the thread is \"%s\", acknowledged was \"%s\"", when, turn, text,
                 report->task.result[turn]);
      }
    }
    json_decref(answer);
  }
}

static muster *shared_plane;

static void *invoke_hanging(void *agent) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  json_t *args = json_pack("{s:s, s:{s:{s:s}}}", "agent_id", (char *)agent, "body", "input", "text", "x");
  if (muster_call_j(shared_plane, "agents.invoke", args, 0, &answer, &error) == MUSTER_OK) {
    complain("the model that hangs has answered");
  }
  return NULL;
}

/* Leaves a task running when the process ends. */
static void crash(muster *plane) {
  pthread_t thread;
  json_t *agent = call(plane, "agents.create", json_pack("{s:{s:s, s:s, s:s}}", "body", "name", "hanging", "model_name",
                                                         "hang", "model_provider", "openai_compatible"), NULL);
  long long running = 0;
  shared_plane = plane;
  pthread_create(&thread, NULL, invoke_hanging, (char *)text_at(agent, "id"));
  while (running == 0) {
    json_t *tasks = call(plane, "tasks.list", json_pack("{s:s}", "status", "executing"), NULL);
    running = integer_at(tasks, "total");
    json_decref(tasks);
  }
  fflush(stdout);
  _exit(0);
}

static void script(bool crashes) {
  muster *plane = NULL;
  muster_error *error = NULL;
  muster_status status = open_plane(store, "echo", &plane, &error);
  json_t *answer;
  char text[32];
  if (status != MUSTER_OK) {
    if (status != MUSTER_E_STORE && status != MUSTER_E_BUSY) {
      complain("muster_open gave %s: %s", muster_status_name(status), muster_error_message(error));
    }
    muster_error_free(error);
    return;
  }
  for (int index = 0; index < AGENTS; index++) {
    answer = call(plane, "agents.create",
                  json_pack("{s:{s:s, s:s}}", "body", "name", "scripted", "description", "1"), &status);
    if (status == MUSTER_OK) {
      struct agent *agent = &report->agents[report->created++];
      snprintf(agent->id, sizeof agent->id, "%s", text_at(answer, "id"));
      agent->lowest = agent->highest = 1;
      agent->version = 2;
      check_agent(agent, answer, "agents.create");
    }
    json_decref(answer);
  }
  for (int index = 0; index < report->created; index++) {
    struct agent *agent = &report->agents[index];
    snprintf(text, sizeof text, "%d", ++agent->highest);
    answer = call(plane, "agents.update", json_pack("{s:s, s:b, s:{s:s}}", "agent_id", agent->id, "deploy", index & 1,
                                                    "body", "description", text), &status);
    if (status == MUSTER_OK) {
      agent->lowest = agent->highest;
      agent->version = (int)integer_at(answer, "version");
      check_agent(agent, answer, "agents.update");
    }
    json_decref(answer);
    answer = call(plane, "agents.deploy", json_pack("{s:s}", "agent_id", agent->id), &status);
    if (status == MUSTER_OK) {
      agent->version = (int)integer_at(answer, "version");
      check_agent(agent, answer, "agents.deploy");
    }
    json_decref(answer);
  }
  for (int turn = 1; turn <= TURNS && report->created > 0; turn++) {
    char wanted[64];
    snprintf(text, sizeof text, "turn %d", report->task.tried + 1);
    snprintf(wanted, sizeof wanted, "echo: %s", text);
    snprintf(report->task.id, sizeof report->task.id, "scripted");
    report->task.tried++;
    answer = call(plane, "agents.invoke",
                  json_pack("{s:s, s:{s:s, s:{s:s}}}", "agent_id", report->agents[0].id, "body", "id", report->task.id,
                            "input", "text", text), &status);
    if (status == MUSTER_OK && strcmp(text_at(answer, "status"), "completed") == 0) {
      if (strcmp(text_at(answer, "result"), wanted) != 0) {
        complain("the model's answer is \"%s\", not \"%s\"", text_at(answer, "result"), wanted);
      }
      if (report->task.acknowledged + 1 == report->task.tried) {
        snprintf(report->task.result[++report->task.acknowledged], sizeof *report->task.result, "%s", wanted);
      }
    } else if (status == MUSTER_OK && strcmp(text_at(answer, "status"), "error") != 0) {
      complain("the task has status \"%s\"", text_at(answer, "status"));
    }
    json_decref(answer);
  }
  check_all(plane, "before the end");
  json_decref(call(plane, "tasks.list", json_pack("{s:i}", "per_page", 10), NULL));
  if (crashes) {
    crash(plane);
  }
  status = muster_close(plane);
  if (status != MUSTER_OK) {
    complain("muster_close gave %s", muster_status_name(status));
  }
}

/* Opens the store as it is now, without a fault, and compares it with what was acknowledged and with invariants.sql. */
static void verify(void) {
  muster *plane = NULL;
  muster_error *error = NULL;
  sqlite3 *database = NULL;
  char *queries = getenv("INVARIANTS"), *copy, *query;
  if (open_plane(store, "echo", &plane, &error) != MUSTER_OK) {
    complain("the clean open gave %s", muster_error_message(error));
    muster_error_free(error);
    return;
  }
  check_all(plane, "after a clean open");
  json_decref(call(plane, "agents.create", json_pack("{s:{s:s}}", "body", "name", "the last"), NULL));
  muster_close(plane);
  if (sqlite3_open_v2(store, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    complain("SQLite does not open the store");
  }
  copy = queries = strdup(queries != NULL ? queries : "");
  while ((query = strsep(&copy, ";")) != NULL) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK) {
      complain("%s: %s", query, sqlite3_errmsg(database));
    } else if (statement != NULL && sqlite3_step(statement) != SQLITE_DONE) {
      complain("%s gave %s", query, (const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
  free(queries);
}

/* Runs a part in a child, which has never opened a plane before; whether it ended well. */
static void in_child(void (*part)(void)) {
  int state = 0;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    alarm(LONGEST);
    part();
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, &state, 0);
  if (WIFSIGNALED(state)) {
    complain("%s by signal %d at %s", WTERMSIG(state) == SIGALRM ? "stopped" : "ended", WTERMSIG(state), report->where);
  } else if (WEXITSTATUS(state) != 0) {
    complain("ended with code %d at %s", WEXITSTATUS(state), report->where);
  }
}

static void faulty(void) {
  fault_set(fault_text);
  script(false);
  report->struck = fault_struck();
  fault_set(NULL);
  // Once in the same process, which must have forgotten the failure, and once more in a new one.
  verify();
}

static void leave_behind(void) { script(true); }

static void copy_file(const char *from, const char *to) {
  char bytes[65536];
  size_t count;
  FILE *input = fopen(from, "rb"), *output = fopen(to, "wb");
  if (input == NULL || output == NULL) {
    abort();
  }
  while ((count = fread(bytes, 1, sizeof bytes, input)) > 0) {
    fwrite(bytes, 1, count, output);
  }
  fclose(input);
  if (fclose(output) != 0) {
    abort();
  }
}

/* Keeps the store as it is, or brings it back: the database and its log, which is all that counts of it. */
static void keep(bool back) {
  char name[4200], kept[4300];
  for (int index = 0; index < 2; index++) {
    snprintf(name, sizeof name, "%s%s", store, tails[index]);
    snprintf(kept, sizeof kept, "%s.kept", name);
    copy_file(back ? kept : name, back ? name : kept);
  }
}

static int faults(const char *action, const char *call, const char *file, int stride, bool forever, bool crashed) {
  struct report left_behind;
  int runs = 0;
  remove_store();
  if (crashed) {
    snprintf(fault_text, sizeof fault_text, "without a fault");
    in_child(leave_behind);
    keep(false);
  }
  left_behind = *report;
  for (int number = 1;; number += stride) {
    remove_store();
    snprintf(fault_text, sizeof fault_text, "%s:%s:%s:%d%s", action, call, file, number, forever ? ":forever" : "");
    left_behind.wrong = report->wrong;
    *report = left_behind;
    if (crashed) {
      keep(true);
    }
    in_child(faulty);
    if (report->struck == 0) {
      break;
    }
    runs++;
    in_child(verify);
  }
  if (runs == 0) {
    complain("the fault never struck");
  }
  printf("%d - %d\n", runs, report->wrong);
  return report->wrong != 0;
}

/* ---- syncs ---- */

static long long end;
static long acknowledged;

static long syncs(void) { return fault_count(FAULT_SYNC, FAULT_WAL); }

static void *create_until(void *argument) {
  (void)argument;
  while (now_ms() < end) {
    muster_status status;
    json_decref(call(shared_plane, "agents.create", json_pack("{s:{s:s}}", "body", "name", "synced"), &status));
    if (status == MUSTER_OK) {
      __atomic_fetch_add(&acknowledged, 1, __ATOMIC_RELAXED);
    }
  }
  return NULL;
}

static void open_shared(void) {
  muster_error *error = NULL;
  if (open_plane(store, "echo", &shared_plane, &error) != MUSTER_OK) {
    complain("muster_open: %s", muster_error_message(error));
    exit(1);
  }
}

static int count_syncs(int threads, int seconds) {
  pthread_t all[256];
  long before;
  remove_store();
  open_shared();
  if (threads == 1) {
    json_t *agent = call(shared_plane, "agents.create", json_pack("{s:{s:s}}", "body", "name", "synced"), NULL);
    static const char *const operations[] = {"agents.create", "agents.update", "agents.deploy", "agents.invoke"};
    static const int wanted[] = {1, 1, 1, 2};
    for (int operation = 0; operation < 4; operation++) {
      enum { TIMES = 20 };
      before = syncs();
      for (int time = 0; time < TIMES; time++) {
        json_decref(call(shared_plane, operations[operation],
                         json_pack("{s:s, s:{s:s, s:{s:s}}}", "agent_id", text_at(agent, "id"), "body", "name",
                                   "synced", "input", "text", "hello"), NULL));
      }
      long given = syncs() - before;
      printf("    %s: %.2f syncs\n", operations[operation], (double)given / TIMES);
      if (given != wanted[operation] * TIMES) {
        complain("%d calls of %s took %ld syncs", TIMES, operations[operation], given);
      }
      acknowledged += TIMES;
    }
    json_decref(agent);
  } else {
    end = now_ms() + seconds * 1000;
    before = syncs();
    for (int index = 0; index < threads; index++) {
      pthread_create(&all[index], NULL, create_until, NULL);
    }
    for (int index = 0; index < threads; index++) {
      pthread_join(all[index], NULL);
    }
    double each = (double)(syncs() - before) / (double)(acknowledged > 0 ? acknowledged : 1);
    printf("    %d threads: %.3f syncs for each, %ld a second\n", threads, each, acknowledged / seconds);
    if (each >= (threads > 8 ? 0.5 : 1.0)) {
      complain("%.2f syncs for each acknowledgement", each);
    }
  }
  muster_close(shared_plane);
  printf("%ld - %d\n", acknowledged, report->wrong);
  return report->wrong != 0;
}

/* ---- a sync that failed ---- */

static void refuse(void) {
  char *filler = malloc(6001);
  bool refused = false;
  int after = 0, kept = 0;
  json_t *answer;
  memset(filler, 'x', 6000);
  filler[6000] = 0;
  open_shared();
  fault_set(fault_text);
  // Enough for two checkpoints.
  for (int count = 0; count < 900 && after < 3; count++) {
    muster_status status;
    bool had_struck = fault_struck() > 0;
    json_decref(call(shared_plane, "agents.create",
                     json_pack("{s:{s:s, s:s}}", "body", "name", "synced", "description", filler), &status));
    kept += status == MUSTER_OK;
    if (had_struck) {
      after++;
      refused = status == MUSTER_E_STORE;
      if (!refused) {
        complain("a write after the sync that failed was acknowledged");
      }
    }
  }
  report->struck = fault_struck();
  answer = call(shared_plane, "agents.list", NULL, NULL);
  if (integer_at(answer, "total") < kept) {
    complain("%lld agents can be read, %d were acknowledged", integer_at(answer, "total"), kept);
  }
  json_decref(answer);
  muster_close(shared_plane);
  open_shared();
  answer = call(shared_plane, "agents.list", NULL, NULL);
  if (integer_at(answer, "total") < kept) {
    complain("%lld agents are there after a new open, %d were acknowledged", integer_at(answer, "total"), kept);
  }
  json_decref(answer);
  answer = call(shared_plane, "agents.create", json_pack("{s:{s:s}}", "body", "name", "after"), NULL);
  if (answer == NULL) {
    complain("nothing is written after a new open");
  }
  json_decref(answer);
  muster_close(shared_plane);
  free(filler);
}

static int unsynced(void) {
  static const char *const places[] = {"wal:1", "wal:2", "wal:17", "wal:200", "db:1", "db:2"};
  int runs = 0;
  for (size_t index = 0; index < sizeof places / sizeof *places; index++) {
    remove_store();
    snprintf(fault_text, sizeof fault_text, "EIO:sync:%s", places[index]);
    report->struck = 0;
    in_child(refuse);
    runs += report->struck > 0;
    if (report->struck == 0) {
      complain("the fault never struck");
    }
  }
  printf("%d - %d\n", runs, report->wrong);
  return report->wrong != 0;
}

/* ---- a full disk ---- */

static bool is_large_kept;
static int small_kept, small_failed;

static void *create_large(void *argument) {
  muster_status status;
  char *filler = malloc(12 << 20);
  (void)argument;
  memset(filler, 'x', (12 << 20) - 1);
  filler[(12 << 20) - 1] = 0;
  json_decref(call(shared_plane, "agents.create",
                   json_pack("{s:{s:s, s:{s:s}}}", "body", "name", "large", "instructions", "general", filler),
                   &status));
  is_large_kept = status == MUSTER_OK;
  free(filler);
  return NULL;
}

static void *create_small(void *argument) {
  (void)argument;
  for (int count = 0; count < 8; count++) {
    muster_status status;
    json_decref(call(shared_plane, "agents.create", json_pack("{s:{s:s}}", "body", "name", "small"), &status));
    __atomic_fetch_add(status == MUSTER_OK ? &small_kept : &small_failed, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void fill(void) {
  enum { RIDERS = 48 };
  pthread_t large, all[RIDERS];
  json_t *answer;
  open_shared();
  fault_set("full:8388608");
  for (int index = 0; index < RIDERS; index++) {
    pthread_create(&all[index], NULL, create_small, NULL);
    if (index == RIDERS / 3) {
      pthread_create(&large, NULL, create_large, NULL);
    }
  }
  for (int index = 0; index < RIDERS; index++) {
    pthread_join(all[index], NULL);
  }
  pthread_join(large, NULL);
  report->struck = fault_struck();
  if (is_large_kept) {
    complain("an agent of 12 MB was kept on a disk of 8 MB");
  }
  if (small_failed > 0) {
    complain("%d small agents failed with the large one", small_failed);
  }
  for (int pass = 0; pass < 2; pass++) {
    answer = call(shared_plane, "agents.list", NULL, NULL);
    if (integer_at(answer, "total") != small_kept) {
      complain("%lld agents are there, %d were acknowledged", integer_at(answer, "total"), small_kept);
    }
    json_decref(answer);
    muster_close(shared_plane);
    fault_set(NULL);
    if (pass == 0) {
      open_shared();
    }
  }
  verify();
}

static int full(void) {
  int runs = 0;
  snprintf(fault_text, sizeof fault_text, "full");
  for (int number = 0; number < 5; number++) {
    remove_store();
    report->struck = 0;
    in_child(fill);
    runs += report->struck > 0;
    if (report->struck == 0) {
      complain("the disk never was full");
    }
  }
  printf("%d - %d\n", runs, report->wrong);
  return report->wrong != 0;
}

int main(int count, char **values) {
  store = getenv("FAULT_STORE");
  if (store == NULL || fault_set == NULL) {
    fprintf(stderr, "scenario: start it with faults.so in LD_PRELOAD and the store's path in FAULT_STORE\n");
    return 2;
  }
  report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (report == MAP_FAILED) {
    return 2;
  }
  if (count >= 6 && strcmp(values[1], "faults") == 0) {
    return faults(values[2], values[3], values[4], atoi(values[5]), count > 6 && strcmp(values[6], "forever") == 0,
                  strcmp(values[count - 1], "crashed") == 0);
  }
  if (count == 4 && strcmp(values[1], "syncs") == 0) {
    snprintf(fault_text, sizeof fault_text, "syncs");
    return count_syncs(atoi(values[2]), atoi(values[3]));
  }
  if (count == 2 && strcmp(values[1], "unsynced") == 0) {
    return unsynced();
  }
  if (count == 2 && strcmp(values[1], "full") == 0) {
    return full();
  }
  fprintf(stderr, "scenario: see the top of scenario.c\n");
  return 2;
}
