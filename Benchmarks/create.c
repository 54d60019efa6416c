/* SPDX-License-Identifier: Apache-2.0
 *
 * create FOLDER ROUNDS COUNT - agents made and durable, from 1 and from 64 threads, against a C program that inserts a document of the same
 * size into a table with the same columns and indexes, with the same group commit.
 */
#include "group.h"

enum { THREADS = 64 };

/* ---- the floor ---- */

static group group_commit;
static sqlite3_stmt *insert;
static char document[16384];
static size_t document_length;

static void insert_one(void *id) {
  sqlite3_bind_text(insert, 1, "01a1fff7-0000-7000-8000-000000000000", -1, SQLITE_STATIC);
  sqlite3_bind_text(insert, 2, id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(insert, 3, 1790000000000000);
  sqlite3_bind_int64(insert, 4, 1790000000000000);
  sqlite3_bind_text(insert, 5, document, (int)document_length, SQLITE_TRANSIENT);
  sql_step(group_commit.database, insert);
}

static void floor_open(const char *path) {
  sqlite3 *database = sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sql_run(database,
          "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
          "PRAGMA cache_size=-4096;"
          "CREATE TABLE agents (position INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,"
          " version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, document_version INTEGER NOT NULL,"
          " document TEXT NOT NULL, secrets TEXT, UNIQUE (id, organization_id));"
          "CREATE INDEX agents_in_order ON agents (organization_id, position)");
  insert = sql_prepare(database, "INSERT INTO agents VALUES (NULL, ?, ?, 1, 2, ?, ?, 1, ?, NULL)");
  group_open(&group_commit, database);
}

/* ---- both ---- */

static muster *plane;
static long each;
static unsigned int serial;

static void *our_thread(void *unused) {
  (void)unused;
  for (long index = 0; index < each; index++) {
    char *text = NULL;
    muster_error *error = NULL;
    need(muster_agent_create(plane, agent_body(), &text, NULL, &error), error, "agents.create");
    muster_free(text);
  }
  return NULL;
}

static void *floor_thread(void *unused) {
  (void)unused;
  for (long index = 0; index < each; index++) {
    char id[64];
    unsigned int number = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    snprintf(id, sizeof id, "01a1fff7-%04x-7000-8000-%012x", number >> 16, number);
    group_run(&group_commit, insert_one, id);
  }
  return NULL;
}

/* Nanoseconds for each agent when `threads` threads make `total` of them. */
static double measure(void *(*body)(void *), int threads, long total) {
  pthread_t started[THREADS];
  each = total / threads;
  double start = now();
  for (int index = 0; index < threads; index++) {
    if (pthread_create(&started[index], NULL, body, NULL) != 0) die("create", "no thread");
  }
  for (int index = 0; index < threads; index++) pthread_join(started[index], NULL);
  return (now() - start) / (double)(each * threads);
}

int main(int count, char **arguments) {
  static figure one, many;
  char path[1024];
  char *text = NULL;
  muster_error *error = NULL;
  if (count != 4) die("create", "FOLDER ROUNDS COUNT");
  int rounds = atoi(arguments[2]);
  long total = atol(arguments[3]);
  snprintf(path, sizeof path, "%s/create.db", arguments[1]);
  need(muster_open(path, NULL, &plane, &error), error, "open");
  need(muster_agent_create(plane, agent_body(), &text, &document_length, &error), error, "agents.create");
  if (document_length >= sizeof document) die("create", "the document is too long");
  memcpy(document, text, document_length);
  muster_free(text);
  snprintf(path, sizeof path, "%s/create-floor.db", arguments[1]);
  floor_open(path);
  for (int round = -1; round < rounds; round++) {
    double ours = measure(our_thread, 1, total / 32), floor = measure(floor_thread, 1, total / 32);
    if (round >= 0) add_round(&one, ours, floor);
    ours = measure(our_thread, THREADS, total);
    floor = measure(floor_thread, THREADS, total);
    if (round >= 0) add_round(&many, ours, floor);
  }
  print_figure("create, 1 thread", &one, 1e3, "us", 1.5);
  print_figure("create, 64 threads", &many, 1e3, "us", 1.5);
  muster_close(plane);
  return 0;
}
