/* The log callback: it gets whole lines, calls from inside it are refused at once, and nothing runs after the close.
 * argv[1]: an empty folder. Needs the mock at MODEL_BASE. */
#define _POSIX_C_SOURCE 200809L
#include <muster_jansson.h>

#include "plane.h"

struct witness {
  muster *plane; /* NULL until muster_open() has returned */
  muster_queue *queue;
  int lines, refused, released, closing, closed;
};

/* While the plane is open, a call from a callback would wait for itself. While it is being closed, its handle is closed
 * too. */
static int is_refused(const struct witness *witness, muster_status status) {
  return status == MUSTER_E_WOULD_DEADLOCK || (witness->closing && status == MUSTER_E_BAD_HANDLE);
}

static void call_tool(void *user_data, const char *call_id, const char *call_json) {
  (void)user_data, (void)call_id, (void)call_json;
}

static void log_line(void *user_data, int32_t level, const char *component, const char *message, size_t length) {
  struct witness *witness = user_data;
  char *json = NULL;
  json_t *out = NULL;
  muster_event event = MUSTER_EVENT_INIT;
  muster_queue *opened = NULL;
  CHECK(level >= MUSTER_LOG_ERROR && level <= MUSTER_LOG_DEBUG);
  CHECK(component != NULL && strlen(component) > 0);
  CHECK_INTEGER(length, strlen(message));
  CHECK_INTEGER(0, witness->closed);
  __atomic_fetch_add(&witness->lines, 1, __ATOMIC_SEQ_CST);
  if (witness->plane == NULL) {
    return;
  }
  muster *plane = witness->plane;
  if (!witness->closing) {
    CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_close(plane));
  }
  /* A queue outlives its plane: its handle is good, and still not for a callback. */
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_queue_close(witness->queue));
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_queue_next(witness->queue, 0, &event));
  CHECK_INTEGER(MUSTER_E_WOULD_DEADLOCK, muster_queue_drain(witness->queue, 0, 0, &json, NULL, NULL));
  CHECK_INTEGER(-1, muster_queue_fd(witness->queue));
  muster_event_clear(&event);
  CHECK(muster_event_json(&event) == NULL);
  CHECK(muster_tool_cancelled(plane, "x"));
  muster_status answers[] = {
      muster_queue_open(plane, &opened, NULL),
      muster_submit(plane, witness->queue, "agents.list", NULL, NULL, NULL, NULL),
      muster_agent_invoke_stream(plane, witness->queue, "x", NULL, "{\"input\":{\"text\":\"t\"}}", NULL, NULL, NULL),
      muster_agent_invoke_async(plane, "x", NULL, "{\"input\":{\"text\":\"t\"}}", &json, NULL, NULL),
      muster_http_submit(plane, witness->queue, "GET", "/health", NULL, NULL, 0, NULL, NULL, NULL),
      muster_http(plane, "GET", "/health", NULL, NULL, 0, NULL, &json, NULL, NULL, NULL),
      muster_cancel(plane, 1),
      muster_call(plane, "agents.list", NULL, 0, &json, NULL, NULL),
      muster_call_j(plane, "agents.list", NULL, 0, &out, NULL),
      muster_agents_list(plane, 0, 0, &json, NULL, NULL),
      muster_agents_list_full(plane, 0, 0, &json, NULL, NULL),
      muster_agent_get(plane, "x", &json, NULL, NULL),
      muster_agent_create(plane, "{\"name\":\"from a callback\"}", &json, NULL, NULL),
      muster_agent_update(plane, "x", "{\"name\":\"n\"}", false, &json, NULL, NULL),
      muster_agent_deploy(plane, "x", &json, NULL, NULL),
      muster_agent_delete(plane, "x", NULL),
      muster_agent_invoke(plane, "x", NULL, "{\"input\":{\"text\":\"t\"}}", 0, &json, NULL, NULL),
      muster_tasks_list(plane, NULL, 0, 0, &json, NULL, NULL),
      muster_task_get(plane, "x", &json, NULL, NULL),
      muster_task_stop(plane, "x", &json, NULL, NULL),
      muster_task_thread(plane, "x", &json, NULL, NULL),
      muster_task_delete(plane, "x", NULL),
      muster_tool_register(plane, "{\"name\":\"from_a_callback\"}", call_tool, NULL, NULL, NULL),
      muster_tool_register_queue(plane, "{\"name\":\"from_a_callback\"}", witness->queue, NULL),
      muster_tool_unregister(plane, "x", NULL),
      muster_tool_reply(plane, "x", "1", false, NULL),
  };
  for (size_t index = 0; index < sizeof answers / sizeof answers[0]; index++) {
    CHECK(is_refused(witness, answers[index]));
  }
  CHECK(json == NULL && out == NULL && opened == NULL);
  __atomic_fetch_add(&witness->refused, 1, __ATOMIC_SEQ_CST);
}

