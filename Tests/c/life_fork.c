/* Forks: no acknowledged commit is lost, no child hangs, and an inherited handle is refused by every function. argv[1]:
 * an empty folder; argv[2]: how many forks of busy threads (default 600). Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>

#include <muster_jansson.h>

#include "child.h"

enum { ROUNDS = 20, FORKS = 600, WRITERS = 4, CHILD_SECONDS = 20 };

static void say(int descriptor) { CHECK_INTEGER(1, write(descriptor, "+", 1)); }

static void hear(int descriptor) {
  char byte;
  CHECK_INTEGER(1, read(descriptor, &byte, 1));
}

static json_int_t total(muster *plane) {
  json_t *list = call(plane, "agents.list", NULL);
  json_int_t count = integer_at(list, "total");
  json_decref(list);
  return count;
}

/* The child opens its parent's file and writes; the parent closes; the child writes again and dies. */
static void the_parent_closes_what_the_child_has_open(const char *folder, int round) {
  char name[32];
  int to_child[2], to_parent[2];
  snprintf(name, sizeof name, "closes%d.db", round);
  char *path = path_in(folder, name);
  CHECK_INTEGER(0, pipe(to_child));
  CHECK_INTEGER(0, pipe(to_parent));
  muster *plane = open_store(path, "echo");
  free(create_agent(plane, "Parent", NULL));
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    muster *own = open_store(path, "echo");
    free(create_agent(own, "Child", NULL));
    say(to_parent[1]);
    hear(to_child[0]);
    for (int number = 0; number < 5; number++) {
      free(create_agent(own, "Child", NULL));
    }
    /* A killed process copies nothing from the log into the file. */
    if (check_failed_count == 0) {
      kill(getpid(), SIGKILL);
    }
    end_child();
  }
  hear(to_parent[0]);
  free(create_agent(plane, "Parent", NULL));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  say(to_child[1]);
  CHECK_INTEGER(1000 + SIGKILL, exit_code(child));
  plane = open_store(path, "echo");
  CHECK_INTEGER(8, total(plane));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  for (int end = 0; end < 2; end++) {
    close(to_child[end]);
    close(to_parent[end]);
  }
  free(path);
}

/* The same the other way round: the child, which never used the store, ends; then it closes one while the parent goes
 * on. */
static void the_child_closes_what_the_parent_has_open(const char *folder) {
  char *path = path_in(folder, "child_closes.db");
  muster *plane = open_store(path, "echo");
  for (int round = 0; round < ROUNDS; round++) {
    free(create_agent(plane, "Parent", NULL));
    pid_t child = fork();
    if (child == 0) {
      begin_child(CHILD_SECONDS);
      CHECK_INTEGER(MUSTER_OK, muster_close(plane));
      if (round % 2 == 1) {
        muster *own = open_store(path, "echo");
        CHECK_INTEGER(round + 1, total(own));
        CHECK_INTEGER(MUSTER_OK, muster_close(own));
      }
      end_child();
    }
    CHECK_INTEGER(0, exit_code(child));
  }
  /* Another process sees what the parent alone has written since. */
  free(create_agent(plane, "Parent", NULL));
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    muster *own = open_store(path, "echo");
    CHECK_INTEGER(ROUNDS + 1, total(own));
    CHECK_INTEGER(MUSTER_OK, muster_close(own));
    end_child();
  }
  CHECK_INTEGER(0, exit_code(child));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  plane = open_store(path, "echo");
  CHECK_INTEGER(ROUNDS + 1, total(plane));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
}

static struct {
  muster *plane;
  int stop;
  long written;
  char *agent;
} busy;

static int is_stopped(void) { return __atomic_load_n(&busy.stop, __ATOMIC_RELAXED); }

static void *write_and_read(void *unused) {
  (void)unused;
  while (!is_stopped()) {
    free(create_agent(busy.plane, "Busy", NULL));
    __atomic_fetch_add(&busy.written, 1, __ATOMIC_RELAXED);
    CHECK_INTEGER(MUSTER_OK, muster_agents_list(busy.plane, 0, 0, NULL, NULL, NULL));
  }
  return NULL;
}

static void *invoke(void *unused) {
  (void)unused;
  while (!is_stopped()) {
    CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(busy.plane, busy.agent, NULL, "{\"input\":{\"text\":\"x\"}}", 60000,
                                                 NULL, NULL, NULL));
  }
  return NULL;
}

static void *open_and_close(void *path) {
  while (!is_stopped()) {
    CHECK_INTEGER(MUSTER_OK, muster_close(open_store(path, "echo")));
  }
  return NULL;
}

/* Threads write, read, invoke, open and close without a pause while the process forks; every child opens another
 * store, and every tenth the same one. */
