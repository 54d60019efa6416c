/* The life of a process with streams: forks before, while and after they come, kills, and 100 times open, stream and
 * close. argv[1]: an empty folder; argv[2]: how many forks of a streaming process (default 100). Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <poll.h>
#include <signal.h>

#include <muster_jansson.h>

#include "child.h"
#include "queue.h"

enum { FORKS = 100, CHILD_SECONDS = 30, STREAMS = 8, CYCLES = 100, KILLS = 10 };

static int entries(const char *folder) {
  DIR *directory = opendir(folder);
  int count = 0;
  if (CHECK(directory != NULL)) {
    while (readdir(directory) != NULL) {
      count++;
    }
    closedir(directory);
  }
  return count;
}

static json_int_t executing(muster *plane) {
  json_t *list = call(plane, "tasks.list", "{\"status\":\"executing\"}");
  json_int_t total = integer_at(list, "total");
  json_decref(list);
  return total;
}

/* A plane, a queue, one stream from its beginning to its end. */
static void stream_once(const char *path) {
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  char *agent = create_agent(plane, "Once", NULL);
  struct submitted run = {0};
  submit_invoke(plane, queue, "agents.invoke_stream", agent, "hello", NULL, &run);
  read_ends(queue, &run, 1);
  CHECK_TEXT("cuxf", run.letters);
  CHECK_TEXT("echo: hello", run.text);
  forget(&run);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
}

/* ---- Forks ------------------------------------------------------------------------------------------------------------ */

static void a_fork_before_use(const char *folder) {
  char *path = path_in(folder, "before.db");
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    stream_once(path);
    end_child();
  }
  CHECK_INTEGER(0, exit_code(child));
  stream_once(path);
  free(path);
}

#define FORKED(call) CHECK_INTEGER(MUSTER_E_FORKED, call)

/* Every function refuses what is the parent's; none waits, and none takes an event away. */
static void refuse_inherited(muster *plane, muster_queue *queue) {
  muster_event event = MUSTER_EVENT_INIT;
  muster_queue *opened = NULL;
  muster_error *error = NULL;
  char *json = NULL;
  double begin = seconds_now();
  FORKED(muster_queue_next(queue, -1, &event));
  FORKED(muster_queue_next(queue, 0, &event));
  FORKED(muster_queue_drain(queue, -1, 0, &json, NULL, &error));
  FORKED(muster_error_status(error));
  muster_error_free(error);
  CHECK_INTEGER(-1, muster_queue_fd(queue));
  FORKED(muster_queue_open(plane, &opened, NULL));
  FORKED(muster_submit(plane, queue, "agents.list", NULL, NULL, NULL, NULL));
  FORKED(muster_agent_invoke_stream(plane, queue, "x", NULL, "{}", NULL, NULL, NULL));
  FORKED(muster_agent_invoke_async(plane, "x", NULL, "{}", NULL, NULL, NULL));
  FORKED(muster_http_submit(plane, queue, "GET", "/health", NULL, NULL, 0, NULL, NULL, NULL));
  muster_event_clear(&event);
  CHECK(muster_event_json(&event) == NULL && json == NULL && opened == NULL);
  CHECK(seconds_now() - begin < 10);
}

static struct {
  muster *plane;
  muster_queue *queue;
  char *agent;
  int stop, ended, bad;
} streaming;

/* Streams without a pause, several at once. */
static void *stream_on(void *unused) {
  enum { AT_ONCE = 6 };
  struct submitted runs[AT_ONCE];
  int open_runs = 0;
  (void)unused;
  memset(runs, 0, sizeof runs);
  for (int index = 0; index < AT_ONCE; index++) {
    submit_invoke(streaming.plane, streaming.queue, "agents.invoke_stream", streaming.agent, "x", NULL, &runs[index]);
    open_runs++;
  }
  while (open_runs > 0) {
    muster_event event = MUSTER_EVENT_INIT;
    if (!CHECK_INTEGER(MUSTER_OK, muster_queue_next(streaming.queue, PATIENCE_MS, &event))) {
      break;
    }
    struct submitted *run = event.user_data;
    take(run, &event);
    muster_event_clear(&event);
    if (run->finals > 0) {
      streaming.bad += !CHECK_TEXT("cuxf", run->letters) || !CHECK_TEXT("answered after 5 ms", run->text);
      __atomic_fetch_add(&streaming.ended, 1, __ATOMIC_RELAXED);
      forget(run);
      open_runs--;
      if (!__atomic_load_n(&streaming.stop, __ATOMIC_RELAXED)) {
        submit_invoke(streaming.plane, streaming.queue, "agents.invoke_stream", streaming.agent, "x", NULL, run);
        open_runs++;
      }
    }
  }
  return NULL;
}

