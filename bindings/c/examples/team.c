/* An agent leads another one, and calls a function of this program that changes something. Nobody's call waits for the run, so that it
 * goes on when its process has died: kill the program in the middle, and start it again. What was left behind is finished first.
 *
 *   cc -std=c99 team.c -lmuster -ljansson -o team
 *   MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=my-model ./team agents.db
 *
 * MODEL is the leader's and has to be one that can use tools; HELPER_MODEL, if it is set, is that of the agent that is led.
 */
#include <muster_jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

static void need(muster_status status, muster_error **error, const char *what) {
  if (status == MUSTER_OK) return;
  fprintf(stderr, "%s: %s\n", what, muster_error_message(*error));
  muster_error_free(*error);
  exit(EXIT_FAILURE);
}

/* Calls an operation and gives its answer, a new reference. Takes over `args`. */
static json_t *call(muster *plane, const char *operation, json_t *args) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  need(muster_call_j(plane, operation, args, 300000, &answer, &error), &error, operation);
  json_decref(args);
  return answer;
}

/* The tool. The call is on disk before it comes here, with a key of its own; a booking system that knows the key books once, however
 * often it is asked. A call that was cut off comes again, with the same key and "repeat": true. */
static void book(void *user_data, const char *call_id, const char *call_json) {
  muster *plane = *(muster **)user_data;
  json_t *request = json_loads(call_json, 0, NULL);
  char *arguments = json_dumps(json_object_get(request, "arguments"), JSON_COMPACT);
  printf("book %s%s\n", arguments, json_is_true(json_object_get(request, "repeat")) ? ", again" : "");
  /* It fails when nobody waits any more. That changes nothing here. */
  if (muster_tool_reply(plane, call_id, "{\"booked\":true}", false, NULL) != MUSTER_OK) printf("too late\n");
  free(arguments);
  json_decref(request);
}

static muster *open_plane(const char *store, const char *model, const char *base) {
  static muster *plane;
  muster_error *error = NULL;
  json_t *config = json_pack("{s:s, s:{s:s, s:s, s:s}}", "store", store, "default_model", "provider", "openai_compatible",
                             "name", model, "api_base", base);
  char *text = json_dumps(config, JSON_COMPACT);
  need(muster_open(text, NULL, &plane, &error), &error, "cannot open the store");
  need(muster_tool_register(plane,
                            "{\"name\":\"book\",\"description\":\"Books a room.\",\"idempotent\":true,\"parameters\":{\"type\":"
                            "\"object\",\"properties\":{\"nights\":{\"type\":\"integer\",\"minimum\":1}}}}",
                            book, &plane, NULL, &error),
       &error, "the tool");
  free(text);
  json_decref(config);
  return plane;
}

/* Waits until a task has ended, whoever began it, prints what came of it and of its sub-tasks, and says whether it has some. */
static int report(muster *plane, const char *task_id) {
  json_t *events = call(plane, "tasks.events", json_pack("{s:s}", "task_id", task_id)), *below, *id;
  const json_t *task = json_object_get(json_array_get(events, json_array_size(events) - 1), "data");
  size_t index;
  printf("[%s] %s\n", text_of(task, "status"), text_of(task, "result"));
  json_array_foreach(json_object_get(task, "sub_executions"), index, id) {
    below = call(plane, "tasks.get", json_pack("{s:O}", "task_id", id));
    printf("Guide [%s]: %s\n", text_of(below, "status"), text_of(below, "result"));
    json_decref(below);
  }
  json_decref(events);
  return index > 0;
}

int main(int argc, char **argv) {
  const char *base = getenv("MODEL_BASE"), *model = getenv("MODEL"), *helper = getenv("HELPER_MODEL");
  muster *plane;
  muster_error *error = NULL;
  json_t *left, *guide, *leader, *task;
  size_t index;
  int good;
  if (argc != 2 || base == NULL || model == NULL) {
    fprintf(stderr, "usage: MODEL_BASE=URL MODEL=NAME [HELPER_MODEL=NAME] %s STORE\n", argv[0]);
    return 2;
  }
  plane = open_plane(argv[1], model, base);

  /* What earlier starts left behind goes on; a sub-task is waited for with the one above it. */
  left = call(plane, "tasks.list", json_pack("{s:s}", "status", "pending"));
  need(muster_resume(plane, &error), &error, "what was left behind");
  json_array_foreach(json_object_get(left, "items"), index, task)
    if (json_is_null(json_object_get(task, "parent_task_id"))) report(plane, text_of(task, "id"));
  json_decref(left);

  guide = call(plane, "agents.create",
               json_pack("{s:{s:s, s:s, s:s?}}", "body", "name", "Guide", "description", "Knows Paris.", "model_name", helper));
  leader = call(plane, "agents.create",
                json_pack("{s:{s:s, s:{s:s}, s:[{s:s, s:s, s:[]}], s:[s]}}", "body", "name", "Leader", "instructions",
                          "general", "Ask Guide which quarter of Paris is quiet. Then book two nights.", "graph", "item_id",
                          text_of(guide, "id"), "type", "agent", "targets", "tools", "book"));
  /* The answer is the task, `pending`, as soon as it is on disk. */
  task = call(plane, "agents.invoke_async",
              json_pack("{s:s, s:{s:{s:s}, s:{s:i, s:i}}}", "agent_id", text_of(leader, "id"), "body", "input", "text",
                        "I need a room in Paris.", "limits", "model_calls", 12, "seconds", 240));
  good = report(plane, text_of(task, "id"));
  json_decref(task);
  json_decref(leader);
  json_decref(guide);
  muster_close(plane);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
