/* Queues answer misuse with a status, never with a signal: wrong handles of every kind, structures of no or another
 * version, outputs that are missing. argv[1]: an empty folder. Needs the mock at MODEL_BASE. */
#define _POSIX_C_SOURCE 200809L
#include <muster_jansson.h>

#include "queue.h"

#define BODY "{\"input\":{\"text\":\"x\"}}"

/* One call with a plane and a queue, one of which is wrong. */
typedef muster_status (*queue_call)(muster *plane, muster_queue *queue, muster_error **error);

static muster_event event;

static muster_status next(muster *plane, muster_queue *queue, muster_error **error) {
  (void)plane;
  event = (muster_event)MUSTER_EVENT_INIT;
  event.ticket = 99;
  *error = NULL;
  muster_status status = muster_queue_next(queue, 0, &event);
  CHECK(status == MUSTER_OK || (event.ticket == 99 && event.json == NULL));
  return status;
}

static muster_status drain(muster *plane, muster_queue *queue, muster_error **error) {
  char *json = (char *)&event;
  size_t length = 9;
  (void)plane;
  muster_status status = muster_queue_drain(queue, 0, 0, &json, &length, error);
  CHECK(json == NULL && length == 0);
  return status;
}

static muster_status submit_one(muster *plane, muster_queue *queue, muster_error **error) {
  muster_ticket ticket = 9;
  muster_status status = muster_submit(plane, queue, "agents.list", NULL, NULL, &ticket, error);
  CHECK_INTEGER(0, ticket);
  return status;
}

static muster_status stream(muster *plane, muster_queue *queue, muster_error **error) {
  muster_ticket ticket = 9;
  muster_status status = muster_agent_invoke_stream(plane, queue, "x", NULL, BODY, NULL, &ticket, error);
  CHECK_INTEGER(0, ticket);
  return status;
}

static muster_status request(muster *plane, muster_queue *queue, muster_error **error) {
  muster_ticket ticket = 9;
  muster_status status = muster_http_submit(plane, queue, "GET", "/health", NULL, NULL, 0, NULL, &ticket, error);
  CHECK_INTEGER(0, ticket);
  return status;
}

static muster_status open_one(muster *plane, muster_queue *queue, muster_error **error) {
  muster_queue *opened = queue;
  muster_status status = muster_queue_open(plane, &opened, error);
  CHECK(opened == NULL);
  return status;
}

static muster_status accept_one(muster *plane, muster_queue *queue, muster_error **error) {
  char *json = (char *)&event;
  size_t length = 9;
  (void)queue;
  muster_status status = muster_agent_invoke_async(plane, "x", NULL, BODY, &json, &length, error);
  CHECK(json == NULL && length == 0);
  return status;
}

static muster_status tool(muster *plane, muster_queue *queue, muster_error **error) {
  return muster_tool_register_queue(plane, "{\"name\":\"refused\"}", queue, error);
}

enum { WANTS_QUEUE = 1, WANTS_PLANE = 2, HAS_ERROR = 4 };

