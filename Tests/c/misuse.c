/* Every function answers misuse with a status, never with a signal: wrong handles, texts, JSON and arguments.
 * argv[1]: an empty folder. */
#define _POSIX_C_SOURCE 200809L
#include <muster_jansson.h>

#include "plane.h"

static char *agent_id;
static muster_queue *queue;
static char untouched;
#define NOT_TOUCHED (&untouched)

/* One call with one text that varies; everything else about it is right. */
typedef muster_status (*text_call)(muster *plane, const char *text, char **json, muster_error **error);

/* A failed call sets its outputs to NULL and 0; 99 and the old pointer stay where a function has no such output. */
static int json_not_given(const char *json, size_t length) {
  return (json == NULL && length == 0) || (json == NOT_TOUCHED && length == 99);
}

static int registered, released;

static void never(void *user_data, const char *call_id, const char *call_json) {
  (void)user_data, (void)call_id, (void)call_json;
  CHECK(!"a tool that was refused is called");
}

static void release_tool(void *user_data) {
  CHECK(user_data == NOT_TOUCHED);
  released++;
}

/* Registers a tool; released once for each time that this fails. */
static muster_status register_one(muster *plane, const char *spec, muster_error **error) {
  muster_status status = muster_tool_register(plane, spec, never, NOT_TOUCHED, release_tool, error);
  registered++;
  CHECK_INTEGER(status == MUSTER_OK ? registered - 1 : registered, released);
  return status;
}

#define TEXT_CALL(name, expression)                                                               \
  static muster_status name(muster *plane, const char *text, char **json, muster_error **error) { \
    size_t length = 99;                                                                           \
    muster_status status = expression;                                                            \
    CHECK(status == MUSTER_OK || json == NULL || json_not_given(*json, length));                  \
    return status;                                                                                \
  }

#define INVOKE_BODY "{\"input\":{\"text\":\"hello\"}}"
TEXT_CALL(call_operation, muster_call(plane, text, NULL, 0, json, &length, error))
TEXT_CALL(call_args, muster_call(plane, "agents.list", text, 0, json, &length, error))
TEXT_CALL(agent_get, muster_agent_get(plane, text, json, &length, error))
TEXT_CALL(agent_create, muster_agent_create(plane, text, json, &length, error))
TEXT_CALL(update_id, muster_agent_update(plane, text, "{\"name\":\"n\"}", true, json, &length, error))
TEXT_CALL(update_body, muster_agent_update(plane, agent_id, text, false, json, &length, error))
TEXT_CALL(agent_deploy, muster_agent_deploy(plane, text, json, &length, error))
TEXT_CALL(agent_delete, muster_agent_delete(plane, text, error))
TEXT_CALL(invoke_id, muster_agent_invoke(plane, text, NULL, INVOKE_BODY, 0, json, &length, error))
TEXT_CALL(invoke_version, muster_agent_invoke(plane, agent_id, text, INVOKE_BODY, 0, json, &length, error))
TEXT_CALL(invoke_body, muster_agent_invoke(plane, agent_id, NULL, text, 0, json, &length, error))
TEXT_CALL(tasks_list, muster_tasks_list(plane, text, 0, 0, json, &length, error))
TEXT_CALL(task_get, muster_task_get(plane, text, json, &length, error))
TEXT_CALL(task_stop, muster_task_stop(plane, text, json, &length, error))
TEXT_CALL(task_thread, muster_task_thread(plane, text, json, &length, error))
TEXT_CALL(task_delete, muster_task_delete(plane, text, error))
TEXT_CALL(agents_list, ((void)text, muster_agents_list(plane, 0, 0, json, &length, error)))
TEXT_CALL(agents_list_full, ((void)text, muster_agents_list_full(plane, 0, 0, json, &length, error)))
TEXT_CALL(http_method, muster_http(plane, text, "/health", NULL, NULL, 0, NULL, json, NULL, &length, error))
TEXT_CALL(http_target, muster_http(plane, "GET", text, NULL, NULL, 0, NULL, json, NULL, &length, error))
TEXT_CALL(http_headers, muster_http(plane, "GET", "/health", text, NULL, 0, NULL, json, NULL, &length, error))
TEXT_CALL(submit_operation, muster_submit(plane, queue, text, NULL, NULL, NULL, error))
TEXT_CALL(submit_args, muster_submit(plane, queue, "agents.list", text, NULL, NULL, error))
TEXT_CALL(stream_id, muster_agent_invoke_stream(plane, queue, text, NULL, INVOKE_BODY, NULL, NULL, error))
TEXT_CALL(stream_version, muster_agent_invoke_stream(plane, queue, agent_id, text, INVOKE_BODY, NULL, NULL, error))
TEXT_CALL(stream_body, muster_agent_invoke_stream(plane, queue, agent_id, NULL, text, NULL, NULL, error))
TEXT_CALL(async_id, muster_agent_invoke_async(plane, text, NULL, INVOKE_BODY, json, &length, error))
TEXT_CALL(async_version, muster_agent_invoke_async(plane, agent_id, text, INVOKE_BODY, json, &length, error))
TEXT_CALL(async_body, muster_agent_invoke_async(plane, agent_id, NULL, text, json, &length, error))
TEXT_CALL(http_submit_method, muster_http_submit(plane, queue, text, "/health", NULL, NULL, 0, NULL, NULL, error))
TEXT_CALL(http_submit_target, muster_http_submit(plane, queue, "GET", text, NULL, NULL, 0, NULL, NULL, error))
TEXT_CALL(http_submit_headers, muster_http_submit(plane, queue, "GET", "/health", text, NULL, 0, NULL, NULL, error))
TEXT_CALL(tool_spec, register_one(plane, text, error))
TEXT_CALL(tool_spec_queue, muster_tool_register_queue(plane, text, queue, error))
TEXT_CALL(tool_name, muster_tool_unregister(plane, text, error))
TEXT_CALL(reply_call, muster_tool_reply(plane, text, "1", false, error))
TEXT_CALL(reply_result, muster_tool_reply(plane, "nobody waits", text, true, error))
TEXT_CALL(call_jansson, muster_call_j(plane, text, NULL, 0, NULL, error))

