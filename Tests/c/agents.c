/* The named functions for agents: their defaults, their outputs, their errors. argv[1]: an empty folder. */
#define _POSIX_C_SOURCE 200809L
#include "plane.h"

/* A failed call leaves its outputs NULL and 0, whatever they held before. */
static void unknown_agent_is_404_in_every_field(muster *plane) {
  char *text = (char *)plane;
  size_t length = 77;
  muster_error *error = NULL;
  json_t *document;
  const char *json;
  CHECK_INTEGER(MUSTER_E_API, muster_agent_get(plane, "no-such-agent", &text, &length, &error));
  CHECK(text == NULL);
  CHECK_INTEGER(0, length);
  if (!CHECK(error != NULL)) {
    return;
  }
  CHECK_INTEGER(MUSTER_E_API, muster_error_status(error));
  CHECK_INTEGER(404, muster_error_http_status(error));
  CHECK(!muster_error_retryable(error));
  CHECK(strstr(muster_error_message(error), "Agent not found") != NULL);
  CHECK(strchr(muster_error_message(error), '\n') == NULL);
  json = muster_error_json(error, &length);
  CHECK_INTEGER(strlen(json), length);
  CHECK(json == muster_error_json(error, NULL));
  document = json_loads(json, 0, NULL);
  CHECK_INTEGER(1, json_object_size(document));
  CHECK_TEXT("Agent not found", text_at(document, "detail"));
  json_decref(document);
  muster_error_free(error);
}

static void validation_error_names_the_place(muster *plane) {
  muster_error *error = NULL;
  json_t *document, *problem;
  CHECK_INTEGER(MUSTER_E_API, muster_agent_create(plane, "{}", NULL, NULL, &error));
  CHECK_INTEGER(422, muster_error_http_status(error));
  document = json_loads(muster_error_json(error, NULL), 0, NULL);
  CHECK_INTEGER(1, json_array_size(member(document, "detail")));
  problem = json_array_get(member(document, "detail"), 0);
  CHECK_TEXT("body", json_string_value(json_array_get(member(problem, "loc"), 0)));
  CHECK_TEXT("name", json_string_value(json_array_get(member(problem, "loc"), 1)));
  CHECK_TEXT("field required", text_at(problem, "msg"));
  CHECK_TEXT("value_error.missing", text_at(problem, "type"));
  json_decref(document);
  muster_error_free(error);
}

static void create_gives_the_whole_agent(muster *plane) {
  char *text = NULL;
  size_t length = 0;
  muster_error *error = (muster_error *)plane;
  json_t *agent;
  CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, "{\"name\":\"Caf\xc3\xa9\"}", &text, &length, &error));
  /* A success sets the error to NULL, whatever it held. */
  CHECK(error == NULL);
  CHECK(text != NULL && strlen(text) == length);
  agent = parse(text);
  CHECK_TEXT("Caf\xc3\xa9", text_at(agent, "name"));
  CHECK_TEXT("ACTIVE", text_at(agent, "status"));
  CHECK_INTEGER(2, integer_at(agent, "version"));
  CHECK(json_is_false(member(agent, "has_pending_changes")));
  CHECK(text_at(agent, "id") != NULL && strlen(text_at(agent, "id")) == 36);
  CHECK(text_at(agent, "organization_id") != NULL);
  CHECK(text_at(agent, "webhook_url") != NULL);
  json_decref(agent);
  CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, "{\"name\":\"Quiet\"}", NULL, NULL, NULL));
  /* The length alone may be asked for as well. */
  length = 0;
  CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, "{\"name\":\"Quiet\"}", NULL, &length, NULL));
  CHECK(length > 100);
}

static json_t *page(muster *plane, int32_t number, int32_t per_page, int full) {
  char *text = NULL;
  CHECK_INTEGER(MUSTER_OK, full ? muster_agents_list_full(plane, number, per_page, &text, NULL, NULL)
                                : muster_agents_list(plane, number, per_page, &text, NULL, NULL));
  return parse(text);
}

static void zero_takes_the_default_page(muster *plane) {
  for (int full = 0; full < 2; full++) {
    json_t *first = page(plane, 0, 0, full), *second = page(plane, 2, 2, full), *beyond = page(plane, 1000, 50, full);
    CHECK_INTEGER(1, integer_at(first, "page"));
    CHECK_INTEGER(20, integer_at(first, "per_page"));
    CHECK_INTEGER(3, integer_at(first, "total"));
    CHECK_INTEGER(1, integer_at(first, "total_pages"));
    CHECK_INTEGER(3, json_array_size(member(first, "items")));
    CHECK_INTEGER(2, integer_at(second, "total_pages"));
    CHECK_INTEGER(1, json_array_size(member(second, "items")));
    CHECK_TEXT("Caf\xc3\xa9", text_at(json_array_get(member(second, "items"), 0), "name"));
    CHECK_INTEGER(0, json_array_size(member(beyond, "items")));
    CHECK_INTEGER(3, integer_at(beyond, "total"));
    /* The full list has what the short form leaves out. */
    CHECK_INTEGER(full, member(json_array_get(member(first, "items"), 0), "agno_settings") != NULL);
    json_decref(first);
    json_decref(second);
    json_decref(beyond);
  }
}