static void children_of_a_streaming_process(const char *folder, int forks) {
  char *path = path_in(folder, "streaming.db"), *other = path_in(folder, "child.db");
  pthread_t thread;
  int hung = 0, failed = 0;
  streaming.plane = open_store(path, "slow:5");
  streaming.queue = open_queue(streaming.plane);
  streaming.agent = create_agent(streaming.plane, "Streams", NULL);
  CHECK(muster_queue_fd(streaming.queue) >= 0);
  CHECK_INTEGER(0, pthread_create(&thread, NULL, stream_on, NULL));
  for (int number = 0; number < forks; number++) {
    sleep_ms(number % 7);
    pid_t child = fork();
    if (child == 0) {
      begin_child(CHILD_SECONDS);
      if (number % 2 == 0) {
        refuse_inherited(streaming.plane, streaming.queue);
        CHECK_INTEGER(MUSTER_OK, muster_queue_close(streaming.queue));
        CHECK_INTEGER(MUSTER_OK, muster_close(streaming.plane));
      }
      if (number % 5 == 0) {
        stream_once(number % 10 == 0 ? path : other);
      }
      /* Half of them end as programs do, with exit handlers. */
      if (number % 4 < 2) {
        exit(check_failed_count == 0 ? 0 : 1);
      }
      end_child();
    }
    int code = exit_code(child);
    hung += code == 1000 + SIGALRM;
    failed += code != 0 && code != 1000 + SIGALRM;
  }
  __atomic_store_n(&streaming.stop, 1, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
  printf("%d streams ended beside %d forks\n", streaming.ended, forks);
  CHECK_INTEGER(0, hung);
  CHECK_INTEGER(0, failed);
  CHECK_INTEGER(0, streaming.bad);
  CHECK(streaming.ended >= 6);
  check_nothing_waits(streaming.queue);
  CHECK_INTEGER(0, executing(streaming.plane));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(streaming.queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(streaming.plane));
  free(streaming.agent);
  free(path);
  free(other);
}

/* A child that closes what it inherited leaves the parent's descriptor and events alone; and with a queue of its own the
 * old handles are still the parent's. */
static void a_child_leaves_the_queue_of_its_parent(const char *folder) {
  char *path = path_in(folder, "leaves.db"), *other = path_in(folder, "own.db");
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  struct submitted one = {0}, two = {0};
  struct pollfd waiting = {muster_queue_fd(queue), POLLIN, 0};
  must_submit(plane, queue, "agents.list", NULL, &one);
  sleep_ms(300);
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
    muster *own = open_store(other, "echo");
    muster_queue *mine = open_queue(own);
    FORKED(muster_submit(own, queue, "agents.list", NULL, NULL, NULL, NULL));
    FORKED(muster_submit(plane, mine, "agents.list", NULL, NULL, NULL, NULL));
    FORKED(muster_queue_next(queue, -1, &(muster_event)MUSTER_EVENT_INIT));
    must_submit(own, mine, "agents.list", NULL, &two);
    read_ends(mine, &two, 1);
    CHECK_INTEGER(MUSTER_OK, muster_close(own));
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(mine));
    end_child();
  }
  CHECK_INTEGER(0, exit_code(child));
  CHECK_INTEGER(1, poll(&waiting, 1, 1000));
  read_ends(queue, &one, 1);
  CHECK_INTEGER(0, poll(&waiting, 1, 0));
  must_submit(plane, queue, "agents.list", NULL, &two);
  CHECK_INTEGER(1, poll(&waiting, 1, 10000));
  read_ends(queue, &two, 1);
  check_nothing_waits(queue);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    stream_once(path);
    end_child();
  }
  CHECK_INTEGER(0, exit_code(child));
  forget(&one);
  forget(&two);
  free(path);
  free(other);
}

/* ---- Kills ------------------------------------------------------------------------------------------------------------ */

