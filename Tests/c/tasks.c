/* The named functions for invoking and for tasks, with the mock's model `echo`. argv[1]: an empty folder. */
#define _POSIX_C_SOURCE 200809L
#include "plane.h"

static json_t *invoke(muster *plane, const char *agent, const char *version, const char *body) {
  char *text = NULL;
  size_t length = 0;
  muster_error *error = (muster_error *)plane;
  if (!CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, agent, version, body, 0, &text, &length, &error))) {
    report("invoke", error);
    return NULL;
  }
  CHECK(error == NULL);
  CHECK(text != NULL && strlen(text) == length);
  return parse(text);
}

static void two_turns_make_one_thread(muster *plane, const char *agent) {
  char *text = NULL;
  size_t index;
  json_t *task = invoke(plane, agent, NULL, "{\"input\":{\"text\":\"one\"},\"id\":\"thread-1\"}"), *thread, *message;
  CHECK_TEXT("thread-1", text_at(task, "id"));
  CHECK_TEXT("completed", text_at(task, "status"));
  CHECK_TEXT("echo: one", text_at(task, "result"));
  CHECK_TEXT(agent, text_at(task, "agent_id"));
  CHECK(integer_at(member(task, "tokens"), "total_tokens") > 0);
  CHECK_INTEGER(
      integer_at(member(task, "tokens"), "prompt_tokens") + integer_at(member(task, "tokens"), "completion_tokens"),
      integer_at(member(task, "tokens"), "total_tokens"));
  json_decref(task);
  task = invoke(plane, agent, NULL, "{\"input\":{\"text\":\"two\"},\"id\":\"thread-1\"}");
  CHECK_TEXT("thread-1", text_at(task, "id"));
  CHECK_TEXT("echo: two", text_at(task, "result"));
  CHECK_TEXT("two", text_at(member(task, "input"), "text"));
  json_decref(task);
  CHECK_INTEGER(MUSTER_OK, muster_task_thread(plane, "thread-1", &text, NULL, NULL));
  thread = parse(text);
  CHECK_INTEGER(4, json_array_size(thread));
  json_array_foreach(thread, index, message) {
    static const char *const contents[] = {"one", "echo: one", "two", "echo: two"};
    CHECK_TEXT(index % 2 == 0 ? "user" : "assistant", text_at(message, "role"));
    CHECK_TEXT(index < 4 ? contents[index] : "", text_at(message, "content"));
    CHECK(json_is_integer(member(message, "created_at")));
  }
  json_decref(thread);
}

static void get_gives_what_invoke_gave(muster *plane, const char *agent) {
  char *given = NULL, *got = NULL;
  json_t *task;
  CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, agent, NULL, "{\"input\":{\"text\":\"same\"},\"id\":\"same\"}", 0,
                                               &given, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_task_get(plane, "same", &got, NULL, NULL));
  CHECK(given != NULL && got != NULL && strcmp(given, got) == 0);
  muster_free(got);
  task = parse(given);
  CHECK_TEXT("echo: same", text_at(task, "result"));
  json_decref(task);
}

static void versions_run_what_they_say(muster *plane) {
  char *id = create_agent(plane, "Versions", "reply:old");
  json_t *task;
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_agent_update(plane, id, "{\"model_name\":\"reply:new\"}", false, NULL, NULL, NULL));
  task = invoke(plane, id, NULL, "{\"input\":{\"text\":\"x\"}}");
  CHECK_TEXT("old", text_at(task, "result"));
  json_decref(task);
  task = invoke(plane, id, "draft", "{\"input\":{\"text\":\"x\"}}");
  CHECK_TEXT("new", text_at(task, "result"));
  json_decref(task);
  CHECK_INTEGER(MUSTER_OK, muster_agent_deploy(plane, id, NULL, NULL, NULL));
  task = invoke(plane, id, NULL, "{\"input\":{\"text\":\"x\"}}");
  CHECK_TEXT("new", text_at(task, "result"));
  json_decref(task);
  task = invoke(plane, id, "2", "{\"input\":{\"text\":\"x\"}}");
  CHECK_TEXT("old", text_at(task, "result"));
  CHECK_TEXT("2", text_at(task, "agent_version"));
  json_decref(task);
  CHECK_INTEGER(MUSTER_E_API,
                muster_agent_invoke(plane, id, "99", "{\"input\":{\"text\":\"x\"}}", 0, NULL, NULL, &error));
  CHECK_INTEGER(404, muster_error_http_status(error));
  muster_error_free(error);
  free(id);
}

