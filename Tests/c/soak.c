/* SPDX-License-Identifier: Apache-2.0
 *
 * soak FOLDER SECONDS RUNS TOLERANCE - submitted calls of every kind and fate, for so long and until so many runs were accepted, after a warm-up of half
 * as long and as many: each accepted call has exactly one final event, of a kind that fits, and nothing grows.
 *
 * Two planes, three threads on each, every thread with a queue of its own and up to 24 calls open. Runs are cancelled, run out of time, are stopped, deleted
 * and followed; models break off, fall silent and refuse (see stream_model.h, whose process answers). Queues are closed with calls open, and planes in the
 * middle of everything. What a queue that was closed still owed does not come; all else does, also after the plane was closed.
 *
 * Memory and descriptors are looked at when nothing is under way, both planes were just opened anew on empty stores, and free() has given back
 * what it keeps (malloc_trim). Mappings of the stores' files are not counted, and SQLite's cache begins anew with each store: so no store
 * makes it grow. No look after the warm-up may show more than TOLERANCE percent above the greatest of it: of resident memory, of what is allocated (which
 * shows a leak that the allocator's holes would hide) and of descriptors. The allocator has two arenas and keeps nothing for each thread
 * (run.sh says so), so that what is in use does not depend on which thread freed what.
 */
#define _GNU_SOURCE
#include "plane.h"

#include <dirent.h>
#include <malloc.h>
#include <stream_model.h>

enum { PLANES = 2, WORKERS = 6, OPEN = 24, PIECES = 6, CYCLES = 12 };

/* ---- what is submitted, and how it may end ---- */

enum kind {
  PLAIN, CANCELLED, CANCELLED_BEFORE, TIMED_OUT, STOPPED, DELETED, BROKEN, SILENT, REFUSED, WHOLE, ACCEPTED, FOLLOWED, FOLLOWING_ENDED, ANSWER, WRONG, KINDS
};

static const struct {
  const char *name;
  bool is_run;
  int share;          /* of a thousand; 0: comes of another one */
  const char *ends;   /* how it may end, beside CLOSED */
} kinds[KINDS] = {
    [PLAIN] = {"stream", true, 560, "OK"},
    [CANCELLED] = {"stream, cancelled", true, 80, "OK CANCELLED"},
    [CANCELLED_BEFORE] = {"stream, cancelled before", true, 10, "CANCELLED"},
    [TIMED_OUT] = {"stream, out of time", true, 60, "OK TIMEOUT"},
    [STOPPED] = {"stream, stopped", true, 50, "OK"},
    [DELETED] = {"stream, deleted", true, 50, "OK API"},
    [BROKEN] = {"model breaks", true, 10, "OK TIMEOUT"},
    [SILENT] = {"model falls silent", true, 20, "CANCELLED TIMEOUT"},
    [REFUSED] = {"model refuses", true, 20, "OK"},
    [WHOLE] = {"agents.invoke", true, 50, "OK"},
    [ACCEPTED] = {"agents.invoke_async", true, 30, "OK"},
    [FOLLOWED] = {"tasks.events", false, 0, "OK API"},
    [FOLLOWING_ENDED] = {"tasks.events, cancelled", false, 0, "OK API CANCELLED"},
    [ANSWER] = {"tasks.list, agents.get", false, 40, "OK"},
    [WRONG] = {"no such agent", false, 20, "API"},
};

enum model { FAST, SLOW, BREAKS, STALLS, REFUSES, MODELS };

static const char *const models[MODELS] = {"fast", "slow:4", "break:2", "stall:2", "error:400"};

/* What was counted of a kind; atomic. */
static struct {
  long accepted, dropped, ok, api, cancelled, timeout, closed, other;
} counts[KINDS];

static long runs, events, violations;
static char *whole;

static void count(long *what) { __atomic_fetch_add(what, 1, __ATOMIC_RELAXED); }

static void violate(const char *what, const char *detail) {
  count(&violations);
  fprintf(stderr, "soak: %s: %s\n", what, detail != NULL ? detail : "");
}

/* ---- planes ---- */

typedef struct slot {
  char *path;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  muster *plane; /* NULL while it is closed for a while */
  char *agents[MODELS];
} slot;

static slot slots[PLANES];
static bool rests, is_over; /* nothing new is submitted; the end; both under the mutex of `turn` */
static int resting;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int port;

