/* Asks an agent twice in the same thread, with jansson objects in and out: no JSON text on the way.
 *
 *   cc -std=c99 invoke_jansson.c -lmuster -ljansson -o invoke_jansson
 *   MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=my-model ./invoke_jansson agents.db
 */
#include <muster_jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

/* Calls an operation and gives its answer, a new reference. Takes over `args`. Ends the program when the call fails. */
static json_t *call(muster *plane, const char *operation, json_t *args) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  if (muster_call_j(plane, operation, args, 60000, &answer, &error) != MUSTER_OK) {
    fprintf(stderr, "%s: %s\n", operation, muster_error_message(error));
    muster_error_free(error);
    exit(EXIT_FAILURE);
  }
  json_decref(args);
  return answer;
}

/* Opens the store with the model that agents use unless they name one of their own. */
static muster *open_plane(const char *store, const char *provider, const char *model, const char *base) {
  muster *plane = NULL;
  muster_error *error = NULL;
  json_t *config = json_pack("{s:s, s:{s:s, s:s, s:s}}", "store", store, "default_model", "provider", provider, "name",
                             model, "api_base", base);
  char *text = json_dumps(config, JSON_COMPACT);
  if (muster_open(text, NULL, &plane, &error) != MUSTER_OK) {
    fprintf(stderr, "cannot open the store: %s\n", muster_error_message(error));
    muster_error_free(error);
    exit(EXIT_FAILURE);
  }
  free(text);
  json_decref(config);
  return plane;
}

static int print_answer(const json_t *task) {
  json_int_t tokens = json_integer_value(json_object_get(json_object_get(task, "tokens"), "total_tokens"));
  printf("> %s\n%s\n[%s, %" JSON_INTEGER_FORMAT " tokens]\n\n", text_of(json_object_get(task, "input"), "text"),
         text_of(task, "result"), text_of(task, "status"), tokens);
  return tokens > 0;
}

int main(int argc, char **argv) {
  const char *base = getenv("MODEL_BASE"), *model = getenv("MODEL"), *provider = getenv("MODEL_PROVIDER");
  muster *plane;
  json_t *agent, *first, *second, *thread, *message;
  size_t index;
  int good;
  if (argc != 2 || base == NULL || model == NULL) {
    fprintf(stderr, "usage: MODEL_BASE=URL MODEL=NAME [MODEL_PROVIDER=openai_compatible] %s STORE\n", argv[0]);
    return 2;
  }
  plane = open_plane(argv[1], provider != NULL ? provider : "openai_compatible", model, base);

  /* Path and query parameters are at the top level of the arguments, the body of the request is under "body". */
  agent = call(plane, "agents.create", json_pack("{s:{s:s}}", "body", "name", "Guide"));
  first = call(
      plane, "agents.invoke",
      json_pack("{s:s, s:{s:{s:s}}}", "agent_id", text_of(agent, "id"), "body", "input", "text", "Name a colour."));
  good = print_answer(first);

  /* The id of a task is also the id of its thread: sent along, it continues the conversation. */
  second = call(plane, "agents.invoke",
                json_pack("{s:s, s:{s:{s:s}, s:s}}", "agent_id", text_of(agent, "id"), "body", "input", "text",
                          "And another one?", "id", text_of(first, "id")));
  good = print_answer(second) && good;

  thread = call(plane, "tasks.thread", json_pack("{s:s}", "task_id", text_of(first, "id")));
  json_array_foreach(thread, index, message) {
    printf("%-9s  %s\n", text_of(message, "role"), text_of(message, "content"));
  }
  good = good && json_array_size(thread) == 4;

  json_decref(thread);
  json_decref(second);
  json_decref(first);
  /* "null", an answer without content, is a json_t too. */
  json_decref(call(plane, "agents.delete", json_pack("{s:s}", "agent_id", text_of(agent, "id"))));
  json_decref(agent);
  muster_close(plane);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
