/* SPDX-License-Identifier: Apache-2.0
 *
 * invoke FOLDER ROUNDS COUNT - a blocking invoke against a loopback server with a fixed answer, against a C program that builds the request and
 * reads the answer with jansson, sends it over a kept connection of libcurl, and commits twice: when it is accepted, and when it is finished.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <curl/curl.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* ---- the server: a thread for each connection ---- */

static const char answer[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"fixed\",\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":\"Hello from the model.\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,"
    "\"completion_tokens\":5,\"total_tokens\":17}}";

static void *serve(void *argument) {
  int connection = (int)(intptr_t)argument;
  char request[65536], reply[1024];
  size_t have = 0;
  int length = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        sizeof answer - 1, answer);
  for (;;) {
    char *end;
    request[have] = 0;
    while ((end = strstr(request, "\r\n\r\n")) == NULL) {
      ssize_t got = have < sizeof request - 1 ? read(connection, request + have, sizeof request - 1 - have) : 0;
      if (got <= 0) goto closed;
      have += (size_t)got;
      request[have] = 0;
    }
    const char *field = strcasestr(request, "\r\ncontent-length:");
    size_t wanted = (size_t)(end - request) + 4 + (field != NULL && field < end ? strtoul(field + 17, NULL, 10) : 0);
    if (wanted >= sizeof request) break;
    while (have < wanted) {
      ssize_t got = read(connection, request + have, sizeof request - 1 - have);
      if (got <= 0) goto closed;
      have += (size_t)got;
    }
    memmove(request, request + wanted, have - wanted);
    have -= wanted;
    if (write(connection, reply, (size_t)length) != length) break;
  }
closed:
  close(connection);
  return NULL;
}

static void *listen_for_ever(void *argument) {
  int listener = (int)(intptr_t)argument;
  for (;;) {
    pthread_t thread;
    int connection = accept(listener, NULL, NULL), yes = 1;
    if (connection < 0) continue;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)connection) == 0) pthread_detach(thread);
  }
  return NULL;
}

static int start_server(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pthread_t thread;
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0) die("server", "cannot listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  if (pthread_create(&thread, NULL, listen_for_ever, (void *)(intptr_t)listener) != 0) die("server", "no thread");
  pthread_detach(thread);
  return ntohs(address.sin_port);
}

/* ---- the floor ---- */

static sqlite3 *database;
static sqlite3_stmt *accept_run, *finish_run;
static CURL *curl;
static char received[65536];
static size_t received_length;

static size_t receive(char *data, size_t size, size_t count, void *unused) {
  (void)unused;
  if (received_length + size * count > sizeof received) return 0;
  memcpy(received + received_length, data, size * count);
  received_length += size * count;
  return size * count;
}

static void floor_open(const char *path, int port) {
  char url[128];
  database = sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sql_run(database,
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
          "CREATE TABLE runs (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, request TEXT NOT NULL, result TEXT)");
  accept_run = sql_prepare(database, "INSERT INTO runs VALUES (NULL, ?, 1, ?, NULL)");
  finish_run = sql_prepare(database, "UPDATE runs SET status = 2, result = ? WHERE id = ?");
  curl = curl_easy_init();
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/chat/completions", port);
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Authorization: Bearer none");
  headers = curl_slist_append(headers, "Expect:");
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
}

static void floor_invoke(const char *body) {
  static unsigned int serial;
  char id[64];
  json_error_t problem;
  json_t *asked = json_loads(body, 0, &problem);
  const char *text = json_string_value(json_object_get(json_object_get(asked, "input"), "text"));
  json_t *request = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "model", "fixed", "messages", "role", "system", "content",
                              agent_body(), "role", "user", "content", text);
  char *wire = json_dumps(request, JSON_COMPACT);
  snprintf(id, sizeof id, "01a1fff7-0000-7000-8000-%012x", ++serial);
  sqlite3_bind_text(accept_run, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_text(accept_run, 2, wire, -1, SQLITE_STATIC);
  sql_step(database, accept_run);
  received_length = 0;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, wire);
  if (curl_easy_perform(curl) != CURLE_OK) die("curl", NULL);
  json_t *reply = json_loadb(received, received_length, 0, &problem);
  const char *content = json_string_value(
      json_object_get(json_object_get(json_array_get(json_object_get(reply, "choices"), 0), "message"), "content"));
  if (content == NULL) die("floor", "no answer");
  sqlite3_bind_text(finish_run, 1, content, -1, SQLITE_STATIC);
  sqlite3_bind_text(finish_run, 2, id, -1, SQLITE_STATIC);
  sql_step(database, finish_run);
  json_decref(reply);
  json_decref(request);
  json_decref(asked);
  free(wire);
}

int main(int count, char **arguments) {
  static figure invoke;
  const char *body = "{\"input\":{\"text\":\"What is the capital of France?\"}}";
  char path[1024], config[2048], id[64];
  char *text = NULL;
  muster *plane = NULL;
  muster_error *error = NULL;
  if (count != 4) die("invoke", "FOLDER ROUNDS COUNT");
  int rounds = atoi(arguments[2]);
  long total = atol(arguments[3]);
  int port = start_server();
  snprintf(config, sizeof config,
           "{\"store\":\"%s/invoke.db\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"fixed\","
           "\"api_base\":\"http://127.0.0.1:%d/v1\"}}",
           arguments[1], port);
  need(muster_open(config, NULL, &plane, &error), error, "open");
  need(muster_agent_create(plane, agent_body(), &text, NULL, &error), error, "agents.create");
  json_t *agent = json_loads(text, 0, NULL);
  snprintf(id, sizeof id, "%s", json_string_value(json_object_get(agent, "id")));
  json_decref(agent);
  muster_free(text);
  snprintf(path, sizeof path, "%s/invoke-floor.db", arguments[1]);
  floor_open(path, port);
  for (int round = -1; round < rounds; round++) {
    double start = now();
    for (long index = 0; index < total; index++) {
      need(muster_agent_invoke(plane, id, NULL, body, -1, &text, NULL, &error), error, "agents.invoke");
      if (strstr(text, "\"status\":\"completed\"") == NULL) die("invoke", text);
      muster_free(text);
    }
    double middle = now();
    for (long index = 0; index < total; index++) floor_invoke(body);
    if (round >= 0) add_round(&invoke, (middle - start) / (double)total, (now() - middle) / (double)total);
  }
  print_figure("blocking invoke", &invoke, 1e3, "us", 1.5);
  muster_close(plane);
  return 0;
}
