/* Many at once: a thousand streams on one queue, many threads that submit and read, descriptors that never miss an event.
 * argv[1]: an empty folder; argv[2]: how many streams (default 1,000). Needs the mock at MODEL_BASE. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <poll.h>

#include "queue.h"

enum { STREAMS = 1000, MOST_THREADS = 40, READERS = 4, SUBMITTERS = 8, CALLS = 250 };

static int threads_now(void) {
  DIR *directory = opendir("/proc/self/task");
  int count = 0;
  if (CHECK(directory != NULL)) {
    while (readdir(directory) != NULL) {
      count++;
    }
    closedir(directory);
  }
  return count - 2;
}

static int is_readable(int descriptor, int timeout_ms) {
  struct pollfd one = {descriptor, POLLIN, 0};
  return poll(&one, 1, timeout_ms) == 1 && (one.revents & POLLIN) != 0;
}

/* One thread, one queue, one descriptor: every stream ends, every text is whole, and no run has a thread. */
static void a_thousand_streams(muster *plane, int count) {
  struct submitted *runs = calloc((size_t)count, sizeof *runs);
  muster_queue *queue = open_queue(plane);
  char *agent = create_agent(plane, "Many", "slow:30"), *args = invocation(agent, "x", NULL, NULL);
  int open_runs = count, most = 0, bad = 0;
  double begin = seconds_now();
  for (int index = 0; index < count; index++) {
    must_submit(plane, queue, "agents.invoke_stream", args, &runs[index]);
  }
  double submitted = seconds_now();
  while (open_runs > 0 && CHECK(is_readable(muster_queue_fd(queue), PATIENCE_MS))) {
    int now = threads_now();
    most = now > most ? now : most;
    muster_event event = MUSTER_EVENT_INIT;
    while (muster_queue_next(queue, 0, &event) == MUSTER_OK) {
      take(event.user_data, &event);
      open_runs -= event.kind == MUSTER_EVENT_FINAL;
      muster_event_clear(&event);
    }
  }
  printf("%d streams: %.2f s, submitted in %.0f ms; at most %d threads\n", count, seconds_now() - begin,
         (submitted - begin) * 1000, most);
  CHECK(most <= MOST_THREADS);
  for (int index = 0; index < count; index++) {
    int good = runs[index].finals == 1 && runs[index].status == MUSTER_OK && strcmp(runs[index].letters, "cuxf") == 0 &&
               runs[index].text != NULL && strcmp(runs[index].text, "answered after 30 ms") == 0;
    if (!good && bad++ < 5) {
      fprintf(stderr, "stream %d: %s %s %s\n", index, runs[index].letters, runs[index].message, runs[index].text);
    }
    forget(&runs[index]);
  }
  CHECK_INTEGER(0, bad);
  check_nothing_waits(queue);
  CHECK(!is_readable(muster_queue_fd(queue), 0));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  free(runs);
  free(args);
  free(agent);
}

/* ---- The descriptor ------------------------------------------------------------------------------------------------- */

static void the_descriptor_tells_what_waits(muster *plane) {
  muster_queue *queue = open_queue(plane), *late = open_queue(plane);
  struct submitted one = {0}, two = {0}, three = {0};
  int descriptor = muster_queue_fd(queue);
  CHECK(descriptor >= 0);
  CHECK_INTEGER(descriptor, muster_queue_fd(queue));
  /* What is just taken in may be announced before it can be read; it is quiet once that was seen. */
  CHECK(!is_readable(descriptor, 0));
  must_submit(plane, queue, "agents.list", NULL, &one);
  must_submit(plane, queue, "agents.list", NULL, &two);
  CHECK(is_readable(descriptor, 10000));
  read_ends(queue, &one, 1);
  read_ends(queue, &two, 1);
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 0));
  CHECK(!is_readable(descriptor, 0));
  must_submit(plane, queue, "agents.list", NULL, &three);
  CHECK(is_readable(descriptor, 10000));
  read_ends(queue, &three, 1);
  /* A descriptor that is asked for when events wait already is readable at once. */
  forget(&one);
  must_submit(plane, late, "agents.list", NULL, &one);
  sleep_ms(300);
  CHECK(is_readable(muster_queue_fd(late), 0));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(late));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  forget(&one);
  forget(&two);
  forget(&three);
}