/* What the varying text of a call is. IS_LATE: what the operation finds wrong comes with an event. IS_VALUE: it may be any
 * JSON value. */
enum { IS_NAME = 1, IS_JSON = 2, MAY_BE_NULL = 4, IS_UNUSED = 8, IS_BODY = 16, IS_LATE = 32, IS_VALUE = 64 };

static const struct {
  const char *name;
  text_call call;
  int text;
} calls[] = {
    {"muster_call operation", call_operation, IS_NAME},
    {"muster_call args", call_args, IS_JSON | MAY_BE_NULL},
    {"muster_agent_get", agent_get, IS_NAME},
    {"muster_agent_create", agent_create, IS_JSON | IS_BODY},
    {"muster_agent_update id", update_id, IS_NAME},
    {"muster_agent_update body", update_body, IS_JSON | IS_BODY},
    {"muster_agent_deploy", agent_deploy, IS_NAME},
    {"muster_agent_delete", agent_delete, IS_NAME},
    {"muster_agent_invoke id", invoke_id, IS_NAME},
    {"muster_agent_invoke version", invoke_version, IS_NAME | MAY_BE_NULL},
    {"muster_agent_invoke body", invoke_body, IS_JSON | IS_BODY},
    {"muster_tasks_list", tasks_list, IS_JSON | MAY_BE_NULL},
    {"muster_task_get", task_get, IS_NAME},
    {"muster_task_stop", task_stop, IS_NAME},
    {"muster_task_thread", task_thread, IS_NAME},
    {"muster_task_delete", task_delete, IS_NAME},
    {"muster_agents_list", agents_list, IS_UNUSED},
    {"muster_agents_list_full", agents_list_full, IS_UNUSED},
    {"muster_http method", http_method, IS_NAME},
    {"muster_http target", http_target, IS_NAME},
    {"muster_http headers", http_headers, IS_JSON | MAY_BE_NULL},
    {"muster_submit operation", submit_operation, IS_NAME},
    {"muster_submit args", submit_args, IS_JSON | MAY_BE_NULL},
    {"muster_agent_invoke_stream id", stream_id, IS_NAME},
    {"muster_agent_invoke_stream version", stream_version, IS_NAME | MAY_BE_NULL},
    {"muster_agent_invoke_stream body", stream_body, IS_JSON | IS_BODY | IS_LATE},
    {"muster_agent_invoke_async id", async_id, IS_NAME},
    {"muster_agent_invoke_async version", async_version, IS_NAME | MAY_BE_NULL},
    {"muster_agent_invoke_async body", async_body, IS_JSON | IS_BODY},
    {"muster_http_submit method", http_submit_method, IS_NAME},
    {"muster_http_submit target", http_submit_target, IS_NAME},
    {"muster_http_submit headers", http_submit_headers, IS_JSON | MAY_BE_NULL},
    {"muster_tool_register", tool_spec, IS_JSON},
    {"muster_tool_register_queue", tool_spec_queue, IS_JSON},
    {"muster_tool_unregister", tool_name, IS_NAME},
    {"muster_tool_reply call", reply_call, IS_NAME},
    {"muster_tool_reply result", reply_result, IS_JSON | IS_VALUE | MAY_BE_NULL},
    {"muster_call_j", call_jansson, IS_NAME},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* Makes one call that must fail with `wanted`: with all outputs, and again with none. */
static void expect(muster_status wanted, size_t index, muster *plane, const char *text, const char *why) {
  char *json = NOT_TOUCHED;
  muster_error *error = NULL;
  muster_status status = calls[index].call(plane, text, &json, &error);
  json_t *document;
  if (!CHECK_INTEGER(wanted, status) || status == MUSTER_OK) {
    fprintf(stderr, "  %s: %s\n", calls[index].name, why);
    report("  message", error);
    muster_error_free(error);
    return;
  }
  CHECK(error != NULL);
  CHECK_INTEGER(wanted, muster_error_status(error));
  CHECK(strlen(muster_error_message(error)) > 0 && strchr(muster_error_message(error), '\n') == NULL);
  CHECK(muster_error_http_status(error) >= 400 && muster_error_http_status(error) < 600);
  document = json_loads(muster_error_json(error, NULL), 0, NULL);
  CHECK_INTEGER(1, json_object_size(document));
  CHECK(member(document, "detail") != NULL);
  json_decref(document);
  muster_error_free(error);
  CHECK_INTEGER(wanted, calls[index].call(plane, text, NULL, NULL));
}

static void expect_everywhere(muster_status wanted, int kind, muster *plane, const char *text, const char *why) {
  for (size_t index = 0; index < CALLS; index++) {
    if (calls[index].text & kind) {
      expect(wanted, index, plane, text, why);
    }
  }
}

static void wrong_handles(muster *open_plane, muster *closed) {
  int local = 0;
  muster *const wrong[] = {NULL,
                           closed,
                           (muster *)(void *)&local,
                           (muster *)1,
                           (muster *)UINTPTR_MAX,
                           (muster *)((uintptr_t)open_plane + 1),
                           (muster *)((uintptr_t)open_plane ^ ((uintptr_t)1 << 40))};
  for (size_t which = 0; which < sizeof wrong / sizeof wrong[0]; which++) {
    for (size_t index = 0; index < CALLS; index++) {
      expect(MUSTER_E_BAD_HANDLE, index, wrong[which], calls[index].text & IS_JSON ? INVOKE_BODY : "agents.list",
             "handle");
    }
    CHECK_INTEGER(0, muster_ticket_new(wrong[which]));
    CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_cancel(wrong[which], 1));
    CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_resume(wrong[which], NULL));
    CHECK(muster_tool_cancelled(wrong[which], "c"));
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(NULL));
  CHECK_INTEGER(MUSTER_OK, muster_close(closed));
  CHECK_INTEGER(MUSTER_OK, muster_close(closed));
}

