/* Many threads at once on one plane, and many planes one after another. argv[1]: an empty folder. Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>

#include "plane.h"

enum { THREADS = 64, AGENTS = 3, CYCLES = 100 };

static muster *shared;
static pthread_barrier_t barrier;

static void *work(void *number) {
  char name[32], answer[64], body[128];
  char *agents[AGENTS];
  snprintf(name, sizeof name, "thread %d", (int)(intptr_t)number);
  snprintf(answer, sizeof answer, "echo: %s", name);
  snprintf(body, sizeof body, "{\"input\":{\"text\":\"%s\"}}", name);
  pthread_barrier_wait(&barrier);
  for (int index = 0; index < AGENTS; index++) {
    char *text = NULL;
    json_t *value;
    agents[index] = create_agent(shared, name, NULL);
    CHECK_INTEGER(MUSTER_OK, muster_agents_list(shared, 0, 0, NULL, NULL, NULL));
    CHECK_INTEGER(MUSTER_OK, muster_agent_get(shared, agents[index], &text, NULL, NULL));
    value = parse(text);
    CHECK_TEXT(name, text_at(value, "name"));
    json_decref(value);
    text = NULL;
    muster_error *error = NULL;
    if (CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(shared, agents[index], NULL, body, 120000, &text, NULL, &error))) {
      value = parse(text);
      CHECK_TEXT("completed", text_at(value, "status"));
      CHECK_TEXT(answer, text_at(value, "result"));
      json_decref(value);
    } else {
      report("invoke", error);
    }
    muster_error_free(error);
  }
  for (int index = 0; index < AGENTS; index++) {
    free(agents[index]);
  }
  return NULL;
}

static void many_threads_on_one_plane(const char *path) {
  pthread_t threads[THREADS];
  json_t *list;
  shared = open_store(path, "echo");
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int number = 0; number < THREADS; number++) {
    CHECK_INTEGER(0, pthread_create(&threads[number], NULL, work, (void *)(intptr_t)number));
  }
  for (int number = 0; number < THREADS; number++) {
    pthread_join(threads[number], NULL);
  }
  pthread_barrier_destroy(&barrier);
  list = call(shared, "agents.list", NULL);
  CHECK_INTEGER(THREADS * AGENTS, integer_at(list, "total"));
  json_decref(list);
  list = call(shared, "tasks.list", "{\"status\":\"completed\"}");
  CHECK_INTEGER(THREADS * AGENTS, integer_at(list, "total"));
  json_decref(list);
  CHECK_INTEGER(MUSTER_OK, muster_close(shared));
}

/* All threads send turns of one thread: they run one after another and none is lost. */
static void *turn(void *agent) {
  pthread_barrier_wait(&barrier);
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(shared, agent, NULL, "{\"id\":\"one\",\"input\":{\"text\":\"turn\"}}",
                                               120000, NULL, NULL, NULL));
  return NULL;
}

static void turns_of_one_thread_queue(const char *path) {
  enum { TURNS = 8 };
  pthread_t threads[TURNS];
  json_t *thread, *message;
  size_t index;
  char *agent;
  shared = open_store(path, "echo");
  agent = create_agent(shared, "Queue", NULL);
  pthread_barrier_init(&barrier, NULL, TURNS);
  for (int number = 0; number < TURNS; number++) {
    CHECK_INTEGER(0, pthread_create(&threads[number], NULL, turn, agent));
  }
  for (int number = 0; number < TURNS; number++) {
    pthread_join(threads[number], NULL);
  }
  pthread_barrier_destroy(&barrier);
  thread = call(shared, "tasks.thread", "{\"task_id\":\"one\"}");
  CHECK_INTEGER(2 * TURNS, json_array_size(thread));
  json_array_foreach(thread, index, message) {
    CHECK_TEXT(index % 2 == 0 ? "user" : "assistant", text_at(message, "role"));
  }
  json_decref(thread);
  free(agent);
  CHECK_INTEGER(MUSTER_OK, muster_close(shared));
}

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

static void cycle(const char *path) {
  muster *plane = open_store(path, "echo");
  char *agent = create_agent(plane, "Cycle", NULL);
  CHECK_INTEGER(MUSTER_OK,
                muster_agent_invoke(plane, agent, NULL, "{\"input\":{\"text\":\"x\"}}", 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
}

static void open_and_close_leaves_nothing(const char *path) {
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

static void *open_and_close(void *path) {
  pthread_barrier_wait(&barrier);
  for (int number = 0; number < 10; number++) {
    cycle(path);
  }
  return NULL;
}

/* Planes of one process share the store; opening and closing them at once is safe. */
static void threads_with_planes_of_their_own(char *path) {
  pthread_t threads[8];
  int descriptors = entries("/proc/self/fd");
  pthread_barrier_init(&barrier, NULL, 8);
  for (int number = 0; number < 8; number++) {
    CHECK_INTEGER(0, pthread_create(&threads[number], NULL, open_and_close, path));
  }
  for (int number = 0; number < 8; number++) {
    pthread_join(threads[number], NULL);
  }
  pthread_barrier_destroy(&barrier);
  CHECK_INTEGER(descriptors, entries("/proc/self/fd"));
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char *many = path_in(folder, "threads.db"), *cycles = path_in(folder, "cycles.db");
  many_threads_on_one_plane(many);
  turns_of_one_thread_queue(many);
  open_and_close_leaves_nothing(cycles);
  threads_with_planes_of_their_own(cycles);
  free(many);
  free(cycles);
  return check_finish("threads");
}