/* ---- Many threads ----------------------------------------------------------------------------------------------------- */

static struct {
  muster *plane;
  muster_queue *queue;
  char *agent;
  int marks[SUBMITTERS][CALLS];
  int finals, tickets_wrong, is_done;
  muster_ticket tickets[SUBMITTERS][CALLS];
} crowd;

static void *submit_many(void *number) {
  intptr_t mine = (intptr_t)number;
  char *args = invocation(crowd.agent, "x", NULL, NULL);
  for (int index = 0; index < CALLS; index++) {
    muster_ticket ticket = 0;
    const char *operation = index % 25 == 0 ? "agents.invoke_stream" : "agents.list";
    /* Wherever it is cancelled, it has one end. */
    CHECK_INTEGER(MUSTER_OK, muster_submit(crowd.plane, crowd.queue, operation, index % 25 == 0 ? args : "{\"per_page\":1}",
                                           &crowd.marks[mine][index], &ticket, NULL));
    __atomic_store_n(&crowd.tickets[mine][index], ticket, __ATOMIC_RELAXED);
    if (index % 50 == 0) {
      CHECK_INTEGER(MUSTER_OK, muster_cancel(crowd.plane, ticket));
    }
  }
  free(args);
  return NULL;
}

static void note(const muster_event *event) {
  if (event->kind == MUSTER_EVENT_FINAL) {
    __atomic_fetch_add((int *)event->user_data, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&crowd.finals, 1, __ATOMIC_RELAXED);
  }
}

static int all_have_ended(void) { return __atomic_load_n(&crowd.finals, __ATOMIC_RELAXED) >= SUBMITTERS * CALLS; }

/* Reads with a wait in the queue. */
static void *read_many(void *unused) {
  (void)unused;
  while (!all_have_ended()) {
    muster_event event = MUSTER_EVENT_INIT;
    if (muster_queue_next(crowd.queue, 100, &event) == MUSTER_OK) {
      note(&event);
      muster_event_clear(&event);
    }
  }
  return NULL;
}

static void run_crowd(muster *plane, const char *agent, int reads_here, void (*read_here)(void)) {
  pthread_t submitters[SUBMITTERS], readers[READERS];
  int once = 0;
  memset(&crowd, 0, sizeof crowd);
  crowd.plane = plane;
  crowd.agent = (char *)agent;
  crowd.queue = open_queue(plane);
  for (intptr_t index = 0; index < SUBMITTERS; index++) {
    CHECK_INTEGER(0, pthread_create(&submitters[index], NULL, submit_many, (void *)index));
  }
  if (reads_here) {
    read_here();
  } else {
    for (int index = 0; index < READERS; index++) {
      CHECK_INTEGER(0, pthread_create(&readers[index], NULL, read_many, NULL));
    }
    for (int index = 0; index < READERS; index++) {
      pthread_join(readers[index], NULL);
    }
  }
  for (int index = 0; index < SUBMITTERS; index++) {
    pthread_join(submitters[index], NULL);
  }
  for (int index = 0; index < SUBMITTERS; index++) {
    for (int call = 0; call < CALLS; call++) {
      once += crowd.marks[index][call] == 1;
    }
  }
  CHECK_INTEGER(SUBMITTERS * CALLS, once);
  CHECK_INTEGER(SUBMITTERS * CALLS, crowd.finals);
  check_nothing_waits(crowd.queue);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(crowd.queue));
}

