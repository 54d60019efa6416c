/* SPDX-License-Identifier: Apache-2.0
 *
 * floor.c - see floor.h.
 */
#include "floor.h"

#include "../../group.h"

#include <jansson.h>

enum { FIGURES = 8, THREADS = 64 };

static figure figures[FIGURES];

double bench_now(void) { return now(); }

void bench_die(const char *what) {
  die("turns", what);
  abort();
}

void bench_round(int number, double ours, double floor) {
  if (number >= 0 && number < FIGURES) add_round(&figures[number], ours, floor);
}

void bench_print(int number, const char *name, double divisor, const char *unit, double bound) {
  if (number >= 0 && number < FIGURES) print_figure(name, &figures[number], divisor, unit, bound);
}

/* ---- threads ---- */

struct member {
  pthread_t thread;
  void (*body)(int number, void *context);
  void *context;
  int number;
};

static void *run_member(void *argument) {
  struct member *member = argument;
  member->body(member->number, member->context);
  return NULL;
}

double bench_threads(int threads, void (*body)(int number, void *context), void *context) {
  struct member all[THREADS];
  double start = now();
  if (threads > THREADS) die("turns", "too many threads");
  for (int index = 0; index < threads; index++) {
    all[index] = (struct member){.body = body, .context = context, .number = index};
    if (pthread_create(&all[index].thread, NULL, run_member, &all[index]) != 0) die("turns", "no thread");
  }
  for (int index = 0; index < threads; index++) pthread_join(all[index].thread, NULL);
  return now() - start;
}

/* ---- turns ---- */

static group group_commit;
static sqlite3_stmt *accept_run, *finish_run, *take_down;
static unsigned int serial;

static const char request[] = "{\"input\":{\"text\":\"What is 19 and 23?\"}}";
static const char call[] =
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"add\","
    "\"arguments\":\"{\\\"a\\\": 19, \\\"b\\\": 23}\"}}]}";
static const char returned[] = "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"42\"}";

struct turn {
  char id[64];
  const char *text;
  sqlite3_int64 run;
};

static void accept_one(void *argument) {
  struct turn *turn = argument;
  sqlite3_bind_text(accept_run, 1, turn->id, -1, SQLITE_STATIC);
  sqlite3_bind_text(accept_run, 2, request, sizeof request - 1, SQLITE_STATIC);
  sql_step(group_commit.database, accept_run);
  turn->run = sqlite3_last_insert_rowid(group_commit.database);
}

static void take_down_one(void *argument) {
  struct turn *turn = argument;
  sqlite3_bind_int64(take_down, 1, turn->run);
  sqlite3_bind_text(take_down, 2, turn->text, -1, SQLITE_STATIC);
  sql_step(group_commit.database, take_down);
}

static void finish_one(void *argument) {
  struct turn *turn = argument;
  sqlite3_bind_text(finish_run, 1, "Hello from the model.", -1, SQLITE_STATIC);
  sqlite3_bind_int64(finish_run, 2, turn->run);
  sql_step(group_commit.database, finish_run);
}

void floor_open(const char *path) {
  sqlite3 *database = sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sql_run(database,
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096;"
          "CREATE TABLE runs (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, request TEXT NOT NULL, result TEXT);"
          "CREATE TABLE steps (key INTEGER PRIMARY KEY, run INTEGER NOT NULL, text TEXT NOT NULL)");
  accept_run = sql_prepare(database, "INSERT INTO runs VALUES (NULL, ?, 1, ?, NULL)");
  take_down = sql_prepare(database, "INSERT INTO steps VALUES (NULL, ?, ?)");
  finish_run = sql_prepare(database, "UPDATE runs SET status = 2, result = ? WHERE key = ?");
  group_open(&group_commit, database);
}

struct load {
  long each;
  int commits;
};

static void make_turns(int number, void *context) {
  const struct load *load = context;
  (void)number;
  for (long index = 0; index < load->each; index++) {
    struct turn turn;
    unsigned int id = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    snprintf(turn.id, sizeof turn.id, "01a1fff7-%04x-7000-8000-%012x", id >> 16, id);
    group_run(&group_commit, accept_one, &turn);
    if (load->commits == 4) {
      turn.text = call;
      group_run(&group_commit, take_down_one, &turn);
      turn.text = returned;
      group_run(&group_commit, take_down_one, &turn);
    }
    group_run(&group_commit, finish_one, &turn);
  }
}

double floor_turns(int threads, long each, int commits) {
  struct load load = {each, commits};
  return bench_threads(threads, make_turns, &load) / (double)(each * threads);
}

/* ---- journals ---- */

double floor_read(const char *path, long *records) {
  double start = now();
  sqlite3 *database = sql_open(path, SQLITE_OPEN_READWRITE);
  sqlite3_stmt *tasks = sql_prepare(database, "SELECT key, first_sequence, sequence FROM tasks ORDER BY key");
  sqlite3_stmt *journal = sql_prepare(
      database, "SELECT sequence, kind, format, time, role, body, commands FROM journal WHERE key BETWEEN ?1 << 28 | ?2 AND ?1 << 28 | ?3");
  *records = 0;
  while (sqlite3_step(tasks) == SQLITE_ROW) {
    for (int column = 0; column < 3; column++) sqlite3_bind_int64(journal, column + 1, sqlite3_column_int64(tasks, column));
    while (sqlite3_step(journal) == SQLITE_ROW) {
      for (int column = 5; column < 7; column++) {
        json_t *value = json_loadb(sqlite3_column_blob(journal, column), (size_t)sqlite3_column_bytes(journal, column), 0, NULL);
        if (value == NULL) die("turns", "a record cannot be read");
        json_decref(value);
      }
      ++*records;
    }
    sqlite3_reset(journal);
  }
  sqlite3_finalize(tasks);
  sqlite3_finalize(journal);
  sqlite3_close(database);
  return now() - start;
}
