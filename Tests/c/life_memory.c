/* Memory stays where it is, however many invokes there were. argv[1]: an empty folder; argv[2]: how many (default
 * 5,000; the long run takes 200,000). Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include "plane.h"

enum { WARM_UP = 4000, INVOKES = 5000, THREADS = 4, MOST_KILOBYTES = 1024 };

static muster *plane;
static char *agent;
static long left;

static long resident_kilobytes(void) {
  char line[256];
  long kilobytes = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!CHECK(file != NULL)) {
    return 0;
  }
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "VmRSS: %ld kB", &kilobytes) == 1) {
      break;
    }
  }
  fclose(file);
  CHECK(kilobytes > 0);
  return kilobytes;
}

static void *work(void *unused) {
  (void)unused;
  while (__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) >= 0) {
    char *text = NULL;
    muster_error *error = NULL;
    if (muster_agent_invoke(plane, agent, NULL, "{\"input\":{\"text\":\"How much memory?\"}}", 60000, &text, NULL,
                            &error) != MUSTER_OK ||
        strstr(text, "\"completed\"") == NULL) {
      CHECK(!"an invoke completes");
      report("invoke", error);
    }
    muster_error_free(error);
    muster_free(text);
  }
  return NULL;
}

static void invoke(long count) {
  pthread_t threads[THREADS];
  left = count;
  for (int number = 0; number < THREADS; number++) {
    CHECK_INTEGER(0, pthread_create(&threads[number], NULL, work, NULL));
  }
  for (int number = 0; number < THREADS; number++) {
    pthread_join(threads[number], NULL);
  }
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "memory.db");
  long count = argc > 2 ? atol(argv[2]) : INVOKES;
  plane = open_store(path, "echo");
  agent = create_agent(plane, "Memory", NULL);
  /* The first invokes fill caches that have a limit: SQLite's pages, the allocator's arenas. */
  invoke(WARM_UP);
  long before = resident_kilobytes();
  invoke(count);
  long after = resident_kilobytes();
  printf("resident: %ld KB, after %ld more invokes %ld KB\n", before, count, after);
  CHECK(after - before < MOST_KILOBYTES);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
  free(path);
  return check_finish("life_memory");
}