/* Sleeps in poll() alone: an event that does not make the descriptor readable would never be read. */
static void read_by_poll(void) {
  int descriptor = muster_queue_fd(crowd.queue), missed = 0;
  while (!all_have_ended() && missed == 0) {
    muster_event event = MUSTER_EVENT_INIT;
    if (!is_readable(descriptor, 20000)) {
      missed++;
      break;
    }
    while (muster_queue_next(crowd.queue, 0, &event) == MUSTER_OK) {
      note(&event);
      muster_event_clear(&event);
    }
  }
  CHECK_INTEGER(0, missed);
  /* What is left of a miss is read all the same, so that the test ends. */
  read_many(NULL);
}

/* Two threads in poll() on one descriptor, each reading one event at a time. */
static void *poll_and_read_one(void *unused) {
  int descriptor = muster_queue_fd(crowd.queue);
  (void)unused;
  while (!all_have_ended()) {
    muster_event event = MUSTER_EVENT_INIT;
    if (is_readable(descriptor, 200) && muster_queue_next(crowd.queue, 0, &event) == MUSTER_OK) {
      note(&event);
      muster_event_clear(&event);
    }
  }
  return NULL;
}

static void read_by_two_polls(void) {
  pthread_t other;
  CHECK_INTEGER(0, pthread_create(&other, NULL, poll_and_read_one, NULL));
  poll_and_read_one(NULL);
  pthread_join(other, NULL);
}

/* By drains, a few bytes and much at a time. */
static void read_by_drains(void) {
  int round = 0;
  while (!all_have_ended()) {
    char *json = NULL;
    size_t length = 0, index;
    json_t *events, *event;
    if (muster_queue_drain(crowd.queue, 100, round++ % 2 == 0 ? 1 : 0, &json, &length, NULL) != MUSTER_OK) {
      continue;
    }
    events = json_loadb(json, length, 0, NULL);
    CHECK(json_array_size(events) >= 1);
    json_array_foreach(events, index, event) {
      if (strcmp(text_at(event, "kind"), "final") == 0) {
        muster_ticket ticket = (muster_ticket)integer_at(event, "ticket");
        int found = 0;
        for (int one = 0; one < 1000 && !found; one++) {
          /* The number is told to its submitter in the same moment. */
          for (int index = 0; index < SUBMITTERS * CALLS && !found; index++) {
            if (__atomic_load_n(&crowd.tickets[index / CALLS][index % CALLS], __ATOMIC_RELAXED) == ticket) {
              __atomic_fetch_add(&crowd.marks[index / CALLS][index % CALLS], 1, __ATOMIC_RELAXED);
              found = 1;
            }
          }
          if (!found) {
            sleep_ms(1);
          }
        }
        CHECK(found);
        __atomic_fetch_add(&crowd.finals, 1, __ATOMIC_RELAXED);
      }
    }
    json_decref(events);
    muster_free(json);
  }
}

/* Calls end while their queue is closed: nobody hangs, and what was taken is whole. */
static void *read_until_closed(void *queue) {
  muster_event event = MUSTER_EVENT_INIT;
  muster_status status;
  while ((status = muster_queue_next(queue, -1, &event)) == MUSTER_OK) {
    muster_event_clear(&event);
  }
  CHECK(status == MUSTER_E_CLOSED || status == MUSTER_E_BAD_HANDLE);
  return NULL;
}

