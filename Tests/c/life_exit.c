/* exit() with calls under way over https: OpenSSL takes itself apart in an exit handler, while threads are inside it.
 *
 *   life_exit FOLDER [RUNS]          each way of ending RUNS times (default 30)
 *   life_exit FOLDER child WAY FILE  one process that ends with work in flight
 *
 * Needs the mock over https: MODEL_BASE, and CURL_CA_BUNDLE with its certificate. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>

#include "plane.h"

enum { RUNS = 30, THREADS = 8, SECONDS = 30 };

static muster *plane;
static char *agent;
static int calls;

static void *invoke(void *model) {
  char body[128];
  snprintf(body, sizeof body, "{\"llm_model_name\":\"%s\",\"input\":{\"text\":\"x\"}}", (const char *)model);
  for (;;) {
    muster_status status = muster_agent_invoke(plane, agent, NULL, body, 60000, NULL, NULL, NULL);
    if (status == MUSTER_OK) {
      __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    } else {
      /* A call that the end of the process interrupts says so; the thread must not disturb it any more. */
      if (status != MUSTER_E_CLOSED && status != MUSTER_E_BAD_HANDLE) {
        fprintf(stderr, "invoke: %s\n", muster_status_name(status));
        _exit(3);
      }
      return NULL;
    }
  }
}

/* A plane for each call, and so a handshake for each call. */
static void *shake_hands(void *unused) {
  (void)unused;
  for (;;) {
    muster *own = open_store(":memory:", "echo");
    char *id = create_agent(own, "Exit", NULL);
    muster_status status =
        muster_agent_invoke(own, id, NULL, "{\"input\":{\"text\":\"x\"}}", 60000, NULL, NULL, NULL);
    CHECK_INTEGER(MUSTER_OK, muster_close(own));
    free(id);
    if (status != MUSTER_OK) {
      return NULL;
    }
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
  }
}

/* Eight streams and more in flight, on threads of the library alone: new ones come for those that end. Some stall in
 * the middle. Another thread of the host waits in the queue when the process ends. */
static void *read_streams(void *queue) {
  muster_event event = MUSTER_EVENT_INIT;
  muster_status status;
  while ((status = muster_queue_next(queue, -1, &event)) == MUSTER_OK) {
    if (event.kind == MUSTER_EVENT_DATA && strstr(event.json, "\"chunk\"") != NULL) {
      __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    if (event.kind == MUSTER_EVENT_FINAL && event.status == MUSTER_OK) {
      muster_status again = muster_submit(plane, queue, "agents.invoke_stream", event.user_data, event.user_data, NULL, NULL);
      if (again != MUSTER_OK && again != MUSTER_E_CLOSED && again != MUSTER_E_BAD_HANDLE) {
        fprintf(stderr, "submit: %s\n", muster_status_name(again));
        _exit(3);
      }
    }
    muster_event_clear(&event);
  }
  if (status != MUSTER_E_CLOSED && status != MUSTER_E_BAD_HANDLE) {
    fprintf(stderr, "next: %s\n", muster_status_name(status));
    _exit(3);
  }
  return NULL;
}

static muster_queue *stream(void) {
  static const char *const models[] = {"slow:3", "stall:2", "echo", "split"};
  static char args[THREADS][512];
  muster_queue *queue = NULL;
  pthread_t thread;
  CHECK_INTEGER(MUSTER_OK, muster_queue_open(plane, &queue, NULL));
  CHECK(muster_queue_fd(queue) >= 0);
  for (int number = 0; number < THREADS; number++) {
    snprintf(args[number], sizeof args[number],
             "{\"agent_id\":\"%s\",\"body\":{\"llm_model_name\":\"%s\",\"input\":{\"text\":\"one two three\"}}}", agent,
             models[number % 4]);
    CHECK_INTEGER(MUSTER_OK,
                  muster_submit(plane, queue, "agents.invoke_stream", args[number], args[number], NULL, NULL));
  }
  CHECK_INTEGER(0, pthread_create(&thread, NULL, read_streams, queue));
  pthread_detach(thread);
  return queue;
}

/* The host's own use of OpenSSL, before the library's: its exit handler is then registered before ours. */
static void initialise_openssl(void) {
  void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_GLOBAL);
  int (*initialise)(uint64_t, const void *) = NULL;
  void *found = library != NULL ? dlsym(library, "OPENSSL_init_ssl") : NULL;
  memcpy(&initialise, &found, sizeof found);
  if (initialise == NULL || initialise(0, NULL) != 1) {
    fprintf(stderr, "no libssl.so.3\n");
    _exit(4);
  }
}

