/* Processes: a fork knows its inherited handles, a killed process loses nothing that was acknowledged, and a process
 * may end with a call under way. argv[1]: an empty folder. Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>

#include "child.h"

static void a_forked_handle_is_refused(const char *path) {
  muster *plane = open_store(path, "echo");
  pid_t child;
  free(create_agent(plane, "Parent", NULL));
  child = fork();
  if (child == 0) {
    alarm(20);
    check_failed_count = 0;
    CHECK_INTEGER(MUSTER_E_FORKED, muster_agents_list(plane, 0, 0, NULL, NULL, NULL));
    CHECK_INTEGER(MUSTER_E_FORKED, muster_agent_create(plane, "{\"name\":\"Child\"}", NULL, NULL, NULL));
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
    /* A plane of its own on the same file works. */
    muster *own = open_store(path, "echo");
    free(create_agent(own, "Child", NULL));
    CHECK_INTEGER(MUSTER_OK, muster_close(own));
    _exit(check_failed_count == 0 ? 0 : 1);
  }
  CHECK_INTEGER(0, exit_code(child));
  free(create_agent(plane, "Parent again", NULL));
  json_t *list = call(plane, "agents.list", NULL);
  CHECK_INTEGER(3, integer_at(list, "total"));
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  /* What the child wrote while the parent held its connection is still there after both have closed. */
  plane = open_store(path, "echo");
  list = call(plane, "agents.list", NULL);
  CHECK_INTEGER(3, integer_at(list, "total"));
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

/* Processes that have one store open write in turn: what one commits does not stand in the way of the other. */
static void two_processes_write_in_turn(const char *path) {
  int to_child[2], to_parent[2];
  char byte;
  CHECK_INTEGER(MUSTER_OK, muster_close(open_store(path, "echo")));
  CHECK_INTEGER(0, pipe(to_child));
  CHECK_INTEGER(0, pipe(to_parent));
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    check_failed_count = 0;
    close(to_child[1]);
    muster *plane = open_store(path, "echo");
    for (int round = 0; round < 20 && read(to_child[0], &byte, 1) == 1; round++) {
      free(create_agent(plane, "Child", NULL));
      /* Half of the time with a fresh plane, which leaves the file when it is closed. */
      if (round % 2 == 1) {
        CHECK_INTEGER(MUSTER_OK, muster_close(plane));
        plane = open_store(path, "echo");
      }
      CHECK_INTEGER(1, write(to_parent[1], "+", 1));
    }
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
    _exit(check_failed_count == 0 ? 0 : 1);
  }
  muster *plane = open_store(path, "echo");
  for (int round = 0; round < 20; round++) {
    CHECK_INTEGER(1, write(to_child[1], "+", 1));
    CHECK_INTEGER(1, read(to_parent[0], &byte, 1));
    muster_error *error = NULL;
    if (!CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, "{\"name\":\"Parent\"}", NULL, NULL, &error))) {
      report("create", error);
      muster_error_free(error);
      break;
    }
    json_t *list = call(plane, "agents.list", NULL);
    CHECK_INTEGER(2 * (round + 1), integer_at(list, "total"));
    json_decref(list);
  }
  close(to_child[1]);
  CHECK_INTEGER(0, exit_code(child));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  close(to_child[0]);
  close(to_parent[0]);
  close(to_parent[1]);
}

static void what_was_acknowledged_survives_a_kill(const char *path) {
  int ends[2];
  char byte;
  int created = 0;
  CHECK_INTEGER(0, pipe(ends));
  pid_t child = fork();
  if (child == 0) {
    muster *plane = open_store(path, "echo");
    for (;;) {
      free(create_agent(plane, "Acknowledged", NULL));
      if (write(ends[1], "+", 1) != 1) {
        _exit(1);
      }
    }
  }
  close(ends[1]);
  while (created < 50 && read(ends[0], &byte, 1) == 1) {
    created++;
  }
  kill(child, SIGKILL);
  while (read(ends[0], &byte, 1) == 1) {
    created++;
  }
  close(ends[0]);
  CHECK_INTEGER(1000 + SIGKILL, exit_code(child));
  muster *plane = open_store(path, "echo");
  json_t *list = call(plane, "agents.list", NULL);
  CHECK(integer_at(list, "total") >= created && integer_at(list, "total") <= created + 1);
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

static struct {
  muster *plane;
  const char *agent;
} hanging;

static void *hang(void *unused) {
  (void)unused;
  muster_status status = muster_agent_invoke(hanging.plane, hanging.agent, NULL,
                                             "{\"id\":\"left\",\"input\":{\"text\":\"x\"}}", 60000, NULL, NULL, NULL);
  (void)status;
  return NULL;
}

/* Ends a process while a call waits for its model: by exit() or by a kill. The next process finds the task ended. */
static void a_process_ends_with_a_call_under_way(const char *path, int killed) {
  int ends[2];
  char byte;
  CHECK_INTEGER(0, pipe(ends));
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    alarm(20);
    check_failed_count = 0;
    hanging.plane = open_store(path, "echo");
    hanging.agent = create_agent(hanging.plane, "Hang", "hang");
    pthread_create(&thread, NULL, hang, NULL);
    pthread_detach(thread);
    for (int round = 0; round < 200; round++) {
      sleep_ms(10);
      if (muster_task_get(hanging.plane, "left", NULL, NULL, NULL) == MUSTER_OK) {
        break;
      }
    }
    sleep_ms(100);
    if (write(ends[1], "+", 1) == 1 && killed) {
      sleep_ms(10000);
    }
    exit(check_failed_count == 0 ? 0 : 1);
  }
  close(ends[1]);
  CHECK_INTEGER(1, read(ends[0], &byte, 1));
  if (killed) {
    kill(child, SIGKILL);
  }
  CHECK_INTEGER(killed ? 1000 + SIGKILL : 0, exit_code(child));
  close(ends[0]);
  muster *plane = open_store(path, "echo");
  json_t *task = call(plane, "tasks.get", "{\"task_id\":\"left\"}");
  CHECK_TEXT("error", text_at(task, "status"));
  CHECK_TEXT("interrupted", text_at(task, "internal_status"));
  CHECK(text_at(task, "finished_at") != NULL);
  json_decref(task);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char *forked = path_in(folder, "forked.db"), *killed = path_in(folder, "killed.db");
  char *exited = path_in(folder, "exited.db"), *shot = path_in(folder, "shot.db");
  char *turns = path_in(folder, "turns.db");
  two_processes_write_in_turn(turns);
  a_forked_handle_is_refused(forked);
  what_was_acknowledged_survives_a_kill(killed);
  a_process_ends_with_a_call_under_way(exited, 0);
  a_process_ends_with_a_call_under_way(shot, 1);
  free(turns);
  free(forked);
  free(killed);
  free(exited);
  free(shot);
  return check_finish("life");
}