static void release(void *user_data) { ((struct witness *)user_data)->released++; }

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "callbacks.db"), *failing, *good;
  struct witness witness = {NULL, NULL, 0, 0, 0, 0, 0};
  muster_host host = MUSTER_HOST_INIT;
  muster *plane = NULL;
  json_t *config =
      json_pack("{s:s, s:{s:s, s:s, s:s}}", "store", path, "default_model", "provider", "openai_compatible", "name",
                "echo", "api_base", getenv("MODEL_BASE") != NULL ? getenv("MODEL_BASE") : "");
  char *text = json_dumps(config, 0);
  double start;
  host.user_data = &witness;
  host.log = log_line;
  host.release = release;
  CHECK_INTEGER(MUSTER_OK, muster_open(text, &host, &plane, NULL));
  /* The host structure is copied: it may go away after the call. */
  memset(&host, 0xff, sizeof host);
  CHECK_INTEGER(MUSTER_OK, muster_queue_open(plane, &witness.queue, NULL));
  witness.plane = plane;

  failing = create_agent(plane, "Failing", "status:500");
  good = create_agent(plane, "Good", "echo");
  start = seconds_now();
  /* A model that fails is worth a line in the log, so the callback runs here. */
  CHECK_INTEGER(MUSTER_OK,
                muster_agent_invoke(plane, failing, NULL, "{\"input\":{\"text\":\"x\"}}", 60000, NULL, NULL, NULL));
  CHECK(seconds_now() - start < 60);
  CHECK(witness.lines > 0);
  CHECK(witness.refused > 0);
  CHECK_INTEGER(MUSTER_OK,
                muster_agent_invoke(plane, good, NULL, "{\"input\":{\"text\":\"x\"}}", 60000, NULL, NULL, NULL));

  /* A run that nobody waits for writes its lines on threads of the plane: the same holds there. */
  int refused = witness.refused;
  muster_event event = MUSTER_EVENT_INIT;
  json_t *args = json_pack("{s:s, s:{s:{s:s}}}", "agent_id", failing, "body", "input", "text", "x");
  char *args_text = json_dumps(args, 0);
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, witness.queue, "agents.invoke", args_text, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(witness.queue, 60000, &event));
  CHECK_INTEGER(MUSTER_OK, event.status);
  CHECK_INTEGER(MUSTER_EVENT_FINAL, event.kind);
  CHECK(witness.refused > refused);
  muster_event_clear(&event);
  json_decref(args);
  free(args_text);

  /* Nothing that a callback tried has happened. */
  json_t *list = call(plane, "agents.list", NULL);
  CHECK_INTEGER(2, integer_at(list, "total"));
  json_decref(list);

  CHECK_INTEGER(0, witness.released);
  witness.closing = 1;
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  witness.closed = 1;
  CHECK_INTEGER(1, witness.released);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  CHECK_INTEGER(1, witness.released);
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_next(witness.queue, 0, &event));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(witness.queue));
  free(text);
  json_decref(config);
  free(failing);
  free(good);
  free(path);
  return check_finish("callbacks");
}