static void open_slot(slot *slot, bool is_new) {
  char config[2048];
  muster *plane = NULL;
  muster_error *error = NULL;
  if (is_new) {
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
    for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
      char path[1024];
      snprintf(path, sizeof path, "%s%s", slot->path, ends[index]);
      unlink(path);
    }
  }
  snprintf(config, sizeof config,
           "{\"store\":\"%s\",\"durability\":\"normal\",\"limits\":{\"run_timeout_ms\":8000},\"default_model\":{\"provider\":"
           "\"openai_compatible\",\"name\":\"fast\",\"api_base\":\"http://127.0.0.1:%d/v1\"}}",
           slot->path, port);
  if (muster_open(config, NULL, &plane, &error) != MUSTER_OK) {
    report("open", error);
    abort();
  }
  for (int model = 0; is_new && model < MODELS; model++) {
    free(slot->agents[model]);
    slot->agents[model] = create_agent(plane, "Soak", models[model]);
  }
  pthread_mutex_lock(&slot->mutex);
  slot->plane = plane;
  pthread_cond_broadcast(&slot->changed);
  pthread_mutex_unlock(&slot->mutex);
}

static void close_slot(slot *slot) {
  pthread_mutex_lock(&slot->mutex);
  muster *plane = slot->plane;
  slot->plane = NULL;
  pthread_mutex_unlock(&slot->mutex);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

/* ---- a thread ---- */

typedef struct call_state {
  bool is_open, was_disturbed;
  enum kind kind;
  uint32_t serial;
  muster_ticket ticket;
  int events, act_at;
} call_state;

typedef struct worker {
  slot *slot;
  unsigned seed;
  muster *plane;
  muster_queue *queue;
  call_state calls[OPEN * 2]; /* those that follow come on top */
  int open;
  uint32_t serial;
} worker;

static int chance(worker *worker, int most) { return (int)(rand_r(&worker->seed) % (unsigned)most); }

static call_state *free_call(worker *worker) {
  for (int index = 0; index < OPEN * 2; index++)
    if (!worker->calls[index].is_open) return &worker->calls[index];
  return NULL;
}

/* Submits; false when the plane does not take calls any more. */
static bool submit(worker *worker, enum kind kind, const char *operation, const char *args) {
  call_state *state = free_call(worker);
  muster_error *error = NULL;
  if (state == NULL) return true;
  memset(state, 0, sizeof *state);
  state->kind = kind;
  state->serial = ++worker->serial;
  state->act_at = chance(worker, PIECES);
  void *user_data = (void *)(((uintptr_t)state->serial << 8) | (uintptr_t)(state - worker->calls));
  muster_status status = muster_submit(worker->plane, worker->queue, operation, args, user_data, &state->ticket, &error);
  if (status == MUSTER_OK) {
    state->is_open = true;
    worker->open++;
    count(&counts[kind].accepted);
    if (kinds[kind].is_run) count(&runs);
    return true;
  }
  if (status != MUSTER_E_BAD_HANDLE && status != MUSTER_E_CLOSED) violate("submit", muster_error_message(error));
  muster_error_free(error);
  return false;
}

static bool submit_some(worker *worker) {
  int drawn = chance(worker, 1000), model = FAST;
  enum kind kind = PLAIN;
  char args[512], context[64] = "";
  while (drawn >= kinds[kind].share) drawn -= kinds[kind++].share;
  switch (kind) {
    case CANCELLED: case STOPPED: case DELETED: model = chance(worker, 4) == 0 ? FAST : SLOW; break;
    case TIMED_OUT:
      model = SLOW;
      snprintf(context, sizeof context, ",\"context\":{\"timeout_ms\":%d}", 1 + chance(worker, 40));
      break;
    case BROKEN: model = BREAKS; break;
    case SILENT:
      model = STALLS;
      snprintf(context, sizeof context, ",\"context\":{\"timeout_ms\":%d}", 100 + chance(worker, 400));
      break;
    case REFUSED: model = REFUSES; break;
    case CANCELLED_BEFORE: {
      muster_ticket ticket = muster_ticket_new(worker->plane);
      if (ticket == 0) return false;
      muster_cancel(worker->plane, ticket);
      snprintf(context, sizeof context, ",\"context\":{\"ticket\":%llu}", (unsigned long long)ticket);
      break;
    }
    case ANSWER:
      if (chance(worker, 2) == 0) return submit(worker, kind, "tasks.list", "{\"per_page\":2}");
      snprintf(args, sizeof args, "{\"agent_id\":\"%s\"}", worker->slot->agents[FAST]);
      return submit(worker, kind, "agents.get", args);
    case WRONG:
      return submit(worker, kind, "agents.invoke_stream", "{\"agent_id\":\"00000000-0000-7000-8000-000000000000\",\"body\":{\"input\":{\"text\":\"x\"}}}");
    default: break;
  }
  snprintf(args, sizeof args, "{\"agent_id\":\"%s\",\"body\":{\"input\":{\"text\":\"How long does it last?\"}}%s}", worker->slot->agents[model], context);
  return submit(worker, kind, kind == WHOLE ? "agents.invoke" : kind == ACCEPTED ? "agents.invoke_async" : "agents.invoke_stream", args);
}

static void check_end(call_state *state, const muster_event *event) {
  const char *name = muster_status_name(event->status), *json = event->json != NULL ? event->json : "";
  enum kind kind = state->kind;
  switch (event->status) {
    case MUSTER_OK: count(&counts[kind].ok); break;
    case MUSTER_E_API: count(&counts[kind].api); break;
    case MUSTER_E_CANCELLED: count(&counts[kind].cancelled); break;
    case MUSTER_E_TIMEOUT: count(&counts[kind].timeout); break;
    case MUSTER_E_CLOSED: count(&counts[kind].closed); return;
    default: count(&counts[kind].other);
  }
  if (strstr(kinds[kind].ends, name) == NULL) {
    char what[512];
    snprintf(what, sizeof what, "%s ended %s: %s", kinds[kind].name, name, event->error != NULL ? muster_error_message(event->error) : json);
    violate("an end that does not fit", what);
  }
  if ((kind == PLAIN || kind == WHOLE) && event->status == MUSTER_OK && (strstr(json, "\"completed\"") == NULL || strstr(json, whole) == NULL))
    violate("not completed", json);
}

/* Does to a run what is to happen to it. */
static void disturb(worker *worker, call_state *state, const char *json) {
  char id[64] = "", args[256], *text = NULL;
  muster_error *error = NULL;
  muster_status status = MUSTER_OK;
  const char *found = json != NULL ? strstr(json, "\"task_id\":\"") : NULL;
  if (found != NULL) snprintf(id, sizeof id, "%.36s", found + 11);
  switch (state->kind) {
    case CANCELLED: case FOLLOWING_ENDED: case SILENT:
      if (state->kind != SILENT || chance(worker, 2) == 0) muster_cancel(worker->plane, state->ticket);
      return;
    case STOPPED: status = muster_task_stop(worker->plane, id, &text, NULL, &error); break;
    case DELETED: status = muster_task_delete(worker->plane, id, &error); break;
    case PLAIN: case TIMED_OUT:
      if (id[0] == 0 || chance(worker, 12) != 0) return;
      snprintf(args, sizeof args, "{\"task_id\":\"%s\"}", id);
      submit(worker, chance(worker, 3) == 0 ? FOLLOWING_ENDED : FOLLOWED, "tasks.events", args);
      return;
    default: return;
  }
  /* The plane may just be closed. */
  if (status != MUSTER_OK && status != MUSTER_E_BAD_HANDLE && status != MUSTER_E_CLOSED) violate(kinds[state->kind].name, muster_error_message(error));
  muster_error_free(error);
  muster_free(text);
}

/* Takes one event. False: none came in time. */
static bool take(worker *worker, int64_t timeout_ms) {
  muster_event event = MUSTER_EVENT_INIT;
  if (muster_queue_next(worker->queue, timeout_ms, &event) != MUSTER_OK) return false;
  call_state *state = &worker->calls[(uintptr_t)event.user_data & 0xff];
  count(&events);
  if (!state->is_open || state->serial != (uint32_t)((uintptr_t)event.user_data >> 8)) {
    violate("an event after the final one", event.json);
  } else if (event.kind == MUSTER_EVENT_FINAL) {
    state->is_open = false;
    worker->open--;
    check_end(state, &event);
  } else if (state->events++ == state->act_at || (state->events > state->act_at && !state->was_disturbed)) {
    state->was_disturbed = true;
    disturb(worker, state, event.json);
  }
  muster_event_clear(&event);
  return true;
}

/* Reads until each open call has ended. */
static void finish_calls(worker *worker) {
  double last = seconds_now();
  while (worker->open > 0) {
    if (take(worker, 1000)) {
      last = seconds_now();
    } else if (seconds_now() - last > 60) {
      char what[64];
      snprintf(what, sizeof what, "%d calls", worker->open);
      violate("no final event for a minute", what);
      worker->open = 0;
      memset(worker->calls, 0, sizeof worker->calls);
    }
  }
}

/* Closes the queue; what it still owes does not come. */
static void drop_queue(worker *worker) {
  for (int index = 0; index < OPEN * 2; index++) {
    if (!worker->calls[index].is_open) continue;
    count(&counts[worker->calls[index].kind].dropped);
    worker->calls[index].is_open = false;
  }
  worker->open = 0;
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(worker->queue));
  worker->queue = NULL;
}