static void wrong_texts(muster *plane) {
  static const char *const broken[] = {"{",
                                       "}",
                                       "",
                                       "nul",
                                       "{\"a\":}",
                                       "{'a':1}",
                                       "{\"a\":1,}",
                                       "{\"a\":01}",
                                       "{\"a\":1}x",
                                       "{\"a\":\"\\u0000\"}",
                                       "{\"\\u0000\":1}",
                                       "{\"a\":\"\\ud800\"}",
                                       "{\"a\":18446744073709551616}",
                                       "{\"a\":\"\x01\"}"};
  static const char *const not_objects[] = {"[]", "\"text\"", "7", "null"};
  static const char *const not_utf8[] = {"{\"name\":\"\x80\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}",
                                         "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xe2\x82\"}"};
  for (size_t index = 0; index < CALLS; index++) {
    if (!(calls[index].text & (MAY_BE_NULL | IS_UNUSED))) {
      expect(MUSTER_E_MISUSE, index, plane, NULL, "NULL");
    }
  }
  for (size_t index = 0; index < sizeof not_utf8 / sizeof not_utf8[0]; index++) {
    expect_everywhere(MUSTER_E_UTF8, IS_NAME | IS_JSON, plane, not_utf8[index], not_utf8[index]);
  }
  for (size_t index = 0; index < sizeof broken / sizeof broken[0]; index++) {
    expect_everywhere(MUSTER_E_JSON, IS_JSON, plane, broken[index], broken[index]);
  }
  /* Arguments have to be an object; what a body has to be is the operation's to say. */
  for (size_t index = 0; index < sizeof not_objects / sizeof not_objects[0]; index++) {
    for (size_t number = 0; number < CALLS; number++) {
      if ((calls[number].text & IS_JSON) && !(calls[number].text & IS_LATE)) {
        int kind = calls[number].text;
        expect(kind & IS_BODY ? MUSTER_E_API : kind & IS_VALUE ? MUSTER_E_MISUSE : MUSTER_E_JSON, number, plane,
               not_objects[index], not_objects[index]);
      }
    }
  }
  expect_everywhere(MUSTER_E_UTF8, IS_NAME, plane, "\xff", "a lone byte");
}