static const struct {
  const char *name;
  queue_call call;
  int wants;
} calls[] = {
    {"muster_queue_next", next, WANTS_QUEUE},
    {"muster_queue_drain", drain, WANTS_QUEUE | HAS_ERROR},
    {"muster_submit", submit_one, WANTS_QUEUE | WANTS_PLANE | HAS_ERROR},
    {"muster_agent_invoke_stream", stream, WANTS_QUEUE | WANTS_PLANE | HAS_ERROR},
    {"muster_http_submit", request, WANTS_QUEUE | WANTS_PLANE | HAS_ERROR},
    {"muster_tool_register_queue", tool, WANTS_QUEUE | WANTS_PLANE | HAS_ERROR},
    {"muster_queue_open", open_one, WANTS_PLANE | HAS_ERROR},
    {"muster_agent_invoke_async", accept_one, WANTS_PLANE | HAS_ERROR},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

static void expect(muster_status wanted, size_t index, muster *plane, muster_queue *queue, const char *why) {
  muster_error *error = NULL;
  if (!CHECK_INTEGER(wanted, calls[index].call(plane, queue, &error))) {
    fprintf(stderr, "  %s: %s\n", calls[index].name, why);
  }
  if (calls[index].wants & HAS_ERROR) {
    CHECK_INTEGER(wanted, muster_error_status(error));
    CHECK(strlen(muster_error_message(error)) > 0);
  }
  muster_error_free(error);
}

/* Every function × NULL, closed, garbage, and the handles of other things. */
static void wrong_handles(muster *plane, muster_queue *queue, muster *closed_plane, muster_queue *closed, muster_server *server,
                          muster_error *error) {
  int local = 0;
  const struct {
    const char *why;
    void *handle;
  } garbage[] = {{"NULL", NULL},
                 {"an address", &local},
                 {"1", (void *)1},
                 {"the largest number", (void *)UINTPTR_MAX},
                 {"one more", (void *)((uintptr_t)queue + 1)},
                 {"one less", (void *)((uintptr_t)queue - 1)},
                 {"another generation", (void *)((uintptr_t)queue ^ ((uintptr_t)1 << 40))},
                 {"another tag", (void *)((uintptr_t)queue ^ 0x3)},
                 {"a closed queue", closed},
                 {"a closed plane", closed_plane},
                 {"a server", server},
                 {"an error", error}};
  for (size_t which = 0; which < sizeof garbage / sizeof garbage[0]; which++) {
    for (size_t index = 0; index < CALLS; index++) {
      if (calls[index].wants & WANTS_QUEUE) {
        expect(MUSTER_E_BAD_HANDLE, index, plane, garbage[which].handle, garbage[which].why);
      }
      if (calls[index].wants & WANTS_PLANE) {
        expect(MUSTER_E_BAD_HANDLE, index, garbage[which].handle, queue, garbage[which].why);
      }
    }
    CHECK_INTEGER(-1, muster_queue_fd(garbage[which].handle));
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(garbage[which].handle));
    CHECK_INTEGER(MUSTER_OK, muster_close(garbage[which].handle));
  }
  /* The one for the other: neither is taken, neither is closed. */
  for (size_t index = 0; index < CALLS; index++) {
    expect(MUSTER_E_BAD_HANDLE, index, calls[index].wants & WANTS_PLANE ? (muster *)queue : plane, (muster_queue *)plane,
           "swapped");
  }
  CHECK_INTEGER(-1, muster_queue_fd((muster_queue *)plane));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close((muster_queue *)plane));
  CHECK_INTEGER(MUSTER_OK, muster_close((muster *)queue));
  CHECK_INTEGER(MUSTER_OK, muster_server_stop((muster_server *)queue));
  muster_error_free((muster_error *)queue);
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_error_status((muster_error *)queue));
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_agents_list((muster *)queue, 0, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_cancel((muster *)queue, 1));
  CHECK_INTEGER(0, muster_ticket_new((muster *)queue));
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 0));
  CHECK_INTEGER(MUSTER_OK, muster_agents_list(plane, 0, 0, NULL, NULL, NULL));
}

static void a_queue_of_another_plane(muster *plane, muster_queue *queue, const char *path) {
  muster *other = open_store(path, "echo");
  muster_queue *foreign = open_queue(other);
  for (size_t index = 0; index < CALLS; index++) {
    if ((calls[index].wants & (WANTS_QUEUE | WANTS_PLANE)) == (WANTS_QUEUE | WANTS_PLANE)) {
      expect(MUSTER_E_MISUSE, index, plane, foreign, "of another plane");
      expect(MUSTER_E_MISUSE, index, other, queue, "of another plane");
    }
  }
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(foreign, 50));
  CHECK_INTEGER(MUSTER_OK, muster_close(other));
  /* Its plane is closed: it can be read and closed, nothing else. */
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(foreign, 0));
  CHECK(muster_queue_fd(foreign) >= 0);
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_submit(other, foreign, "agents.list", NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_submit(plane, foreign, "agents.list", NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(foreign));
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, read_one(foreign, 0));
}

