/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.c - fills the small disk that a store is on from many threads, and notes what was acknowledged.
 *
 *   disk STORE ACKS BALLAST closes|dies
 *
 * An agent larger than what is left of the disk rides with small ones; then all write until nothing fits any more;
 * BALLAST, a file on the same disk, is removed, and they write until it is full again. At the end the plane is closed,
 * or the process kills itself. ACKS is on another disk; its lines are those of worker.c, and "refused N": how many
 * calls failed because the disk was full.
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { THREADS = 64, RIDERS = 12, LARGE_ONES = 4, MOST_AGENTS = 4096, REFUSALS = 12, SMALL_ONES = 4 };
enum { LARGEST_TEXT = 30000 };

struct thread {
  pthread_t thread;
  unsigned int seed;
  int number, turns, agents, tasks;
  char *ids[MOST_AGENTS];
  int values[MOST_AGENTS];
  char text[LARGEST_TEXT + 1];
};

static struct thread all[THREADS];
static muster *plane;
static int acks = -1;
static long created, refused;
static bool must_succeed;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...) {
  char line[1024];
  va_list rest;
  va_start(rest, format);
  int length = vsnprintf(line, sizeof line - 1, format, rest);
  va_end(rest);
  if (length > (int)sizeof line - 2) {
    length = (int)sizeof line - 2;
  }
  line[length] = '\n';
  if (write(acks, line, (size_t)length + 1) != length + 1) {
    abort();
  }
}

/* Whether an error says that the disk is full; for the index of the log SQLite gives a code of its own. */
static bool says_full(const muster_error *error) {
  const char *message = muster_error_message(error);
  return strstr(message, "the disk is full") != NULL || strstr(message, "SQLite 4874") != NULL;
}

/* Calls an operation. On a full disk it fails with MUSTER_E_STORE and an error that says so; anything else, and any
 * failure where there is room, is noted as one. */
static json_t *call(const char *operation, json_t *args) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  muster_status status = muster_call_j(plane, operation, args, 0, &answer, &error);
  json_decref(args);
  if (status != MUSTER_OK) {
    __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
    if (must_succeed || status != MUSTER_E_STORE || muster_error_status(error) != status || !says_full(error)) {
      note("fail\t%s\t%s\t%s", operation, muster_status_name(status), muster_error_message(error));
    }
    muster_error_free(error);
  }
  return answer;
}

/* A text of some length, which begins with a number, so that two are never the same. */
static const char *text_of(struct thread *me, int value, int length) {
  memset(me->text, 'x', (size_t)length);
  me->text[length] = 0;
  me->text[snprintf(me->text, LARGEST_TEXT, "%d", value)] = ' ';
  return me->text;
}

static bool create(struct thread *me, int length) {
  json_t *answer = call("agents.create", json_pack("{s:{s:s, s:s, s:{s:s}}}", "body", "name", "filler", "description",
                                                   "0", "instructions", "general", text_of(me, me->agents, length)));
  if (answer == NULL) {
    return false;
  }
  __atomic_fetch_add(&created, 1, __ATOMIC_RELAXED);
  note("create\t%s\tfiller", text_at(answer, "id"));
  me->values[me->agents] = 0;
  me->ids[me->agents++] = strdup(text_at(answer, "id"));
  json_decref(answer);
  return true;
}

static bool update(struct thread *me, int index, bool deploys) {
  char text[32];
  snprintf(text, sizeof text, "%d", me->values[index] + 1);
  json_t *answer = call("agents.update", json_pack("{s:s, s:b, s:{s:s}}", "agent_id", me->ids[index], "deploy", deploys,
                                                   "body", "description", text));
  if (answer == NULL) {
    return false;
  }
  me->values[index]++;
  if (deploys) {
    note("deploy\t%s\t%lld\t%s", me->ids[index], integer_at(answer, "version"), text);
  } else {
    note("update\t%s\t%s", me->ids[index], text);
  }
  json_decref(answer);
  return true;
}

static bool invoke(struct thread *me, int index) {
  char task[64], text[128];
  snprintf(task, sizeof task, "t%d-%d", me->number, me->tasks++);
  snprintf(text, sizeof text, "turn 1 of %s", task);
  json_t *answer = call("agents.invoke", json_pack("{s:s, s:{s:s, s:{s:s}}}", "agent_id", me->ids[index], "body", "id",
                                                   task, "input", "text", text));
  if (answer == NULL) {
    return false;
  }
  if (strcmp(text_at(answer, "status"), "completed") != 0) {
    note("fail\tagents.invoke\t%s\t%s", text_at(answer, "status"), text_at(answer, "result"));
  }
  note("turn\t%s\t%s\t1\t%s\t%s", task, me->ids[index], text, text_at(answer, "result"));
  json_decref(answer);
  return true;
}