/* The message of a JSON error says where. */
static void a_json_error_names_the_place(muster *plane) {
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_E_JSON, muster_agent_create(plane, "{\"name\":\n  \"x\",,}", NULL, NULL, &error));
  CHECK(strstr(muster_error_message(error), "line 2") != NULL);
  muster_error_free(error);
}

/* {"a":[[...]]} with `depth` levels in all. */
static char *nested(size_t depth) {
  char *text = malloc(2 * depth + 16);
  if (text == NULL) {
    abort();
  }
  memcpy(text, "{\"a\":", 5);
  memset(text + 5, '[', depth - 1);
  memset(text + 4 + depth, ']', depth - 1);
  memcpy(text + 3 + 2 * depth, "}", 2);
  return text;
}

static void too_deep(muster *plane) {
  static const size_t depths[] = {MUSTER_MAX_JSON_DEPTH + 1, 2048, 2049, 100000};
  char *text = nested(MUSTER_MAX_JSON_DEPTH);
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.list", text, 0, NULL, NULL, NULL));
  free(text);
  for (size_t index = 0; index < sizeof depths / sizeof depths[0]; index++) {
    text = nested(depths[index]);
    expect_everywhere(MUSTER_E_LIMIT, IS_JSON, plane, text, "nested too deep");
    /* Unclosed brackets recurse as deep as closed ones. */
    text[4 + depths[index]] = 0;
    expect_everywhere(MUSTER_E_LIMIT, IS_JSON, plane, text, "nested too deep, unclosed");
    free(text);
  }
}

static void too_large(muster *plane) {
  char *text = malloc(MUSTER_MAX_REQUEST_BYTES + 2);
  if (text == NULL) {
    abort();
  }
  memset(text, ' ', MUSTER_MAX_REQUEST_BYTES + 1);
  memcpy(text, "{}", 2);
  text[MUSTER_MAX_REQUEST_BYTES] = 0;
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.list", text, 0, NULL, NULL, NULL));
  text[MUSTER_MAX_REQUEST_BYTES] = ' ';
  text[MUSTER_MAX_REQUEST_BYTES + 1] = 0;
  expect_everywhere(MUSTER_E_LIMIT, IS_JSON, plane, text, "too large");
  /* What is not JSON is too large as well. */
  memset(text, 'a', MUSTER_MAX_REQUEST_BYTES + 1);
  expect_everywhere(MUSTER_E_LIMIT, IS_JSON | IS_NAME, plane, text, "too large");
  free(text);
}

