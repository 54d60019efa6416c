/* SPDX-License-Identifier: Apache-2.0
 *
 * invoke FOLDER ROUNDS COUNT - a blocking invoke against a loopback server with a fixed answer, against a C program that builds the request and
 * reads the answer with jansson, sends it over a kept connection of libcurl, and commits twice: when it is accepted, and when it is finished.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <jansson.h>

#include "model.h"

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
  int port = start_model();
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
