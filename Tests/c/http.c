/* muster_http: the REST service without a socket. argv[1]: an empty folder. */
#define _POSIX_C_SOURCE 200809L
#include <muster_jansson.h>

#include "plane.h"

/* A key to the plane that manages keys, as the headers of a request; the caller frees. */
static char *headers_with_key(muster *plane) {
  json_t *made = NULL, *headers;
  char *text;
  json_t *args = json_pack("{s:{s:s, s:b}}", "body", "name", "test", "can_manage_keys", 1);
  CHECK_INTEGER(MUSTER_OK, muster_call_j(plane, "keys.create", args, 0, &made, NULL));
  headers = json_pack("{s:s, s:s}", "X-API-Key", text_at(made, "key"), "X-Request-Id", "request-1");
  text = json_dumps(headers, JSON_COMPACT);
  json_decref(headers);
  json_decref(made);
  json_decref(args);
  return text;
}

struct answer {
  int32_t status;
  json_t *headers, *body;
  size_t length;
};

static struct answer ask(muster *plane, const char *method, const char *target, const char *headers,
                         const char *body) {
  struct answer answer = {0, NULL, NULL, 0};
  char *header_text = NULL;
  void *text = NULL;
  muster_error *error = NULL;
  CHECK_INTEGER(MUSTER_OK, muster_http(plane, method, target, headers, body, body != NULL ? strlen(body) : 0,
                                       &answer.status, &header_text, &text, &answer.length, &error));
  CHECK(error == NULL && header_text != NULL && text != NULL);
  CHECK(strlen(text) == answer.length);
  answer.headers = json_loads(header_text, 0, NULL);
  answer.body = json_loadb(text, answer.length, JSON_DECODE_ANY, NULL);
  CHECK(text_at(answer.headers, "X-Request-Id") != NULL);
  muster_free(header_text);
  muster_free(text);
  return answer;
}

static void drop(struct answer answer) {
  json_decref(answer.headers);
  json_decref(answer.body);
}

static void statuses_and_bodies(muster *plane, const char *headers) {
  static const struct {
    const char *method, *target, *body;
    int with_key;
    int32_t status;
  } rows[] = {
      {"GET", "/health", NULL, 0, 200},
      {"GET", "/v1/agents", NULL, 0, 401},
      {"GET", "/v1/agents", NULL, 1, 200},
      {"POST", "/v1/agents", "{\"name\":\"A\"}", 1, 201},
      {"POST", "/v1/agents", "{\"name\":\"\"}", 1, 422},
      {"POST", "/v1/agents", "{\"name\":", 1, 422},
      {"POST", "/v1/agents", NULL, 1, 422},
      {"DELETE", "/v1/agents", NULL, 1, 405},
      {"GET", "/v1/agents/none", NULL, 1, 404},
      {"GET", "/v1/agents?page=0", NULL, 1, 422},
      {"GET", "/nowhere", NULL, 1, 404},
      {"GET", "/v1/%", NULL, 1, 400},
      {"POST", "/v1/agents/any/invoke/stream", "{}", 1, 422},
  };
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    struct answer answer =
        ask(plane, rows[index].method, rows[index].target, rows[index].with_key ? headers : NULL, rows[index].body);
    if (!CHECK_INTEGER(rows[index].status, answer.status)) {
      fprintf(stderr, "  %s %s\n", rows[index].method, rows[index].target);
    }
    CHECK(answer.status < 400 || member(answer.body, "detail") != NULL);
    CHECK(strcmp(text_at(answer.headers, "Content-Type"), "application/json") == 0);
    CHECK(!rows[index].with_key || strcmp(text_at(answer.headers, "X-Request-Id"), "request-1") == 0);
    drop(answer);
  }
}

static void head_has_the_headers_of_get(muster *plane, const char *headers) {
  struct answer get = ask(plane, "GET", "/v1/agents", headers, NULL),
                head = ask(plane, "HEAD", "/v1/agents", headers, NULL);
  CHECK_INTEGER(200, head.status);
  CHECK_INTEGER(0, head.length);
  CHECK_INTEGER(get.length, strtol(text_at(head.headers, "Content-Length"), NULL, 10));
  drop(get);
  drop(head);
}

/* A key can be revoked by its own service, and then it is no key any more. */
static void a_revoked_key(muster *plane, const char *headers) {
  struct answer answer = ask(plane, "GET", "/v1/keys", headers, NULL);
  char target[128];
  snprintf(target, sizeof target, "/v1/keys/%s", text_at(json_array_get(member(answer.body, "items"), 0), "id"));
  drop(answer);
  answer = ask(plane, "DELETE", target, headers, NULL);
  CHECK_INTEGER(204, answer.status);
  CHECK_INTEGER(0, answer.length);
  drop(answer);
  answer = ask(plane, "GET", "/v1/agents", headers, NULL);
  CHECK_INTEGER(401, answer.status);
  drop(answer);
}

int main(int argc, char **argv) {
  char *path = path_in(argc > 1 ? argv[1] : ".", "http.db"), *headers;
  muster *plane = NULL;
  if (!CHECK_INTEGER(MUSTER_OK, muster_open(path, NULL, &plane, NULL)) || plane == NULL) {
    return check_finish("http");
  }
  headers = headers_with_key(plane);
  statuses_and_bodies(plane, headers);
  head_has_the_headers_of_get(plane, headers);
  a_revoked_key(plane, headers);
  muster_close(plane);
  free(headers);
  free(path);
  return check_finish("http");
}
