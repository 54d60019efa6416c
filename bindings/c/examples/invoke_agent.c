/* Lists the agents of a store, asks one of them twice in the same thread, and prints the conversation.
 *
 *   cc -std=c99 invoke_agent.c -lmuster -ljansson -o invoke_agent
 *   MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=my-model ./invoke_agent agents.db
 */
#include <jansson.h>
#include <muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

/* Ends the program when a call has failed. What earlier calls have answered is safe in the store. */
/* By its address: a call may fill it in after the other arguments were read. */
static void check(muster_status status, const char *what, muster_error **error) {
  if (status != MUSTER_OK) {
    fprintf(stderr, "%s: %s\n", what, muster_error_message(*error));
    muster_error_free(*error);
    exit(EXIT_FAILURE);
  }
}

/* Turns an answer of the library into a jansson value and frees the text. */
static json_t *parse(char *text) {
  json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
  muster_free(text);
  return value;
}

/* Opens the store with the model that agents use unless they name one of their own. */
static muster *open_plane(const char *store, const char *provider, const char *model, const char *base) {
  muster *plane = NULL;
  muster_error *error = NULL;
  json_t *config = json_pack("{s:s, s:{s:s, s:s, s:s}}", "store", store, "default_model", "provider", provider, "name",
                             model, "api_base", base);
  char *text = json_dumps(config, JSON_COMPACT);
  check(muster_open(text, NULL, &plane, &error), "cannot open the store", &error);
  free(text);
  json_decref(config);
  return plane;
}

/* Gets the first page of agents, {"items":[...],"total":N,...}, and sets `found` to the id of the newest with this
 * model: an agent keeps the model that it was made with. */
static json_t *list(muster *plane, const char *model, const char **found) {
  muster_error *error = NULL;
  char *text = NULL;
  json_t *page, *agent;
  size_t index;
  check(muster_agents_list(plane, 1, 50, &text, NULL, &error), "cannot list the agents", &error);
  page = parse(text);
  json_array_foreach(json_object_get(page, "items"), index, agent) {
    if (*found == NULL && strcmp(text_of(agent, "model_name"), model) == 0) *found = text_of(agent, "id");
  }
  return page;
}

static void create(muster *plane, const char *name, const char *instructions) {
  muster_error *error = NULL;
  json_t *body = json_pack("{s:s, s:{s:s}}", "name", name, "instructions", "general", instructions);
  char *text = json_dumps(body, JSON_COMPACT);
  check(muster_agent_create(plane, text, NULL, NULL, &error), "cannot create an agent", &error);
  free(text);
  json_decref(body);
}

static void print_table(const json_t *page) {
  json_t *agent;
  size_t index;
  printf("%-36s  %-16s  %-8s  %s\n", "ID", "NAME", "STATUS", "MODEL");
  json_array_foreach(json_object_get(page, "items"), index, agent) {
    printf("%-36s  %-16s  %-8s  %s/%s\n", text_of(agent, "id"), text_of(agent, "name"), text_of(agent, "status"),
           text_of(agent, "model_provider"), text_of(agent, "model_name"));
  }
}

/* Asks the agent and waits at most a minute. `thread` is NULL for a new thread, else the id of an earlier task. */
static json_t *ask(muster *plane, const char *agent_id, const char *thread, const char *question) {
  muster_error *error = NULL;
  char *text = NULL;
  json_t *task, *body = json_pack("{s:{s:s}, s:s*}", "input", "text", question, "id", thread);
  char *body_text = json_dumps(body, JSON_COMPACT);
  json_int_t tokens;
  check(muster_agent_invoke(plane, agent_id, NULL, body_text, 60000, &text, NULL, &error), "cannot invoke", &error);
  task = parse(text);
  tokens = json_integer_value(json_object_get(json_object_get(task, "tokens"), "total_tokens"));
  printf("\n> %s\n%s\n[%s, %" JSON_INTEGER_FORMAT " tokens]\n", question, text_of(task, "result"),
         text_of(task, "status"), tokens);
  free(body_text);
  json_decref(body);
  if (tokens <= 0) exit(EXIT_FAILURE); /* a run that fails is a task too: its status and its result say why */
  return task;
}

int main(int argc, char **argv) {
  const char *base = getenv("MODEL_BASE"), *model = getenv("MODEL"), *provider = getenv("MODEL_PROVIDER"), *id = NULL;
  muster_error *error = NULL;
  muster *plane;
  json_t *page, *first, *second, *thread, *message;
  char *text = NULL;
  size_t index;
  if (argc != 2 || base == NULL || model == NULL) {
    fprintf(stderr, "usage: MODEL_BASE=URL MODEL=NAME [MODEL_PROVIDER=openai_compatible] %s STORE\n", argv[0]);
    return 2;
  }
  plane = open_plane(argv[1], provider != NULL ? provider : "openai_compatible", model, base);
  page = list(plane, model, &id);
  if (id == NULL) {
    create(plane, "Poet", "Answer in rhymes.");
    create(plane, "Guide", "You are a helpful guide. Answer in one short sentence.");
    json_decref(page);
    page = list(plane, model, &id);
  }
  print_table(page);
  first = ask(plane, id, NULL, "What is the capital of France?");
  second = ask(plane, id, text_of(first, "id"), "And how many people live there?");
  check(muster_task_thread(plane, text_of(first, "id"), &text, NULL, &error), "cannot read the thread", &error);
  thread = parse(text);
  puts("\nThe thread:");
  json_array_foreach(thread, index, message) {
    printf("%-9s  %s\n", text_of(message, "role"), text_of(message, "content"));
  }
  index = json_array_size(thread);
  json_decref(thread), json_decref(second), json_decref(first), json_decref(page);
  muster_close(plane);
  return index == 4 ? EXIT_SUCCESS : EXIT_FAILURE;
}
