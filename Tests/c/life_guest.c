/* A guest leaves its host as it was: signal masks and dispositions, threads, descriptors; over https. argv[1]: an empty
 * folder. Needs the mock over https: MODEL_BASE, and CURL_CA_BUNDLE with its certificate. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <signal.h>

#include "plane.h"

enum { THREADS = 64, CALLS = 5, CYCLES = 100 };

static muster *shared;
static char *agent;

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

/* The lines of /proc/self/status about signals, but for what is pending. */
static void signals(char *text, size_t size) {
  char line[256];
  FILE *file = fopen("/proc/thread-self/status", "r");
  text[0] = 0;
  if (!CHECK(file != NULL)) {
    return;
  }
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0 || strncmp(line, "SigCgt", 6) == 0) {
      strncat(text, line, size - strlen(text) - 1);
    }
  }
  fclose(file);
}

static int invoke(muster *plane, const char *id, const char *body) {
  char *text = NULL;
  muster_error *error = NULL;
  int good = CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, id, NULL, body, 120000, &text, NULL, &error));
  if (good) {
    json_t *task = parse(text);
    good = CHECK_TEXT("completed", text_at(task, "status"));
    json_decref(task);
  } else {
    report("invoke", error);
  }
  muster_error_free(error);
  return good;
}

static void cycle(const char *path) {
  muster *plane = open_store(path, "echo");
  char *id = create_agent(plane, "Cycle", NULL);
  invoke(plane, id, "{\"input\":{\"text\":\"x\"}}");
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(id);
}

static void on_signal(int number) { (void)number; }

static void signals_are_as_they_were(const char *path) {
  char before[512], during[512], after[512];
  sigset_t mask;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGHUP, SIG_IGN);
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &mask, NULL);
  signals(before, sizeof before);
  CHECK(strstr(before, "SigCgt") != NULL);
  shared = open_store(path, "echo");
  agent = create_agent(shared, "Signals", NULL);
  invoke(shared, agent, "{\"input\":{\"text\":\"x\"}}");
  signals(during, sizeof during);
  CHECK_TEXT(before, during);
  CHECK_INTEGER(MUSTER_OK, muster_close(shared));
  signals(after, sizeof after);
  CHECK_TEXT(before, after);
  free(agent);
  pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

static void cycles_leave_nothing(const char *path) {
  int descriptors, threads;
  cycle(path);
  descriptors = entries("/proc/self/fd");
  threads = entries("/proc/self/task");
  for (int number = 0; number < CYCLES; number++) {
    cycle(path);
  }
  CHECK_INTEGER(descriptors, entries("/proc/self/fd"));
  CHECK_INTEGER(threads, entries("/proc/self/task"));
}

static void *work(void *number) {
  char text[32], body[128], answer[64];
  snprintf(text, sizeof text, "thread %d", (int)(intptr_t)number);
  snprintf(body, sizeof body, "{\"input\":{\"text\":\"%s\"}}", text);
  snprintf(answer, sizeof answer, "echo: %s", text);
  for (int index = 0; index < CALLS; index++) {
    char *json = NULL;
    muster_error *error = NULL;
    if (CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(shared, agent, NULL, body, 120000, &json, NULL, &error))) {
      json_t *task = parse(json);
      CHECK_TEXT(answer, text_at(task, "result"));
      json_decref(task);
    } else {
      report("invoke", error);
    }
    muster_error_free(error);
  }
  return NULL;
}

static void many_threads_at_once(const char *path) {
  pthread_t threads[THREADS];
  shared = open_store(path, "echo");
  agent = create_agent(shared, "Many", NULL);
  for (int number = 0; number < THREADS; number++) {
    CHECK_INTEGER(0, pthread_create(&threads[number], NULL, work, (void *)(intptr_t)number));
  }
  for (int number = 0; number < THREADS; number++) {
    pthread_join(threads[number], NULL);
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(shared));
  free(agent);
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char *quiet = path_in(folder, "signals.db"), *cycles = path_in(folder, "cycles.db");
  char *many = path_in(folder, "many.db");
  signals_are_as_they_were(quiet);
  cycles_leave_nothing(cycles);
  many_threads_at_once(many);
  free(quiet);
  free(cycles);
  free(many);
  return check_finish("life_guest");
}