static void closing_queues_under_way(muster *plane, const char *agent) {
  char *args = invocation(agent, "x", NULL, NULL);
  for (int round = 0; round < 30; round++) {
    muster_queue *queue = open_queue(plane);
    pthread_t readers[2];
    for (int index = 0; index < 2; index++) {
      CHECK_INTEGER(0, pthread_create(&readers[index], NULL, read_until_closed, queue));
    }
    for (int index = 0; index < 20; index++) {
      CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, index % 2 == 0 ? "agents.list" : "agents.invoke_stream",
                                             index % 2 == 0 ? NULL : args, NULL, NULL, NULL));
    }
    sleep_ms(round % 5);
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
    for (int index = 0; index < 2; index++) {
      pthread_join(readers[index], NULL);
    }
  }
  /* The runs go on: all end. */
  json_int_t total = 1;
  for (int round = 0; round < 1500 && total > 0; round++) {
    json_t *list = call(plane, "tasks.list", "{\"status\":\"executing\"}");
    total = integer_at(list, "total");
    json_decref(list);
    sleep_ms(20);
  }
  CHECK_INTEGER(0, total);
  free(args);
}

/* ---- Two queues, drains ------------------------------------------------------------------------------------------------ */

static void two_queues_do_not_mix(muster *plane, const char *agent) {
  enum { EACH = 40 };
  muster_queue *queues[2] = {open_queue(plane), open_queue(plane)};
  struct submitted runs[2][EACH];
  char *args = invocation(agent, "x", NULL, NULL);
  memset(runs, 0, sizeof runs);
  CHECK(queues[0] != queues[1] && muster_queue_fd(queues[0]) != muster_queue_fd(queues[1]));
  for (int index = 0; index < 2 * EACH; index++) {
    must_submit(plane, queues[index % 2], "agents.invoke_stream", args, &runs[index % 2][index / 2]);
  }
  /* The first is read to its end: nothing of the second comes with it. */
  for (int which = 0; which < 2; which++) {
    read_ends(queues[which], runs[which], EACH);
    check_nothing_waits(queues[which]);
    for (int index = 0; index < EACH; index++) {
      CHECK_INTEGER(which == 0 ? 0 : 1, runs[1][index].finals);
      CHECK_TEXT("cuxf", runs[which][index].letters);
    }
  }
  for (int index = 0; index < EACH; index++) {
    forget(&runs[0][index]);
    forget(&runs[1][index]);
  }
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queues[0]));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queues[1]));
  free(args);
}

/* Both ways to read a queue tell the same. */
static void drained_events_are_those_of_next(muster *plane) {
  enum { KINDS = 3 };
  static const char *const args[KINDS] = {"{\"per_page\":1}", "{\"agent_id\":\"nobody\"}", "{\"page\":0}"};
  static const char *const operations[KINDS] = {"agents.list", "agents.get", "agents.list"};
  muster_queue *queue = open_queue(plane);
  char *json = (char *)plane;
  size_t length = 9;
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_drain(queue, 0, 0, &json, &length, &error));
  CHECK(json == NULL && length == 0);
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_error_status(error));
  muster_error_free(error);
  double begin = seconds_now();
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_drain(queue, 200, 0, &json, NULL, NULL));
  CHECK(seconds_now() - begin >= 0.19);
  for (int kind = 0; kind < KINDS; kind++) {
    struct submitted next = {0};
    muster_ticket ticket = 0;
    must_submit(plane, queue, operations[kind], args[kind], &next);
    read_ends(queue, &next, 1);
    CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, operations[kind], args[kind], NULL, &ticket, NULL));
    CHECK_INTEGER(MUSTER_OK, muster_queue_drain(queue, PATIENCE_MS, 0, &json, &length, &error));
    CHECK(error == NULL && strlen(json) == length);
    json_t *events = parse(json), *event = json_array_get(events, 0), *failure = member(event, "error");
    CHECK_INTEGER(1, json_array_size(events));
    CHECK_INTEGER(ticket, integer_at(event, "ticket"));
    CHECK_TEXT("final", text_at(event, "kind"));
    CHECK_INTEGER(0, integer_at(event, "sequence"));
    CHECK(json_is_integer(member(event, "sequence")));
    CHECK_INTEGER(next.status, integer_at(event, "status"));
    CHECK(next.end != NULL ? json_equal(next.end, member(event, "json")) : json_is_null(member(event, "json")));
    CHECK((failure == NULL) == (next.status == MUSTER_OK));
    if (failure != NULL) {
      CHECK_TEXT(next.message, text_at(failure, "message"));
      CHECK_INTEGER(next.http_status, integer_at(failure, "http_status"));
      CHECK(json_is_false(member(failure, "retryable")));
      CHECK(json_equal(next.document, member(failure, "document")));
    }
    json_decref(events);
    forget(&next);
  }
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
}