static void children_of_busy_threads(const char *folder, int forks) {
  pthread_t threads[WRITERS + 2];
  char *path = path_in(folder, "busy.db"), *other = path_in(folder, "other.db"), *third = path_in(folder, "third.db");
  int hung = 0, failed = 0;
  busy.plane = open_store(path, "echo");
  busy.agent = create_agent(busy.plane, "Busy", NULL);
  for (int number = 0; number < WRITERS; number++) {
    CHECK_INTEGER(0, pthread_create(&threads[number], NULL, write_and_read, NULL));
  }
  CHECK_INTEGER(0, pthread_create(&threads[WRITERS], NULL, invoke, NULL));
  CHECK_INTEGER(0, pthread_create(&threads[WRITERS + 1], NULL, open_and_close, third));
  for (int number = 0; number < forks; number++) {
    pid_t child = fork();
    if (child == 0) {
      begin_child(CHILD_SECONDS);
      int is_same = number % 10 == 9;
      muster *own = open_store(is_same ? path : number % 10 == 4 ? third : other, "echo");
      char *agent = create_agent(own, "Child", NULL);
      if (number % 10 == 0) {
        CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(own, agent, NULL, "{\"input\":{\"text\":\"x\"}}", 15000, NULL,
                                                     NULL, NULL));
      }
      CHECK_INTEGER(MUSTER_E_FORKED, muster_agents_list(busy.plane, 0, 0, NULL, NULL, NULL));
      CHECK_INTEGER(MUSTER_OK, muster_close(own));
      end_child();
    }
    int code = exit_code(child);
    hung += code == 1000 + SIGALRM;
    failed += code != 0 && code != 1000 + SIGALRM;
    if (number % 10 == 9) {
      __atomic_fetch_add(&busy.written, 1, __ATOMIC_RELAXED);
    }
  }
  CHECK_INTEGER(0, hung);
  CHECK_INTEGER(0, failed);
  __atomic_store_n(&busy.stop, 1, __ATOMIC_RELAXED);
  for (int number = 0; number < WRITERS + 2; number++) {
    pthread_join(threads[number], NULL);
  }
  CHECK_INTEGER(busy.written + 1, total(busy.plane));
  CHECK_INTEGER(MUSTER_OK, muster_close(busy.plane));
  free(busy.agent);
  free(path);
  free(other);
  free(third);
}

static void *create_one(void *plane) {
  free(create_agent(plane, "Waiting", NULL));
  return NULL;
}

