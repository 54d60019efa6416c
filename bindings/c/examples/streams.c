/* Runs an agent on several prompts at once, and prints the answers as they come: one queue, one descriptor in an epoll
 * loop, no thread for a run.
 *
 *   cc -std=c99 streams.c -lmuster -ljansson -o streams
 *   MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=my-model ./streams agents.db 1000
 */
#include <jansson.h>
#include <muster_jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* What is known of one run; its address travels with its events. */
typedef struct stream {
  size_t chunks, bytes;
  const char *end;
} stream;

/* By its address: a call may fill it in after the other arguments were read. */
static void check(muster_status status, const char *what, muster_error **error) {
  if (status != MUSTER_OK) {
    fprintf(stderr, "%s: %s\n", what, muster_error_message(*error));
    muster_error_free(*error);
    exit(EXIT_FAILURE);
  }
}

static muster *open_plane(const char *store, const char *model, const char *base) {
  muster *plane = NULL;
  muster_error *error = NULL;
  json_t *config = json_pack("{s:s, s:{s:s, s:s, s:s}}", "store", store, "default_model", "provider", "openai_compatible",
                             "name", model, "api_base", base);
  char *text = json_dumps(config, JSON_COMPACT);
  check(muster_open(text, NULL, &plane, &error), "cannot open the store", &error);
  free(text);
  json_decref(config);
  return plane;
}

static json_t *create_agent(muster *plane) {
  muster_error *error = NULL;
  json_t *agent = NULL, *args = json_pack("{s:{s:s}}", "body", "name", "Streamer");
  check(muster_call_j(plane, "agents.create", args, 0, &agent, &error), "cannot create the agent", &error);
  json_decref(args);
  return agent;
}

/* Takes what an event says; true for the last one of its run. */
static int take(const muster_event *event, int is_shown) {
  stream *stream = event->user_data;
  json_t *value = muster_event_json(event);
  const char *type = json_string_value(json_object_get(value, "type"));
  json_t *data = json_object_get(value, "data");
  if (type != NULL && strcmp(type, "chunk") == 0) {
    stream->chunks++;
    stream->bytes += json_string_length(data);
    if (is_shown) printf("%s", json_string_value(data));
  }
  if (event->kind == MUSTER_EVENT_FINAL) {
    if (event->status != MUSTER_OK) fprintf(stderr, "run %llu: %s\n", (unsigned long long)event->ticket, muster_error_message(event->error));
    stream->end = event->status == MUSTER_OK ? "finished" : muster_status_name(event->status);
  }
  json_decref(value);
  return event->kind == MUSTER_EVENT_FINAL;
}

int main(int argc, char **argv) {
  const char *model = getenv("MODEL"), *base = getenv("MODEL_BASE");
  size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 4, open_runs = 0, chunks = 0, bytes = 0;
  if (argc < 2 || model == NULL || base == NULL || count == 0) {
    fprintf(stderr, "usage: MODEL_BASE=http://... MODEL=... %s STORE [RUNS]\n", argv[0]);
    return EXIT_FAILURE;
  }
  muster_error *error = NULL;
  muster_queue *queue = NULL;
  muster *plane = open_plane(argv[1], model, base);
  json_t *agent = create_agent(plane);
  const char *id = json_string_value(json_object_get(agent, "id"));
  stream *streams = calloc(count, sizeof *streams);
  check(muster_queue_open(plane, &queue, &error), "cannot open a queue", &error);

  for (size_t index = 0; index < count; index++) {
    check(muster_agent_invoke_stream(plane, queue, id, NULL, "{\"input\":{\"text\":\"Write one short sentence about the sea.\"}}",
                                     &streams[index], NULL, &error), "cannot submit a run", &error);
    open_runs++;
  }

  /* Any event loop will do: the descriptor is readable while an event may wait. */
  int loop = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted = {.events = EPOLLIN}, ready;
  epoll_ctl(loop, EPOLL_CTL_ADD, muster_queue_fd(queue), &wanted);
  while (open_runs > 0 && epoll_wait(loop, &ready, 1, -1) >= 0) {
    muster_event event = MUSTER_EVENT_INIT;
    while (muster_queue_next(queue, 0, &event) == MUSTER_OK) {
      if (take(&event, event.user_data == streams)) open_runs--;
      muster_event_clear(&event);
    }
  }

  for (size_t index = 0; index < count; index++) {
    chunks += streams[index].chunks;
    bytes += streams[index].bytes;
    if (strcmp(streams[index].end, "finished") != 0) printf("run %zu: %s\n", index, streams[index].end);
  }
  printf("\n%zu runs ended; %zu pieces, %zu bytes of text\n", count, chunks, bytes);
  muster_queue_close(queue);
  free(streams);
  json_decref(agent);
  return muster_close(plane) == MUSTER_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
