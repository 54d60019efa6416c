/* MUSTER_MIN_STACK_BYTES of stack are enough for every call, also for JSON as deep as it may be. argv[1]: an empty
 * folder. Needs the mock. */
#define _POSIX_C_SOURCE 200809L
#include <muster_jansson.h>

#include "plane.h"

/* {"name":"deep","<key>":{"a":{"a":...}}}: `depth` levels in all. */
static char *deep_body(const char *key, int depth) {
  char *text = malloc((size_t)depth * 8 + 256);
  int used;
  if (text == NULL) {
    abort();
  }
  used = sprintf(text, "{\"name\":\"deep\",\"%s\":", key);
  for (int level = 2; level <= depth; level++) {
    used += sprintf(text + used, level == depth ? "{" : "{\"a\":");
  }
  for (int level = 1; level <= depth; level++) {
    used += sprintf(text + used, "}");
  }
  return text;
}

/* Submits, streams, follows and reads: all of it on this stack. */
static void use_a_queue(muster *plane, const char *id) {
  muster_queue *queue = NULL;
  muster_event event = MUSTER_EVENT_INIT;
  char args[256], *text = NULL;
  int ends = 0, drained = 0;
  CHECK_INTEGER(MUSTER_OK, muster_queue_open(plane, &queue, NULL));
  CHECK(muster_queue_fd(queue) >= 0);
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_stream(plane, queue, id, NULL, "{\"id\":\"s\",\"input\":{\"text\":\"x\"}}",
                                                      NULL, NULL, NULL));
  snprintf(args, sizeof args, "{\"agent_id\":\"%s\",\"body\":{\"input\":{\"text\":\"x\"}}}", id);
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.invoke", args, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list_full", NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_http_submit(plane, queue, "GET", "/openapi.json", NULL, NULL, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke_async(plane, id, NULL, "{\"id\":\"a\",\"input\":{\"text\":\"x\"}}", NULL,
                                                     NULL, NULL));
  while (ends < 4 && CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, 60000, &event))) {
    json_t *value = muster_event_json(&event);
    CHECK(value != NULL);
    json_decref(value);
    CHECK_INTEGER(MUSTER_OK, event.status);
    ends += event.kind == MUSTER_EVENT_FINAL;
    muster_event_clear(&event);
  }
  /* What has ended is read again, from the store. */
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "tasks.events", "{\"task_id\":\"s\"}", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "tasks.events", "{\"task_id\":\"a\"}", NULL, NULL, NULL));
  while (drained < 2 && CHECK_INTEGER(MUSTER_OK, muster_queue_drain(queue, 60000, 0, &text, NULL, NULL))) {
    json_t *events = parse(text), *one;
    size_t index;
    json_array_foreach(events, index, one) {
      drained += strcmp(text_at(one, "kind"), "final") == 0;
    }
    json_decref(events);
  }
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "tasks.events", "{\"task_id\":\"s\"}", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
}

static void *work(void *path) {
  muster *plane = open_store(path, "echo");
  muster_error *error = NULL;
  char *id = create_agent(plane, "Small", NULL), *text = NULL, *body, *args;
  json_t *value, *inner;

  CHECK_INTEGER(MUSTER_OK, muster_agents_list(plane, 0, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_agents_list_full(plane, 0, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_agent_get(plane, id, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_agent_update(plane, id, "{\"description\":\"d\"}", false, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_agent_deploy(plane, id, NULL, NULL, NULL));
  for (int turn = 0; turn < 2; turn++) {
    CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, id, NULL, "{\"id\":\"t\",\"input\":{\"text\":\"x\"}}", 0, &text,
                                                 NULL, NULL));
    value = parse(text);
    CHECK_TEXT("completed", text_at(value, "status"));
    json_decref(value);
  }
  CHECK_INTEGER(MUSTER_OK, muster_tasks_list(plane, "{\"status\":\"completed\"}", 0, 0, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_task_get(plane, "t", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_task_thread(plane, "t", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, "t", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_task_delete(plane, "t", NULL));

  use_a_queue(plane, id);

  /* As deep as a request may be, stored and given back. */
  body = deep_body("x_deep", MUSTER_MAX_BODY_DEPTH);
  text = NULL;
  if (!CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, body, &text, NULL, &error))) {
    report("deep body", error);
  }
  muster_error_free(error);
  json_decref(parse(text));
  free(body);
  body = deep_body("x_deep", MUSTER_MAX_BODY_DEPTH + 1);
  CHECK_INTEGER(MUSTER_E_LIMIT, muster_agent_create(plane, body, NULL, NULL, NULL));
  free(body);
  /* The page that holds the agent is no deeper than what the library reads itself. */
  CHECK_INTEGER(MUSTER_OK, muster_agents_list_full(plane, 0, 0, &text, NULL, NULL));
  value = parse(text);
  text = json_dumps(value, JSON_COMPACT);
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.list", text, 0, NULL, NULL, NULL));
  free(text);
  json_decref(value);
  args = deep_body("x_deep", MUSTER_MAX_JSON_DEPTH);
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.list", args, 0, NULL, NULL, NULL));
  value = json_loads(args, 0, NULL);
  CHECK_INTEGER(MUSTER_OK, muster_call_j(plane, "agents.list", value, 0, NULL, NULL));
  muster_queue *queue = NULL;
  muster_event event = MUSTER_EVENT_INIT;
  CHECK_INTEGER(MUSTER_OK, muster_queue_open(plane, &queue, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_submit(plane, queue, "agents.list_full", args, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_queue_next(queue, 60000, &event));
  CHECK_INTEGER(MUSTER_OK, event.status);
  inner = muster_event_json(&event);
  CHECK(inner != NULL);
  json_decref(inner);
  muster_event_clear(&event);
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  /* One level more is refused, and so is a value that a parser on this stack could not have read. */
  inner = json_pack("{s:o}", "a", value);
  CHECK_INTEGER(MUSTER_E_LIMIT, muster_call_j(plane, "agents.list", inner, 0, NULL, NULL));
  json_decref(inner);
  free(args);
  args = deep_body("x_deep", 100000);
  CHECK_INTEGER(MUSTER_E_LIMIT, muster_call(plane, "agents.list", args, 0, NULL, NULL, NULL));
  free(args);

  CHECK_INTEGER(MUSTER_OK, muster_agent_delete(plane, id, NULL));
  CHECK(strlen(muster_build_info()) > 0);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(id);
  return NULL;
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "small_stack.db");
  pthread_attr_t attributes;
  pthread_t thread;
  CHECK_INTEGER(0, pthread_attr_init(&attributes));
  CHECK_INTEGER(0, pthread_attr_setstacksize(&attributes, MUSTER_MIN_STACK_BYTES));
  CHECK_INTEGER(0, pthread_create(&thread, &attributes, work, path));
  CHECK_INTEGER(0, pthread_join(thread, NULL));
  pthread_attr_destroy(&attributes);
  free(path);
  return check_finish("small_stack");
}