static void a_service_elsewhere_has_no_queues(void) {
  muster *remote = NULL;
  muster_queue *queue = (muster_queue *)&remote;
  CHECK_INTEGER(MUSTER_OK, muster_open("{\"store\":\"http://127.0.0.1:1\",\"api_key\":\"k\"}", NULL, &remote, NULL));
  CHECK_INTEGER(MUSTER_E_UNSUPPORTED, muster_queue_open(remote, &queue, NULL));
  CHECK(queue == NULL);
  CHECK_INTEGER(MUSTER_OK, muster_close(remote));
}

static void events_of_no_version(muster *plane, muster_queue *queue) {
  static const size_t sizes[] = {0, 1, 8, sizeof(muster_event) - 8, sizeof(muster_event) - 1};
  muster_event one;
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list", NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_queue_next(queue, 0, NULL));
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
    memset(&one, 0x7f, sizeof one);
    one.struct_size = sizes[index];
    CHECK_INTEGER(MUSTER_E_MISUSE, muster_queue_next(queue, 1000, &one));
    /* Not touched, not read, not freed. */
    CHECK(one.ticket == 0x7f7f7f7f7f7f7f7f && one.kind == 0x7f7f7f7f);
    CHECK(muster_event_json(&one) == NULL);
    muster_event_clear(&one);
    CHECK(one.ticket == 0x7f7f7f7f7f7f7f7f && one.struct_size == sizes[index]);
  }
  /* A misused read takes nothing away. */
  one = (muster_event)MUSTER_EVENT_INIT;
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_queue_drain(queue, 0, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &one));
  CHECK_INTEGER(MUSTER_EVENT_FINAL, one.kind);
  json_t *value = muster_event_json(&one);
  CHECK(json_is_array(member(value, "items")));
  CHECK_INTEGER(1, value->refcount);
  json_decref(value);
  muster_event_clear(&one);
  CHECK(muster_event_json(&one) == NULL);
  CHECK(muster_event_json(NULL) == NULL);
  muster_event_clear(NULL);
}

/* Whatever a host writes between its brackets. */
static void strange_waits(muster_queue *queue) {
  muster_event one = MUSTER_EVENT_INIT;
  char *json = NULL;
  double begin = seconds_now();
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_next(queue, 0, &one));
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_next(queue, 1, &one));
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_drain(queue, 0, SIZE_MAX, &json, NULL, NULL));
  CHECK(seconds_now() - begin < 10);
}

static void *wait_for_one(void *queue) {
  muster_event one = MUSTER_EVENT_INIT;
  muster_status status = muster_queue_next(queue, INT64_MAX, &one);
  muster_event_clear(&one);
  return (void *)(intptr_t)status;
}

static void the_longest_wait(muster *plane, muster_queue *queue) {
  pthread_t thread;
  void *status = NULL;
  CHECK_INTEGER(0, pthread_create(&thread, NULL, wait_for_one, queue));
  sleep_ms(100);
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list", NULL, NULL, NULL, NULL));
  pthread_join(thread, &status);
  CHECK_INTEGER(MUSTER_OK, (intptr_t)status);
}

/* Every output may be missing. */
static void missing_outputs(muster *plane, muster_queue *queue) {
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_queue_open(plane, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list", NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_stream(plane, queue, "nobody", NULL, BODY, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_http_submit(plane, queue, "GET", "/health", NULL, NULL, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_agent_invoke_async(plane, "nobody", NULL, BODY, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_queue_drain(NULL, 0, 0, NULL, NULL, NULL));
  for (int ends = 0; ends < 3;) {
    muster_event one = MUSTER_EVENT_INIT;
    if (!CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, PATIENCE_MS, &one))) {
      break;
    }
    CHECK(one.user_data == NULL && one.ticket != 0);
    ends += one.kind == MUSTER_EVENT_FINAL;
    muster_event_clear(&one);
  }
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 50));
}

