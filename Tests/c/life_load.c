/* Loading and unloading, before and after use. Not linked with the library. argv[1]: an empty folder, argv[2]: the
 * library. Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

#include <muster.h>

#include "check.h"

enum { LOADS = 50 };

static struct {
  const char *(*version)(void);
  muster_status (*open)(const char *, const muster_host *, muster **, muster_error **);
  muster_status (*close)(muster *);
  muster_status (*call)(muster *, const char *, const char *, int64_t, char **, size_t *, muster_error **);
  void (*free)(void *);
  muster_status (*queue_open)(muster *, muster_queue **, muster_error **);
  muster_status (*queue_close)(muster_queue *);
  muster_status (*queue_next)(muster_queue *, int64_t, muster_event *);
  void (*event_clear)(muster_event *);
  muster_status (*submit)(muster *, muster_queue *, const char *, const char *, void *, muster_ticket *, muster_error **);
} library;

static void find(void *handle, const char *name, void *function) {
  void *found = dlsym(handle, name);
  CHECK(found != NULL);
  memcpy(function, &found, sizeof found);
}

static void *load(const char *path) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!CHECK(handle != NULL)) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  find(handle, "muster_version", &library.version);
  find(handle, "muster_open", &library.open);
  find(handle, "muster_close", &library.close);
  find(handle, "muster_call", &library.call);
  find(handle, "muster_free", &library.free);
  find(handle, "muster_queue_open", &library.queue_open);
  find(handle, "muster_queue_close", &library.queue_close);
  find(handle, "muster_queue_next", &library.queue_next);
  find(handle, "muster_event_clear", &library.event_clear);
  find(handle, "muster_submit", &library.submit);
  return handle;
}

/* One stream is read to its end; another one is under way when the plane is closed, and its queue with it. */
static void stream(muster *plane, const char *arguments, const char *stalled) {
  muster_queue *queue = NULL;
  muster_event event = MUSTER_EVENT_INIT;
  int finals = 0, chunks = 0;
  CHECK_INTEGER(MUSTER_OK, library.queue_open(plane, &queue, NULL));
  CHECK_INTEGER(MUSTER_OK, library.submit(plane, queue, "agents.invoke_stream", arguments, &finals, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, library.submit(plane, queue, "agents.invoke_stream", stalled, &chunks, NULL, NULL));
  while ((finals == 0 || chunks == 0) && CHECK_INTEGER(MUSTER_OK, library.queue_next(queue, 60000, &event))) {
    chunks += event.user_data == &chunks && strstr(event.json, "\"chunk\"") != NULL;
    finals += event.kind == MUSTER_EVENT_FINAL;
    library.event_clear(&event);
  }
  CHECK_INTEGER(1, finals);
  CHECK_INTEGER(MUSTER_OK, library.close(plane));
  CHECK_INTEGER(MUSTER_OK, library.queue_next(queue, 60000, &event));
  while (event.kind != MUSTER_EVENT_FINAL) {
    library.event_clear(&event);
    if (!CHECK_INTEGER(MUSTER_OK, library.queue_next(queue, 60000, &event))) {
      return;
    }
  }
  CHECK_INTEGER(MUSTER_E_CLOSED, event.status);
  library.event_clear(&event);
  CHECK_INTEGER(MUSTER_OK, library.queue_close(queue));
}

static void use(const char *folder) {
  char config[1024], *text = NULL;
  muster *plane = NULL;
  snprintf(config, sizeof config,
           "{\"store\":\"%s/load.db\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"echo\","
           "\"api_base\":\"%s\"}}",
           folder, getenv("MODEL_BASE"));
  if (!CHECK_INTEGER(MUSTER_OK, library.open(config, NULL, &plane, NULL))) {
    return;
  }
  CHECK_INTEGER(MUSTER_OK,
                library.call(plane, "agents.create", "{\"body\":{\"name\":\"A\"}}", 0, &text, NULL, NULL));
  const char *id = text != NULL ? strstr(text, "\"id\":\"") : NULL;
  if (CHECK(id != NULL)) {
    char arguments[256];
    snprintf(arguments, sizeof arguments, "{\"agent_id\":\"%.36s\",\"body\":{\"input\":{\"text\":\"x\"}}}", id + 6);
    CHECK_INTEGER(MUSTER_OK, library.call(plane, "agents.invoke", arguments, 60000, NULL, NULL, NULL));
    char stalled[512];
    snprintf(stalled, sizeof stalled,
             "{\"agent_id\":\"%.36s\",\"body\":{\"llm_model_name\":\"stall:2\",\"input\":{\"text\":\"x y\"}}}", id + 6);
    stream(plane, arguments, stalled);
  }
  library.free(text);
  /* It is closed already. */
  CHECK_INTEGER(MUSTER_OK, library.close(plane));
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: life_load FOLDER LIBRARY\n");
    return 2;
  }
  for (int number = 0; number < LOADS; number++) {
    void *handle = load(argv[2]);
    CHECK_TEXT(MUSTER_VERSION, library.version());
    CHECK_INTEGER(0, dlclose(handle));
  }
  for (int number = 0; number < LOADS; number++) {
    void *handle = load(argv[2]);
    use(argv[1]);
    CHECK_INTEGER(0, dlclose(handle));
  }
  return check_finish("life_load");
}
