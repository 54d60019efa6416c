/* SPDX-License-Identifier: Apache-2.0
 *
 * streams_first FOLDER ROUNDS COUNT - from submitting a run to its first event, task_created, in the hand of another thread that waits for it.
 *
 * The floor hands over to a worker with a condition variable; the worker commits a row (as in invoke.c) and wakes the reader with another one. Each
 * submission of ours is followed by one of the floor. With a durable commit, with one that is not synced, and, to tell what waking two threads
 * costs by itself, ours without a sync against the floor without a commit. A round's value is the median of its submissions.
 */
#define _GNU_SOURCE
#include "streams.h"

enum { MOST = 2000 };

/* ---- the reader of ours ---- */

typedef struct ours {
  streaming_plane plane;
  pthread_t reader;
  _Atomic double first; /* when the first event came; 0: not yet */
  _Atomic bool is_over;
} ours;

static void *read_for_ever(void *pointer) {
  ours *ours = pointer;
  for (;;) {
    muster_event event = MUSTER_EVENT_INIT;
    if (muster_queue_next(ours->plane.queue, -1, &event) != MUSTER_OK) return NULL;
    if (ours->first == 0) {
      ours->first = now();
      if (strstr(event.json, "\"type\":\"task_created\"") == NULL) die("first event", event.json);
    }
    bool is_over = event.kind == MUSTER_EVENT_FINAL;
    if (is_over && event.status != MUSTER_OK) die("run", NULL);
    muster_event_clear(&event);
    if (is_over) ours->is_over = true;
  }
}

static void open_ours(ours *ours, const char *folder, const char *durability, int port) {
  char path[1024];
  snprintf(path, sizeof path, "%s/first-%s.db", folder, durability);
  open_streaming_plane(&ours->plane, path, "http", port, durability);
  pthread_create(&ours->reader, NULL, read_for_ever, ours);
}

static double submit_ours(ours *ours) {
  ours->first = 0;
  ours->is_over = false;
  double start = now();
  submit_stream(&ours->plane, NULL);
  /* Both threads sleep again when the next one is submitted. */
  while (!ours->is_over) usleep(100);
  usleep(200);
  return ours->first - start;
}

/* ---- the floor ---- */

typedef struct hand {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  long given, taken;
} hand;

typedef struct relay {
  sqlite3 *database; /* NULL: no commit */
  sqlite3_stmt *insert;
  char *wire;
  hand to_worker, to_reader;
  pthread_t worker, reader;
  _Atomic double first;
} relay;

static void give(hand *hand) {
  pthread_mutex_lock(&hand->mutex);
  hand->given++;
  pthread_cond_signal(&hand->changed);
  pthread_mutex_unlock(&hand->mutex);
}

static void take(hand *hand) {
  pthread_mutex_lock(&hand->mutex);
  while (hand->given == hand->taken) pthread_cond_wait(&hand->changed, &hand->mutex);
  hand->taken++;
  pthread_mutex_unlock(&hand->mutex);
}

static void *work_for_ever(void *pointer) {
  relay *relay = pointer;
  char id[64];
  for (unsigned serial = 1;; serial++) {
    take(&relay->to_worker);
    if (relay->database != NULL) {
      snprintf(id, sizeof id, "01a1fff7-0000-7000-8000-%012x", serial);
      sqlite3_bind_text(relay->insert, 1, id, -1, SQLITE_STATIC);
      sqlite3_bind_text(relay->insert, 2, relay->wire, -1, SQLITE_STATIC);
      sql_step(relay->database, relay->insert);
    }
    give(&relay->to_reader);
  }
  return NULL;
}

static void *wait_for_ever(void *pointer) {
  relay *relay = pointer;
  for (;;) {
    take(&relay->to_reader);
    relay->first = now();
  }
  return NULL;
}

static void open_relay(relay *relay, const char *folder, const char *synchronous) {
  char path[1024], sql[256];
  json_t *request = json_pack("{s:s, s:s}", "instructions", agent_body(), "input", stream_body);
  relay->wire = json_dumps(request, JSON_COMPACT);
  json_decref(request);
  if (synchronous != NULL) {
    snprintf(path, sizeof path, "%s/first-floor-%s.db", folder, synchronous);
    relay->database = sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    snprintf(sql, sizeof sql, "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s;", synchronous);
    sql_run(relay->database, sql);
    sql_run(relay->database, "CREATE TABLE runs (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, request TEXT NOT NULL)");
    relay->insert = sql_prepare(relay->database, "INSERT INTO runs VALUES (NULL, ?, 1, ?)");
  }
  for (int index = 0; index < 2; index++) {
    hand *hand = index == 0 ? &relay->to_worker : &relay->to_reader;
    pthread_mutex_init(&hand->mutex, NULL);
    pthread_cond_init(&hand->changed, NULL);
  }
  pthread_create(&relay->worker, NULL, work_for_ever, relay);
  pthread_create(&relay->reader, NULL, wait_for_ever, relay);
}

static double submit_relay(relay *relay) {
  relay->first = 0;
  double start = now();
  give(&relay->to_worker);
  while (relay->first == 0) usleep(100);
  usleep(200);
  return relay->first - start;
}

/* ---- in turns ---- */

static double middle(double *values, long count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  return values[count / 2];
}

int main(int count, char **arguments) {
  static figure full_figure, normal_figure, wake_figure;
  static ours full, normal;
  static relay full_floor, normal_floor, wake;
  static double ours_full[MOST], ours_normal[MOST], floor_full[MOST], floor_normal[MOST], floor_wake[MOST];
  if (count != 4 || atol(arguments[3]) > MOST) die("streams_first", "FOLDER ROUNDS COUNT");
  long total = atol(arguments[3]);
  model_control *control = start_stream_model(NULL, NULL);
  if (control == NULL) die("model", NULL);
  control->chunks = 1;
  open_ours(&full, arguments[1], "full", control->port);
  open_ours(&normal, arguments[1], "normal", control->port);
  open_relay(&full_floor, arguments[1], "FULL");
  open_relay(&normal_floor, arguments[1], "NORMAL");
  open_relay(&wake, arguments[1], NULL);
  for (int round = -1; round < atoi(arguments[2]); round++) {
    for (long index = 0; index < total; index++) {
      ours_full[index] = submit_ours(&full);
      floor_full[index] = submit_relay(&full_floor);
      ours_normal[index] = submit_ours(&normal);
      floor_normal[index] = submit_relay(&normal_floor);
      floor_wake[index] = submit_relay(&wake);
    }
    if (round < 0) continue;
    double of_normal = middle(ours_normal, total);
    add_round(&full_figure, middle(ours_full, total), middle(floor_full, total));
    add_round(&normal_figure, of_normal, middle(floor_normal, total));
    add_round(&wake_figure, of_normal, middle(floor_wake, total));
  }
  print_figure("submit to first event", &full_figure, 1e3, "us", 2);
  print_figure("submit to first event, durability normal", &normal_figure, 1e3, "us", 0);
  print_figure("submit to first event, normal, against two wakes", &wake_figure, 1e3, "us", 0);
  return 0;
}