/* A plane to work on, and a queue on it. False when there is nothing more to do. */
static bool ready(worker *worker) {
  slot *slot = worker->slot;
  pthread_mutex_lock(&turn);
  if (rests || is_over) {
    resting++;
    pthread_cond_broadcast(&turned);
    while (rests && !is_over) pthread_cond_wait(&turned, &turn);
    resting--;
  }
  bool ends = is_over;
  pthread_mutex_unlock(&turn);
  if (ends) return false;
  pthread_mutex_lock(&slot->mutex);
  while (slot->plane == NULL) pthread_cond_wait(&slot->changed, &slot->mutex);
  worker->plane = slot->plane;
  pthread_mutex_unlock(&slot->mutex);
  muster_status status = muster_queue_open(worker->plane, &worker->queue, NULL);
  if (status != MUSTER_OK && status != MUSTER_E_BAD_HANDLE && status != MUSTER_E_CLOSED) violate("queue_open", muster_status_name(status));
  return true;
}

static void *work(void *pointer) {
  worker *worker = pointer;
  while (ready(worker)) {
    if (worker->queue == NULL) continue;
    bool is_taken = true;
    while (is_taken && !__atomic_load_n(&rests, __ATOMIC_RELAXED) && !__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
      while (is_taken && worker->open < OPEN) is_taken = submit_some(worker);
      take(worker, 20);
      if (chance(worker, 20000) == 0) break;
    }
    /* Sometimes with calls open, else when all have ended; also those of a plane that is closed. */
    if (chance(worker, 2) == 0 || !is_taken) finish_calls(worker);
    drop_queue(worker);
  }
  return NULL;
}