/* Runs of every form, at work and in line, in a process that is shot: after the next open, no task runs; those that had not ended
 * wait, and are gone on with when the host says so. */
static void a_killed_process_loses_no_run(const char *folder, int round) {
  int ends[2];
  char byte, name[32];
  snprintf(name, sizeof name, "killed%d.db", round);
  char *path = path_in(folder, name);
  CHECK_INTEGER(0, pipe(ends));
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    struct submitted runs[STREAMS + 2];
    memset(runs, 0, sizeof runs);
    muster *plane = open_store(path, round % 2 == 0 ? "stall:2" : "slow:20");
    muster_queue *queue = open_queue(plane);
    char *agent = create_agent(plane, "Shot", NULL);
    for (int index = 0; index < STREAMS; index++) {
      submit_invoke(plane, queue, index % 3 == 2 ? "agents.invoke" : "agents.invoke_stream", agent, "one two three", NULL,
                    &runs[index]);
    }
    CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_async(plane, agent, NULL, "{\"id\":\"line\",\"input\":{\"text\":\"a b\"}}", NULL,
                                                       NULL, NULL));
    char *args = invocation(agent, "behind it", "line", NULL);
    must_submit(plane, queue, "agents.invoke_stream", args, &runs[STREAMS]);
    must_submit(plane, queue, "tasks.events", "{\"task_id\":\"line\"}", &runs[STREAMS + 1]);
    free(args);
    read_chunks(queue, &runs[0], 1);
    if (check_failed_count == 0 && write(ends[1], "+", 1) == 1) {
      for (;;) {
        (void)(read_one(queue, 1000) == MUSTER_OK);
      }
    }
    end_child();
  }
  close(ends[1]);
  CHECK_INTEGER(1, read(ends[0], &byte, 1));
  sleep_ms(round * 13);
  kill(child, SIGKILL);
  CHECK_INTEGER(1000 + SIGKILL, exit_code(child));
  close(ends[0]);
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  CHECK_INTEGER(0, executing(plane));
  json_t *list = call(plane, "tasks.list", "{\"per_page\":50}");
  CHECK(integer_at(list, "total") >= 1);
  CHECK_INTEGER(MUSTER_OK, muster_resume(plane, NULL));
  size_t index;
  json_t *item;
  json_array_foreach(member(list, "items"), index, item) {
    struct submitted follower = {0};
    char args[128];
    const char *status = text_at(item, "status");
    CHECK(strcmp(status, "completed") == 0 || strcmp(status, "pending") == 0);
    /* Who follows it hears of the end, and does not wait for ever. */
    snprintf(args, sizeof args, "{\"task_id\":\"%s\"}", text_at(item, "id"));
    must_submit(plane, queue, "tasks.events", args, &follower);
    if (round % 2 == 0 && strcmp(status, "pending") == 0) {
      /* Its model says the same again, and then nothing more. */
      read_chunks(queue, &follower, 1);
      json_decref(call(plane, "tasks.stop", args));
      read_ends(queue, &follower, 1);
      check_ended(&follower, "stopped");
    } else {
      read_ends(queue, &follower, 1);
      check_ended(&follower, "completed");
    }
    CHECK_INTEGER(MUSTER_OK, follower.status);
    forget(&follower);
  }
  json_decref(list);
  /* The thread goes on with its next turn. */
  list = call(plane, "agents.list", NULL);
  struct submitted next = {0};
  char *args = invocation(text_at(json_array_get(member(list, "items"), 0), "id"), "on", "line",
                          "{\"body\":{\"id\":\"line\",\"llm_model_name\":\"echo\",\"input\":{\"text\":\"on\"}}}");
  must_submit(plane, queue, "agents.invoke_stream", args, &next);
  read_ends(queue, &next, 1);
  check_ended(&next, "completed");
  forget(&next);
  free(args);
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
}