static void wrong_operations_and_arguments(muster *plane) {
  static const struct {
    const char *operation, *args;
    muster_status status;
    int32_t http_status;
  } rows[] = {
      {"", "{}", MUSTER_E_UNKNOWN_OP, 404},
      {"agents", "{}", MUSTER_E_UNKNOWN_OP, 404},
      {"agents.lis", "{}", MUSTER_E_UNKNOWN_OP, 404},
      {"agents.list ", "{}", MUSTER_E_UNKNOWN_OP, 404},
      {"AGENTS.LIST", "{}", MUSTER_E_UNKNOWN_OP, 404},
      {"agents.list", "{\"page\":0}", MUSTER_E_API, 422},
      {"agents.list", "{\"page\":1.5}", MUSTER_E_API, 422},
      {"agents.list", "{\"page\":true}", MUSTER_E_API, 422},
      {"agents.list", "{\"page\":[1]}", MUSTER_E_API, 422},
      {"agents.list", "{\"per_page\":51}", MUSTER_E_API, 422},
      {"agents.list", "{\"per_page\":-9223372036854775808}", MUSTER_E_API, 422},
      {"agents.list", "{\"page\":9223372036854775807,\"per_page\":50}", MUSTER_OK, 0},
      {"agents.get", "{}", MUSTER_E_API, 422},
      {"agents.get", "{\"agent_id\":7}", MUSTER_E_API, 422},
      {"agents.get", "{\"agent_id\":null}", MUSTER_E_API, 422},
      {"agents.create", "{}", MUSTER_E_API, 422},
      {"agents.create", "{\"body\":[]}", MUSTER_E_API, 422},
      {"agents.create", "{\"body\":{\"name\":7}}", MUSTER_E_API, 422},
      {"agents.create", "{\"body\":{\"name\":\"\"}}", MUSTER_E_API, 422},
      {"tasks.list", "{\"status\":\"running\"}", MUSTER_E_API, 422},
      {"tasks.list", "{\"from_date\":\"yesterday\"}", MUSTER_E_API, 422},
  };
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    muster_error *error = NULL;
    if (!CHECK_INTEGER(rows[index].status,
                       muster_call(plane, rows[index].operation, rows[index].args, 0, NULL, NULL, &error)) ||
        (error != NULL && !CHECK_INTEGER(rows[index].http_status, muster_error_http_status(error)))) {
      fprintf(stderr, "  %s %s\n", rows[index].operation, rows[index].args);
    }
    muster_error_free(error);
  }
  /* Any timeout is a timeout. */
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.list", NULL, INT64_MIN, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_call(plane, "agents.list", NULL, INT64_MAX, NULL, NULL, NULL));
}

static void jansson_arguments(muster *plane) {
  muster_error *error = NULL;
  json_t *args = json_object(), *inner, *out = args;
  CHECK_INTEGER(MUSTER_OK, muster_call_j(plane, "agents.list", NULL, 0, &out, &error));
  CHECK(json_is_array(member(out, "items")));
  json_decref(out);
  CHECK_INTEGER(MUSTER_OK, muster_call_j(plane, "agents.list", args, 0, NULL, NULL));

  /* The arguments are borrowed: the caller's reference is the only one left after the call. */
  CHECK_INTEGER(1, args->refcount);
  json_decref(args);

  out = (json_t *)1;
  args = json_array();
  CHECK_INTEGER(MUSTER_E_JSON, muster_call_j(plane, "agents.list", args, 0, &out, &error));
  CHECK(out == NULL);
  muster_error_free(error);
  json_decref(args);

  for (size_t depth = 127; depth <= 5000; depth = depth == 127 ? 128 : depth * 2) {
    args = json_array();
    for (size_t level = 2; level < depth; level++) {
      inner = args;
      args = json_pack("[o]", inner);
    }
    args = json_pack("{s:o}", "a", args);
    CHECK_INTEGER(depth <= MUSTER_MAX_JSON_DEPTH ? MUSTER_OK : MUSTER_E_LIMIT,
                  muster_call_j(plane, "agents.list", args, 0, NULL, NULL));
    json_decref(args);
  }

  /* A circle has no end: it is too deep. */
  args = json_pack("{s:[]}", "a");
  inner = member(args, "a");
  json_array_append(inner, args);
  CHECK_INTEGER(MUSTER_E_LIMIT, muster_call_j(plane, "agents.list", args, 0, NULL, NULL));
  json_array_clear(inner);
  json_decref(args);

  args = json_pack("{s:o}", "agent_id", json_stringn_nocheck("a\0b", 3));
  CHECK_INTEGER(MUSTER_E_JSON, muster_call_j(plane, "agents.get", args, 0, NULL, NULL));
  json_decref(args);
  args = json_pack("{s:o}", "agent_id", json_string_nocheck("\xff"));
  muster_status status = muster_call_j(plane, "agents.get", args, 0, NULL, NULL);
  CHECK(status == MUSTER_E_UTF8 || status == MUSTER_E_JSON);
  json_decref(args);
}