/* ---- what must not grow ---- */

/* What is resident, in KB, without the mappings of the stores' files. */
static long resident_kilobytes(void) {
  char line[1024];
  long total = 0, part;
  bool counts_here = true;
  FILE *file = fopen("/proc/self/smaps", "r");
  if (!CHECK(file != NULL)) return 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "Rss: %ld kB", &part) == 1) total += counts_here ? part : 0;
    else if (strchr(line, '-') != NULL && strstr(line, ":") != NULL && line[0] != 'V' && strspn(line, "0123456789abcdef") > 4)
      counts_here = strstr(line, ".db") == NULL;
  }
  fclose(file);
  return total;
}

/* What is allocated and not freed, in KB, in all arenas. */
static long allocated_kilobytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (long)((info.uordblks + info.hblkhd) / 1024);
}

static long open_descriptors(void) {
  long count = -1; /* that of the folder itself */
  DIR *folder = opendir("/proc/self/fd");
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
  if (folder != NULL) closedir(folder);
  return count;
}

/* What one look saw. */
struct look {
  long resident, allocated, descriptors;
};

static long greater(long one, long other) { return one > other ? one : other; }

/* Takes over what is greater. */
static void widen(struct look *most, const struct look *look) {
  most->resident = greater(most->resident, look->resident);
  most->allocated = greater(most->allocated, look->allocated);
  most->descriptors = greater(most->descriptors, look->descriptors);
}

static bool is_within(long value, long most, double tolerance) { return (double)value <= (double)most * (1 + tolerance / 100); }

/* Waits until nothing is under way, opens both planes anew, and looks. */
static void look(double since, struct look *look) {
  pthread_mutex_lock(&turn);
  rests = true;
  while (resting < WORKERS) pthread_cond_wait(&turned, &turn);
  pthread_mutex_unlock(&turn);
  long busy = resident_kilobytes();
  for (int index = 0; index < PLANES; index++) {
    close_slot(&slots[index]);
    open_slot(&slots[index], true);
  }
  malloc_trim(0);
  look->resident = resident_kilobytes();
  look->allocated = allocated_kilobytes();
  look->descriptors = open_descriptors();
  printf("| %.0f | %ld | %ld | %ld | %ld | %ld | %ld |\n", seconds_now() - since, __atomic_load_n(&runs, __ATOMIC_RELAXED),
         __atomic_load_n(&events, __ATOMIC_RELAXED), look->resident, look->allocated, look->descriptors, busy);
  fflush(stdout);
  pthread_mutex_lock(&turn);
  rests = false;
  pthread_cond_broadcast(&turned);
  pthread_mutex_unlock(&turn);
}