static int child(const char *way, const char *path) {
  static char echo[] = "echo", hang[] = "hang";
  pthread_t threads[THREADS];
  muster_queue *queue = NULL;
  alarm(SECONDS);
  if (strstr(way, "openssl") != NULL) {
    initialise_openssl();
  }
  plane = open_store(path, "echo");
  agent = create_agent(plane, "Exit", NULL);
  if (strstr(way, "streams") != NULL) {
    queue = stream();
  }
  for (int number = 0; number < THREADS && queue == NULL; number++) {
    CHECK_INTEGER(0, strstr(way, "handshakes") != NULL
                         ? pthread_create(&threads[number], NULL, shake_hands, NULL)
                         : pthread_create(&threads[number], NULL, invoke, number % 4 == 3 ? hang : echo));
  }
  for (int round = 0; round < 2000 && __atomic_load_n(&calls, __ATOMIC_RELAXED) < THREADS; round++) {
    sleep_ms(2);
  }
  CHECK(calls >= THREADS);
  /* Not always at the same moment of a call. */
  sleep_ms(getpid() % 7);
  if (queue != NULL && strstr(way, "queue") != NULL) {
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  }
  if (strstr(way, "close") != NULL) {
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  }
  return check_failed_count == 0 ? 0 : 2;
}

static void ends(const char *program, const char *folder, const char *way, int runs) {
  int bad = 0;
  double slowest = 0;
  char *path = path_in(folder, way);
  for (int run = 0; run < runs; run++) {
    double began = seconds_now();
    int status = 0;
    pid_t id = fork();
    if (id == 0) {
      execl(program, program, folder, "child", way, path, (char *)NULL);
      _exit(5);
    }
    CHECK_INTEGER(id, waitpid(id, &status, 0));
    if (status != 0) {
      fprintf(stderr, "%s: run %d: exit code %d, signal %d\n", way, run, WEXITSTATUS(status), WTERMSIG(status));
      bad++;
    }
    slowest = seconds_now() - began > slowest ? seconds_now() - began : slowest;
  }
  CHECK_INTEGER(0, bad);
  CHECK(slowest < 15);
  /* Nothing runs on, and what was acknowledged is there. */
  plane = open_store(path, "echo");
  json_t *list = call(plane, "tasks.list", "{\"status\":\"executing\"}");
  CHECK_INTEGER(0, integer_at(list, "total"));
  json_decref(list);
  if (strstr(way, "handshakes") == NULL && strstr(way, "streams") == NULL) {
    list = call(plane, "tasks.list", "{\"status\":\"completed\"}");
    CHECK(integer_at(list, "total") >= runs * THREADS);
    json_decref(list);
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[2], "child") == 0) {
    return child(argv[3], argv[4]);
  }
  int runs = argc > 2 ? atoi(argv[2]) : RUNS;
  if (argc < 2 || getenv("MODEL_BASE") == NULL || strncmp(getenv("MODEL_BASE"), "https:", 6) != 0) {
    fprintf(stderr, "usage: MODEL_BASE=https://... CURL_CA_BUNDLE=... life_exit FOLDER [RUNS]\n");
    return 2;
  }
  ends(argv[0], argv[1], "exit", runs);
  ends(argv[0], argv[1], "exit-openssl", runs);
  ends(argv[0], argv[1], "handshakes", runs);
  ends(argv[0], argv[1], "handshakes-openssl", runs);
  ends(argv[0], argv[1], "streams", runs);
  ends(argv[0], argv[1], "streams-openssl", runs);
  ends(argv[0], argv[1], "streams-queue", runs / 3 + 1);
  ends(argv[0], argv[1], "streams-close", runs / 3 + 1);
  ends(argv[0], argv[1], "streams-queue-close", runs / 3 + 1);
  ends(argv[0], argv[1], "close", runs / 3 + 1);
  ends(argv[0], argv[1], "close-openssl", runs / 3 + 1);
  return check_finish("life_exit");
}