static void an_empty_input_is_422(muster *plane, const char *agent) {
  static const char *const bodies[] = {"{}", "{\"input\":{}}", "{\"input\":{\"text\":\"\"}}", "{\"input\":\"text\"}"};
  for (size_t index = 0; index < sizeof bodies / sizeof bodies[0]; index++) {
    muster_error *error = NULL;
    char *text = (char *)plane;
    CHECK_INTEGER(MUSTER_E_API, muster_agent_invoke(plane, agent, NULL, bodies[index], 0, &text, NULL, &error));
    CHECK(text == NULL);
    CHECK_INTEGER(422, muster_error_http_status(error));
    muster_error_free(error);
  }
}

static void lists_have_filters_and_defaults(muster *plane) {
  char *text = NULL;
  json_t *list;
  CHECK_INTEGER(MUSTER_OK, muster_tasks_list(plane, NULL, 0, 0, &text, NULL, NULL));
  list = parse(text);
  CHECK_INTEGER(1, integer_at(list, "page"));
  CHECK_INTEGER(20, integer_at(list, "per_page"));
  CHECK_INTEGER(6, integer_at(list, "total"));
  json_decref(list);
  text = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_tasks_list(plane, "{\"status\":\"stopped\"}", 1, 50, &text, NULL, NULL));
  list = parse(text);
  CHECK_INTEGER(0, integer_at(list, "total"));
  json_decref(list);
  text = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_tasks_list(plane, "{}", 2, 4, &text, NULL, NULL));
  list = parse(text);
  CHECK_INTEGER(2, json_array_size(member(list, "items")));
  CHECK_INTEGER(2, integer_at(list, "total_pages"));
  json_decref(list);
  CHECK_INTEGER(MUSTER_E_API, muster_tasks_list(plane, "{\"status\":\"running\"}", 0, 0, &text, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_tasks_list(plane, NULL, -1, 0, &text, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_tasks_list(plane, NULL, 0, 51, &text, NULL, NULL));
}

/* Stopping a task that has ended changes nothing; a deleted task is gone. */
static void stop_and_delete(muster *plane) {
  char *before = NULL, *after = NULL;
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_task_get(plane, "same", &before, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_task_stop(plane, "same", &after, NULL, NULL));
  CHECK(before != NULL && after != NULL && strcmp(before, after) == 0);
  muster_free(before);
  muster_free(after);
  CHECK_INTEGER(MUSTER_OK, muster_task_delete(plane, "same", NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_task_delete(plane, "same", &error));
  CHECK_INTEGER(404, muster_error_http_status(error));
  CHECK(strstr(muster_error_json(error, NULL), "Task not found") != NULL);
  muster_error_free(error);
  CHECK_INTEGER(MUSTER_E_API, muster_task_get(plane, "same", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_task_stop(plane, "same", NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_API, muster_task_thread(plane, "same", NULL, NULL, NULL));
}

/* An operation without an answer gives the text null. */
static void delete_by_name_answers_null(muster *plane) {
  char *text = NULL;
  size_t length = 0;
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "tasks.delete", "{\"task_id\":\"thread-1\"}", 0, &text, &length, NULL));
  CHECK_TEXT("null", text);
  CHECK_INTEGER(4, length);
  muster_free(text);
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "tasks.db");
  muster *plane = open_store(path, "echo");
  char *agent = create_agent(plane, "Echo", NULL);
  two_turns_make_one_thread(plane, agent);
  get_gives_what_invoke_gave(plane, agent);
  versions_run_what_they_say(plane);
  an_empty_input_is_422(plane, agent);
  lists_have_filters_and_defaults(plane);
  stop_and_delete(plane);
  delete_by_name_answers_null(plane);
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent);
  free(path);
  return check_finish("tasks");
}