static void wrong_contexts(muster *plane, muster_queue *queue) {
  static const char *const wrong[] = {"{\"context\":7}",
                                      "{\"context\":{\"ticket\":\"1\"}}",
                                      "{\"context\":{\"ticket\":-1}}",
                                      "{\"context\":{\"ticket\":0}}",
                                      "{\"context\":{\"ticket\":1.5}}",
                                      "{\"context\":{\"ticket\":9007199254740993}}",
                                      "{\"context\":{\"timeout_ms\":\"1\"}}",
                                      "{\"context\":{\"timeout_ms\":1.5}}",
                                      "{\"context\":{\"idempotency_key\":7}}"};
  for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
    struct submitted one = {0};
    muster_status status = submit(plane, queue, "agents.list", wrong[index], &one);
    if (status == MUSTER_OK) {
      read_ends(queue, &one, 1);
      status = one.status;
      forget(&one);
    }
    if (!CHECK(status != MUSTER_OK)) {
      fprintf(stderr, "  %s\n", wrong[index]);
    }
  }
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 50));
}

/* A body may hold anything, but no more than a request, and it has to be there when it has a length. */
static void bodies_of_requests(muster *plane, muster_queue *queue) {
  static const struct {
    const char *body;
    size_t length;
    muster_status status;
  } rows[] = {{NULL, 0, MUSTER_OK},
              {"", 0, MUSTER_OK},
              {"\0\xff", 2, MUSTER_OK},
              {NULL, 1, MUSTER_E_MISUSE},
              {"x", MUSTER_MAX_REQUEST_BYTES + (size_t)1, MUSTER_E_LIMIT},
              {"x", SIZE_MAX, MUSTER_E_LIMIT}};
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    struct submitted one = {0};
    CHECK_INTEGER(rows[index].status, muster_http_submit(plane, queue, "POST", "/v1/agents", NULL, rows[index].body,
                                                         rows[index].length, &one, &one.ticket, NULL));
    CHECK_INTEGER(rows[index].status == MUSTER_OK, one.ticket != 0);
    if (one.ticket != 0) {
      read_ends(queue, &one, 1);
      CHECK_INTEGER(401, integer_at(json_array_get(one.all, 0), "status"));
      forget(&one);
    }
  }
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char *path = path_in(folder, "queues.db"), *other = path_in(folder, "other.db");
  muster *closed_plane = open_store(path, "echo"), *plane = open_store(path, "echo");
  muster_queue *closed = open_queue(closed_plane), *queue = open_queue(plane);
  muster_server *server = NULL;
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(closed));
  CHECK_INTEGER(MUSTER_OK, muster_close(closed_plane));
  CHECK_INTEGER(MUSTER_OK, muster_serve(plane, NULL, &server, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_agent_get(plane, "nobody", NULL, NULL, &error));
  wrong_handles(plane, queue, closed_plane, closed, server, error);
  CHECK_INTEGER(404, muster_error_http_status(error));
  muster_error_free(error);
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  a_queue_of_another_plane(plane, queue, other);
  /* Two planes on one store are two planes. */
  a_queue_of_another_plane(plane, queue, path);
  a_service_elsewhere_has_no_queues();
  events_of_no_version(plane, queue);
  strange_waits(queue);
  the_longest_wait(plane, queue);
  missing_outputs(plane, queue);
  wrong_contexts(plane, queue);
  bodies_of_requests(plane, queue);
  /* A closed queue's place is used again: the old handle is not the new queue's. */
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  for (int round = 0; round < 1000; round++) {
    muster_queue *again = open_queue(plane);
    CHECK(again != queue);
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
    CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(again, 0));
    CHECK_INTEGER(MUSTER_OK, muster_queue_close(again));
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(path);
  free(other);
  return check_finish("misuse_queues");
}