/* Whoever follows a run of another process that is shot is told the end, by whoever goes on with it. */
static void a_follower_survives_the_death_of_the_runner(const char *folder) {
  char *path = path_in(folder, "widow.db");
  int ends[2];
  struct submitted follower = {0};
  char task[64] = "";
  CHECK_INTEGER(MUSTER_OK, muster_close(open_store(path, "echo")));
  CHECK_INTEGER(0, pipe(ends));
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    muster *plane = open_store(path, "slow:300");
    muster_queue *queue = open_queue(plane);
    char *agent = create_agent(plane, "Dies", NULL);
    struct submitted run = {0};
    submit_invoke(plane, queue, "agents.invoke_stream", agent, "one two three", NULL, &run);
    read_chunks(queue, &run, 1);
    if (write(ends[1], run.task, sizeof task) == sizeof task) {
      sleep_ms(CHILD_SECONDS * 1000);
    }
    end_child();
  }
  close(ends[1]);
  CHECK_INTEGER(sizeof task, read(ends[0], task, sizeof task));
  close(ends[0]);
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane);
  char args[128];
  snprintf(args, sizeof args, "{\"task_id\":\"%s\"}", task);
  must_submit(plane, queue, "tasks.events", args, &follower);
  CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS));
  kill(child, SIGKILL);
  CHECK_INTEGER(1000 + SIGKILL, exit_code(child));
  for (int round = 0; round < 100 && follower.finals == 0; round++) {
    (void)(read_one(queue, 100) == MUSTER_OK);
    /* Another process opens the store, and goes on with what the dead one left. */
    if (round == 20) {
      pid_t other = fork();
      if (other == 0) {
        begin_child(CHILD_SECONDS);
        muster *next = open_store(path, "echo");
        CHECK_INTEGER(MUSTER_OK, muster_resume(next, NULL));
        for (int wait = 0; wait < 500; wait++) {
          json_t *now = call(next, "tasks.get", args);
          bool has_ended = strcmp(text_at(now, "status"), "completed") == 0;
          json_decref(now);
          if (has_ended) break;
          sleep_ms(20);
        }
        CHECK_INTEGER(MUSTER_OK, muster_close(next));
        end_child();
      }
      CHECK_INTEGER(0, exit_code(other));
    }
  }
  CHECK_INTEGER(1, follower.finals);
  if (follower.finals == 1) {
    CHECK_INTEGER(MUSTER_OK, follower.status);
    check_ended(&follower, "completed");
  }
  forget(&follower);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
}

/* ---- Cycles ----------------------------------------------------------------------------------------------------------- */

/* Open, stream and close, with what is open left open: streams at work, events unread, followers, and the queue closed
 * before or after the plane. */
static void cycle(const char *path, int number) {
  struct submitted runs[4];
  memset(runs, 0, sizeof runs);
  muster *plane = open_store(path, "echo");
  muster_queue *queue = open_queue(plane), *unread = open_queue(plane);
  char *agent = create_agent(plane, "Cycle", NULL), *stalled = create_agent(plane, "Stall", "stall:1");
  CHECK(muster_queue_fd(queue) >= 0 && muster_queue_fd(unread) >= 0);
  submit_invoke(plane, queue, "agents.invoke_stream", agent, "x", NULL, &runs[0]);
  submit_invoke(plane, queue, "agents.invoke_stream", stalled, "x y", NULL, &runs[1]);
  submit_invoke(plane, unread, "agents.invoke_stream", agent, "x", NULL, &runs[2]);
  read_ends(queue, &runs[0], 1);
  check_ended(&runs[0], "completed");
  read_chunks(queue, &runs[1], 1);
  if (number % 2 == 0) {
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  } else {
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
    read_ends(queue, &runs[1], 1);
    CHECK_INTEGER(MUSTER_E_CLOSED, runs[1].status);
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  }
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(unread));
  for (int index = 0; index < 4; index++) {
    forget(&runs[index]);
  }
  free(agent);
  free(stalled);
}

static void cycles_leave_nothing(const char *folder) {
  char *path = path_in(folder, "cycles.db");
  for (int number = 0; number < 3; number++) {
    cycle(path, number);
  }
  int descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  for (int number = 0; number < CYCLES; number++) {
    cycle(path, number);
  }
  CHECK_INTEGER(descriptors, entries("/proc/self/fd"));
  CHECK_INTEGER(threads, entries("/proc/self/task"));
  free(path);
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  a_fork_before_use(folder);
  for (int round = 0; round < KILLS; round++) {
    a_killed_process_loses_no_run(folder, round);
  }
  a_follower_survives_the_death_of_the_runner(folder);
  a_child_leaves_the_queue_of_its_parent(folder);
  children_of_a_streaming_process(folder, argc > 2 ? atoi(argv[2]) : FORKS);
  cycles_leave_nothing(folder);
  return check_finish("life_streams");
}