static void *write_until_full(void *argument) {
  struct thread *me = argument;
  int failures = 0;
  while (failures < REFUSALS && me->agents < MOST_AGENTS) {
    int chance = rand_r(&me->seed) % 100, index = me->agents > 0 ? rand_r(&me->seed) % me->agents : 0;
    bool worked = chance < 50 || me->agents == 0 ? create(me, 10 + rand_r(&me->seed) % (LARGEST_TEXT - 10))
                  : chance < 75                  ? invoke(me, index)
                                                 : update(me, index, chance % 2 == 0);
    failures += !worked;
  }
  return NULL;
}

static void *write_small_ones(void *argument) {
  for (int count = 0; count < SMALL_ONES; count++) {
    create(argument, 100);
  }
  return NULL;
}

static void in_threads(int count, void *(*body)(void *)) {
  for (int index = 0; index < count; index++) {
    pthread_create(&all[index].thread, NULL, body, &all[index]);
  }
  for (int index = 0; index < count; index++) {
    pthread_join(all[index].thread, NULL);
  }
}

/* An agent larger than what is left of the disk, tried several times while others write a little. */
static int large_ones_left = LARGE_ONES;

static void *write_large_ones(void *filler) {
  while (__atomic_load_n(&large_ones_left, __ATOMIC_RELAXED) > 0) {
    muster_error *error = NULL;
    json_t *args = json_pack("{s:{s:s, s:{s:s}}}", "body", "name", "large", "instructions", "general", filler);
    muster_status status = muster_call_j(plane, "agents.create", args, 0, NULL, &error);
    json_decref(args);
    if (status != MUSTER_E_STORE || !says_full(error)) {
      note("fail\ta large agent\t%s\t%s", muster_status_name(status), muster_error_message(error));
    }
    muster_error_free(error);
    __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&large_ones_left, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void *ride_along(void *argument) {
  struct thread *me = argument;
  while (__atomic_load_n(&large_ones_left, __ATOMIC_RELAXED) > 0) {
    // However long it takes: they do not fill the disk.
    if (me->agents < SMALL_ONES) {
      create(me, 100);
    } else {
      update(me, 0, false);
    }
    usleep(20000);
  }
  return NULL;
}

static void large_ones_among_small_ones(const char *store) {
  struct statvfs disk;
  pthread_t thread;
  if (statvfs(store, &disk) != 0) {
    abort();
  }
  size_t length = disk.f_bavail * disk.f_frsize + (1 << 20);
  char *filler = malloc(length + 1);
  memset(filler, 'x', length);
  filler[length] = 0;
  must_succeed = true;
  pthread_create(&thread, NULL, write_large_ones, filler);
  in_threads(RIDERS, ride_along);
  pthread_join(thread, NULL);
  free(filler);
  // What was refused takes no room: a small change can be made again and again, far more than once for each free page.
  size_t changes = 2 * disk.f_bavail * disk.f_frsize / 4096;
  while (changes-- > 0 && update(&all[0], 0, false)) {
  }
  must_succeed = false;
}

/* What was acknowledged can be read, and what was refused is not there. */
static void read_back(void) {
  must_succeed = true;
  json_t *answer = call("agents.list", NULL);
  if (integer_at(answer, "total") != created) {
    note("fail\tagents.list\tOK\t%lld agents are there, %ld were acknowledged", integer_at(answer, "total"), created);
  }
  json_decref(answer);
  for (int index = 0; index < THREADS; index++) {
    for (int agent = 0; agent < all[index].agents; agent++) {
      answer = call("agents.get", json_pack("{s:s}", "agent_id", all[index].ids[agent]));
      if (atoi(text_at(answer, "description")) != all[index].values[agent]) {
        note("fail\tagents.get\tOK\tagent %s has %s, acknowledged was %d", all[index].ids[agent],
             text_at(answer, "description"), all[index].values[agent]);
      }
      json_decref(answer);
    }
  }
  must_succeed = false;
}

int main(int count, char **values) {
  muster_error *error = NULL;
  if (count != 5 || (acks = open(values[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0) {
    fprintf(stderr, "disk STORE ACKS BALLAST closes|dies\n");
    return 2;
  }
  if (open_plane(values[1], "echo", &plane, &error) != MUSTER_OK) {
    note("fail\topen\t%s\t%s", muster_status_name(muster_error_status(error)), muster_error_message(error));
    return 1;
  }
  for (int index = 0; index < THREADS; index++) {
    all[index].number = index;
    all[index].seed = (unsigned int)(getpid() * THREADS + index);
  }
  large_ones_among_small_ones(values[1]);
  read_back();
  in_threads(THREADS, write_until_full);
  read_back();
  // There is room again: the same plane goes on.
  if (unlink(values[3]) != 0) {
    abort();
  }
  must_succeed = true;
  in_threads(THREADS, write_small_ones);
  must_succeed = false;
  in_threads(THREADS, write_until_full);
  read_back();
  note("refused\t%ld", refused);
  if (strcmp(values[4], "dies") == 0) {
    raise(SIGKILL);
  }
  muster_status status = muster_close(plane);
  if (status != MUSTER_OK) {
    note("fail\tmuster_close\t%s\t", muster_status_name(status));
  }
  return 0;
}