/* While a thread waits for another writer's lock, a fork does not wait with it, and the child gets at the file. */
static void a_fork_does_not_wait_for_a_busy_store(const char *folder) {
  char *path = path_in(folder, "waiting.db");
  pthread_t thread;
  sqlite3 *holder = NULL;
  muster *plane = open_store(path, "echo");
  int ends[2];
  CHECK_INTEGER(0, pipe(ends));
  /* A process that does not know our turnstile holds SQLite's write lock. */
  pid_t holding = fork();
  if (holding == 0) {
    begin_child(CHILD_SECONDS);
    CHECK_INTEGER(SQLITE_OK, sqlite3_open(path, &holder));
    CHECK_INTEGER(SQLITE_OK, sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    say(ends[1]);
    sleep_ms(1500);
    CHECK_INTEGER(SQLITE_OK, sqlite3_exec(holder, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_close(holder);
    end_child();
  }
  hear(ends[0]);
  CHECK_INTEGER(0, pthread_create(&thread, NULL, create_one, plane));
  sleep_ms(300);
  double began = seconds_now();
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    muster *own = open_store(path, "echo");
    free(create_agent(own, "Child", NULL));
    CHECK_INTEGER(MUSTER_OK, muster_close(own));
    end_child();
  }
  CHECK(seconds_now() - began < 0.5);
  CHECK_INTEGER(0, exit_code(child));
  CHECK_INTEGER(0, exit_code(holding));
  pthread_join(thread, NULL);
  CHECK_INTEGER(2, total(plane));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  close(ends[0]);
  close(ends[1]);
  free(path);
}

/* A child that lives on without using the library does not make its dead parent look alive. */
static void a_child_does_not_keep_its_parent_alive(const char *folder) {
  char *path = path_in(folder, "alive.db");
  int ends[2];
  char byte;
  CHECK_INTEGER(0, pipe(ends));
  pid_t parent = fork();
  if (parent == 0) {
    begin_child(CHILD_SECONDS);
    busy.stop = 0;
    busy.plane = open_store(path, "echo");
    char *agent = create_agent(busy.plane, "Hang", "hang");
    pthread_t thread;
    busy.agent = agent;
    pthread_create(&thread, NULL, invoke, NULL);
    for (int round = 0; round < 1000; round++) {
      json_t *list = call(busy.plane, "tasks.list", "{\"status\":\"executing\"}");
      int is_running = integer_at(list, "total") == 1;
      json_decref(list);
      if (is_running) {
        break;
      }
      sleep_ms(5);
    }
    if (fork() == 0) {
      close(ends[1]);
      sleep_ms(5000);
      _exit(0);
    }
    kill(getpid(), SIGKILL);
  }
  close(ends[1]);
  CHECK_INTEGER(0, read(ends[0], &byte, 1));
  CHECK_INTEGER(1000 + SIGKILL, exit_code(parent));
  close(ends[0]);
  muster *plane = open_store(path, "echo");
  json_t *list = call(plane, "tasks.list", "{\"status\":\"executing\"}");
  CHECK_INTEGER(0, integer_at(list, "total"));
  json_decref(list);
  list = call(plane, "tasks.list", "{\"status\":\"error\"}");
  CHECK_INTEGER(1, integer_at(list, "total"));
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
}

/* The library is loaded, but nothing was opened before the fork. */
static void a_fork_before_use(const char *folder) {
  char *path = path_in(folder, "before.db");
  pid_t child = fork();
  if (child == 0) {
    begin_child(CHILD_SECONDS);
    muster *own = open_store(path, "echo");
    char *agent = create_agent(own, "Child", NULL);
    CHECK_INTEGER(MUSTER_OK,
                  muster_agent_invoke(own, agent, NULL, "{\"input\":{\"text\":\"x\"}}", 15000, NULL, NULL, NULL));
    CHECK_INTEGER(MUSTER_OK, muster_close(own));
    end_child();
  }
  CHECK_INTEGER(0, exit_code(child));
  free(path);
}

static void call_tool(void *user_data, const char *call_id, const char *call_json) {
  (void)user_data, (void)call_id, (void)call_json;
}

static void release_tool(void *user_data) { ++*(int *)user_data; }

#define FORKED(call) CHECK_INTEGER(MUSTER_E_FORKED, call)

static void every_function_refuses_an_inherited_handle(const char *folder) {
  char *path = path_in(folder, "refuses.db");
  muster *plane = open_store(path, "echo");
  muster_ticket ticket = muster_ticket_new(plane);
  CHECK(ticket != 0);
  pid_t child = fork();
  if (child == 0) {
    const char *id = "x";
    muster_error *error = NULL;
    int released = 0;
    begin_child(CHILD_SECONDS);
    CHECK_INTEGER(0, muster_ticket_new(plane));
    FORKED(muster_cancel(plane, ticket));
    FORKED(muster_call(plane, "agents.list", NULL, 0, NULL, NULL, &error));
    FORKED(muster_error_status(error));
    CHECK(strstr(muster_error_message(error), "forked") != NULL);
    muster_error_free(error);
    FORKED(muster_call_j(plane, "agents.list", NULL, 0, NULL, NULL));
    FORKED(muster_agents_list(plane, 0, 0, NULL, NULL, NULL));
    FORKED(muster_agents_list_full(plane, 0, 0, NULL, NULL, NULL));
    FORKED(muster_agent_get(plane, id, NULL, NULL, NULL));
    FORKED(muster_agent_create(plane, "{\"name\":\"x\"}", NULL, NULL, NULL));
    FORKED(muster_agent_update(plane, id, "{}", false, NULL, NULL, NULL));
    FORKED(muster_agent_deploy(plane, id, NULL, NULL, NULL));
    FORKED(muster_agent_delete(plane, id, NULL));
    FORKED(muster_agent_invoke(plane, id, NULL, "{}", 0, NULL, NULL, NULL));
    FORKED(muster_tasks_list(plane, NULL, 0, 0, NULL, NULL, NULL));
    FORKED(muster_task_get(plane, id, NULL, NULL, NULL));
    FORKED(muster_task_stop(plane, id, NULL, NULL, NULL));
    FORKED(muster_task_thread(plane, id, NULL, NULL, NULL));
    FORKED(muster_task_delete(plane, id, NULL));
    FORKED(muster_tool_register(plane, "{\"name\":\"x\"}", call_tool, &released, release_tool, NULL));
    CHECK_INTEGER(1, released);
    FORKED(muster_tool_register_queue(plane, "{\"name\":\"x\"}", NULL, NULL));
    FORKED(muster_tool_unregister(plane, "x", NULL));
    FORKED(muster_tool_reply(plane, "x", "1", false, NULL));
    CHECK(muster_tool_cancelled(plane, "x"));
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
    end_child();
  }
  CHECK_INTEGER(0, exit_code(child));
  CHECK_INTEGER(0, total(plane));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  a_fork_before_use(folder);
  for (int round = 0; round < ROUNDS; round++) {
    the_parent_closes_what_the_child_has_open(folder, round);
  }
  the_child_closes_what_the_parent_has_open(folder);
  every_function_refuses_an_inherited_handle(folder);
  a_child_does_not_keep_its_parent_alive(folder);
  a_fork_does_not_wait_for_a_busy_store(folder);
  children_of_busy_threads(folder, argc > 2 ? atoi(argv[2]) : FORKS);
  return check_finish("life_fork");
}