/* A body may hold anything, but no more than a request, and it has to be there when it has a length. */
static void bodies_of_requests(muster *plane) {
  static const struct {
    const char *body;
    size_t length;
    muster_status status;
  } rows[] = {
      {NULL, 0, MUSTER_OK},
      {"", 0, MUSTER_OK},
      {"\0\xff", 2, MUSTER_OK},
      {NULL, 1, MUSTER_E_MISUSE},
      {"x", MUSTER_MAX_REQUEST_BYTES + (size_t)1, MUSTER_E_LIMIT},
      {"x", SIZE_MAX, MUSTER_E_LIMIT},
  };
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    int32_t http_status = 99;
    void *response = NOT_TOUCHED;
    size_t length = 99;
    muster_status status = muster_http(plane, "POST", "/v1/agents", NULL, rows[index].body, rows[index].length,
                                       &http_status, NULL, &response, &length, NULL);
    CHECK_INTEGER(rows[index].status, status);
    CHECK_INTEGER(status == MUSTER_OK ? 401 : 0, http_status);
    CHECK((response != NULL) == (status == MUSTER_OK) && (length > 0) == (status == MUSTER_OK));
    muster_free(response);
  }
  CHECK_INTEGER(MUSTER_E_MISUSE,
                muster_http(plane, "GET", "/health", "{\"a\":1}", NULL, 0, NULL, NULL, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_http(plane, "", "", "{}", NULL, 0, NULL, NULL, NULL, NULL, NULL));
}

static void freed_errors(muster *plane) {
  muster_error *error = NULL;
  const char *json;
  size_t length = 7;
  CHECK_INTEGER(MUSTER_E_API, muster_agent_get(plane, "nobody", NULL, NULL, &error));
  muster_error_free(error);
  for (int round = 0; round < 2; round++) {
    CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_error_status(error));
    CHECK_INTEGER(0, muster_error_http_status(error));
    CHECK(!muster_error_retryable(error));
    CHECK(muster_error_message(error) != NULL);
    json = muster_error_json(error, &length);
    CHECK(json != NULL && strlen(json) == length);
    muster_error_free(error);
    error = NULL;
  }
  muster_free(NULL);
}

static void wrong_tickets(muster *plane) {
  muster_ticket ticket = muster_ticket_new(plane);
  CHECK(ticket >= 1 && ticket < (muster_ticket)1 << 53);
  CHECK(muster_ticket_new(plane) != ticket);
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, 0));
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, UINT64_MAX));
  CHECK_INTEGER(MUSTER_OK, muster_cancel(plane, ticket + 1000));
  static const char *const wrong[] = {"{\"context\":7}", "{\"context\":{\"ticket\":\"1\"}}",
                                      "{\"context\":{\"ticket\":-1}}", "{\"context\":{\"ticket\":1.5}}"};
  for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
    CHECK(muster_call(plane, "agents.list", wrong[index], 0, NULL, NULL, NULL) != MUSTER_OK);
  }
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "misuse.db");
  muster *closed = open_store(path, "echo"), *plane = open_store(path, "echo");
  CHECK(closed != plane);
  CHECK_INTEGER(MUSTER_OK, muster_close(closed));
  agent_id = create_agent(plane, "Target", NULL);
  CHECK_INTEGER(MUSTER_OK, muster_queue_open(plane, &queue, NULL));
  wrong_handles(plane, closed);
  wrong_texts(plane);
  a_json_error_names_the_place(plane);
  too_deep(plane);
  too_large(plane);
  wrong_operations_and_arguments(plane);
  bodies_of_requests(plane);
  bodies_of_requests(plane);
  jansson_arguments(plane);
  freed_errors(plane);
  wrong_tickets(plane);

  /* After all that the plane works. */
  json_t *list = call(plane, "agents.list", NULL);
  CHECK_INTEGER(1, integer_at(list, "total"));
  json_decref(list);
  /* Nothing that was refused has an event. */
  muster_event event = MUSTER_EVENT_INIT;
  CHECK_INTEGER(MUSTER_E_TIMEOUT, muster_queue_next(queue, 100, &event));
  CHECK_INTEGER(MUSTER_OK, muster_queue_close(queue));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  free(agent_id);
  free(path);
  return check_finish("misuse");
}