/* max_bytes: at least one event, and no more of them than it takes. */
static void a_drain_takes_so_much(muster *plane, const char *agent) {
  enum { ALL = 30 };
  muster_queue *queue = open_queue(plane);
  char *json = NULL;
  size_t length = 0;
  int left = ALL, drains = 0;
  for (int index = 0; index < ALL; index++) {
    CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list", NULL, NULL, NULL, NULL));
  }
  sleep_ms(1000);
  CHECK_INTEGER(MUSTER_OK, muster_queue_drain(queue, PATIENCE_MS, 1, &json, &length, NULL));
  json_t *events = parse(json);
  CHECK_INTEGER(1, json_array_size(events));
  left -= (int)json_array_size(events);
  json_decref(events);
  size_t one = length;
  CHECK_INTEGER(MUSTER_OK, muster_queue_drain(queue, PATIENCE_MS, 3 * one, &json, &length, NULL));
  CHECK(length >= 2 * one && length <= 5 * one);
  events = parse(json);
  left -= (int)json_array_size(events);
  json_decref(events);
  while (left > 0 && drains++ < ALL && muster_queue_drain(queue, PATIENCE_MS, SIZE_MAX, &json, &length, NULL) == MUSTER_OK) {
    events = parse(json);
    left -= (int)json_array_size(events);
    json_decref(events);
  }
  CHECK_INTEGER(0, left);
  /* A text that was streamed is the same when it is drained. */
  char *args = invocation(agent, "drained", NULL, NULL), *text = calloc(1, 65536);
  muster_ticket ticket = 0;
  int is_over = 0;
  int64_t last = 0;
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.invoke_stream", args, NULL, &ticket, NULL));
  while (!is_over && CHECK_INTEGER(MUSTER_OK, muster_queue_drain(queue, PATIENCE_MS, 0, &json, NULL, NULL))) {
    json_t *event;
    size_t index;
    events = parse(json);
    json_array_foreach(events, index, event) {
      json_t *inner = member(event, "json");
      CHECK(!is_over);
      CHECK_INTEGER(ticket, integer_at(event, "ticket"));
      CHECK(integer_at(event, "sequence") >= last);
      last = integer_at(event, "sequence");
      is_over = strcmp(text_at(event, "kind"), "final") == 0;
      CHECK((member(event, "status") != NULL) == is_over);
      if (strcmp(text_at(inner, "type"), "chunk") == 0) {
        strcat(text, text_at(inner, "data"));
      }
      if (is_over) {
        CHECK_TEXT(text, text_at(member(inner, "data"), "result"));
      }
    }
    json_decref(events);
  }
  free(text);
  free(args);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "many.db"), *agent;
  muster *plane = open_store(path, "echo");
  a_thousand_streams(plane, argc > 2 ? atoi(argv[2]) : getenv("TEST_WITHOUT_FORKS") != NULL ? STREAMS / 10 : STREAMS);
  the_descriptor_tells_what_waits(plane);
  agent = create_agent(plane, "Echo", NULL);
  run_crowd(plane, agent, 0, NULL);
  run_crowd(plane, agent, 1, read_by_poll);
  run_crowd(plane, agent, 1, read_by_two_polls);
  run_crowd(plane, agent, 1, read_by_drains);
  closing_queues_under_way(plane, agent);
  two_queues_do_not_mix(plane, agent);
  drained_events_are_those_of_next(plane);
  a_drain_takes_so_much(plane, agent);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
  free(path);
  return check_finish("many");
}