static void pages_out_of_range_are_422(muster *plane) {
  static const int32_t wrong[][2] = {{-1, 20}, {INT32_MIN, 20}, {1, -1}, {1, 51}, {1, INT32_MAX}};
  for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
    muster_error *error = NULL;
    char *text = NULL;
    CHECK_INTEGER(MUSTER_E_API, muster_agents_list(plane, wrong[index][0], wrong[index][1], &text, NULL, &error));
    CHECK_INTEGER(422, muster_error_http_status(error));
    CHECK(strstr(muster_error_json(error, NULL), index < 2 ? "[\"query\",\"page\"]" : "[\"query\",\"per_page\"]") !=
          NULL);
    muster_error_free(error);
    CHECK_INTEGER(MUSTER_E_API, muster_agents_list_full(plane, wrong[index][0], wrong[index][1], &text, NULL, NULL));
    CHECK(text == NULL);
  }
}

static json_t *get(muster *plane, const char *id) {
  char *text = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_agent_get(plane, id, &text, NULL, NULL));
  return parse(text);
}

static void update_is_staged_until_a_deploy(muster *plane) {
  char *id = create_agent(plane, "Draft", NULL), *text = NULL;
  json_t *agent;
  CHECK_INTEGER(MUSTER_OK, muster_agent_update(plane, id, "{\"description\":\"one\"}", false, &text, NULL, NULL));
  agent = parse(text);
  CHECK(json_is_true(member(agent, "has_pending_changes")));
  CHECK_INTEGER(2, integer_at(agent, "version"));
  CHECK_TEXT("one", text_at(agent, "description"));
  json_decref(agent);
  text = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_agent_deploy(plane, id, &text, NULL, NULL));
  agent = parse(text);
  CHECK(json_is_false(member(agent, "has_pending_changes")));
  CHECK_INTEGER(3, integer_at(agent, "version"));
  json_decref(agent);
  CHECK_INTEGER(MUSTER_OK, muster_agent_update(plane, id, "{\"description\":\"two\"}", true, NULL, NULL, NULL));
  agent = get(plane, id);
  CHECK(json_is_false(member(agent, "has_pending_changes")));
  CHECK_INTEGER(4, integer_at(agent, "version"));
  CHECK_TEXT("two", text_at(agent, "description"));
  json_decref(agent);
  CHECK_INTEGER(MUSTER_E_API, muster_agent_update(plane, id, "{}", false, NULL, NULL, NULL));
  free(id);
}

static void a_deleted_agent_is_gone(muster *plane) {
  char *id = create_agent(plane, "Gone", NULL);
  muster_error *error = (muster_error *)plane;
  CHECK_INTEGER(MUSTER_OK, muster_agent_delete(plane, id, &error));
  CHECK(error == NULL);
  CHECK_INTEGER(MUSTER_E_API, muster_agent_delete(plane, id, &error));
  CHECK_INTEGER(404, muster_error_http_status(error));
  muster_error_free(error);
  CHECK_INTEGER(MUSTER_E_API, muster_agent_get(plane, id, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_agent_deploy(plane, id, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_agent_update(plane, id, "{\"name\":\"x\"}", false, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API,
                muster_agent_invoke(plane, id, NULL, "{\"input\":{\"text\":\"x\"}}", 0, NULL, NULL, NULL));
  free(id);
}

static void what_was_acknowledged_is_there_after_a_reopen(const char *path, const char *id) {
  muster *plane = open_store(path, "echo");
  json_t *agent = get(plane, id);
  CHECK_TEXT("Kept", text_at(agent, "name"));
  json_decref(agent);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
}

/* The call by name gives the same text as the named function. */
static void the_named_function_is_the_operation(muster *plane, const char *id) {
  char *named = NULL, *called = NULL;
  size_t named_length = 0, called_length = 0;
  json_t *args = json_pack("{s:s, s:{s:s}, s:i}", "agent_id", id, "unknown", "key", "ignored", "page", 1);
  char *args_text = json_dumps(args, 0);
  CHECK_INTEGER(MUSTER_OK, muster_agent_get(plane, id, &named, &named_length, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.get", args_text, 0, &called, &called_length, NULL));
  CHECK_INTEGER(named_length, called_length);
  CHECK(named != NULL && called != NULL && strcmp(named, called) == 0);
  muster_free(named);
  muster_free(called);
  free(args_text);
  json_decref(args);
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "agents.db"), *id;
  muster *plane = open_store(path, "echo");
  unknown_agent_is_404_in_every_field(plane);
  validation_error_names_the_place(plane);
  create_gives_the_whole_agent(plane);
  zero_takes_the_default_page(plane);
  pages_out_of_range_are_422(plane);
  update_is_staged_until_a_deploy(plane);
  a_deleted_agent_is_gone(plane);
  id = create_agent(plane, "Kept", NULL);
  the_named_function_is_the_operation(plane, id);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  what_was_acknowledged_is_there_after_a_reopen(path, id);
  free(id);
  free(path);
  return check_finish("agents");
}