/* One cycle: in its middle a plane goes away under its runs, and comes back on the same store. */
static void cycle(double seconds, long index, double since, struct look *seen) {
  sleep_ms((long)(seconds * 1000 / CYCLES / 2));
  close_slot(&slots[index % PLANES]);
  open_slot(&slots[index % PLANES], false);
  sleep_ms((long)(seconds * 1000 / CYCLES / 2));
  look(since, seen);
}

static void print_counts(void) {
  printf("\n| kind | accepted | OK | API | CANCELLED | TIMEOUT | CLOSED | other | dropped with its queue |\n");
  printf("| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n");
  for (int kind = 0; kind < KINDS; kind++) {
    long ended = counts[kind].ok + counts[kind].api + counts[kind].cancelled + counts[kind].timeout + counts[kind].closed + counts[kind].other;
    printf("| %s | %ld | %ld | %ld | %ld | %ld | %ld | %ld | %ld |\n", kinds[kind].name, counts[kind].accepted, counts[kind].ok, counts[kind].api,
           counts[kind].cancelled, counts[kind].timeout, counts[kind].closed, counts[kind].other, counts[kind].dropped);
    CHECK_INTEGER(counts[kind].accepted, ended + counts[kind].dropped);
    CHECK(counts[kind].accepted > 0);
  }
}

int main(int argc, char **argv) {
  static worker workers[WORKERS];
  struct look most = {0, 0, 0}, seen;
  pthread_t threads[WORKERS];
  double seconds = argc > 2 ? atof(argv[2]) : 20;
  long least = argc > 3 ? atol(argv[3]) : 0, looks = 0;
  double tolerance = argc > 4 ? atof(argv[4]) : 2;
  mallopt(M_ARENA_MAX, 2);
  model_control *model = start_stream_model(NULL, NULL);
  if (!CHECK(model != NULL)) return check_finish("soak");
  model->chunks = PIECES;
  port = model->port;
  whole = model_text(PIECES);
  for (int index = 0; index < PLANES; index++) {
    char name[32];
    snprintf(name, sizeof name, "soak-%d.db", index);
    slots[index].path = path_in(argc > 1 ? argv[1] : ".", name);
    pthread_mutex_init(&slots[index].mutex, NULL);
    pthread_cond_init(&slots[index].changed, NULL);
    open_slot(&slots[index], true);
  }
  for (int index = 0; index < WORKERS; index++) {
    workers[index].slot = &slots[index % PLANES];
    workers[index].seed = (unsigned)index + 1;
    CHECK_INTEGER(0, pthread_create(&threads[index], NULL, work, &workers[index]));
  }
  printf("| seconds | runs | events | resident KB | allocated KB | descriptors | resident KB before planes were opened anew |\n");
  printf("| --: | --: | --: | --: | --: | --: | --: |\n");
  double start = seconds_now();
  while (seconds_now() - start < seconds / 2 || runs < least / 2) {
    cycle(seconds, looks++, start, &seen);
    widen(&most, &seen);
  }
  printf("warm by now\n");
  double warm = seconds_now();
  long runs_warm = __atomic_load_n(&runs, __ATOMIC_RELAXED);
  while (seconds_now() - warm < seconds || runs - runs_warm < least) {
    cycle(seconds, looks++, start, &seen);
    CHECK(is_within(seen.resident, most.resident, tolerance));
    CHECK(is_within(seen.allocated, most.allocated, tolerance));
    CHECK(is_within(seen.descriptors, most.descriptors, tolerance));
  }
  pthread_mutex_lock(&turn);
  __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
  pthread_cond_broadcast(&turned);
  pthread_mutex_unlock(&turn);
  for (int index = 0; index < WORKERS; index++) pthread_join(threads[index], NULL);
  for (int index = 0; index < PLANES; index++) close_slot(&slots[index]);
  print_counts();
  CHECK_INTEGER(0, violations);
  return check_finish("soak");
}
