/* SPDX-License-Identifier: Apache-2.0
 *
 * tool FOLDER ROUNDS COUNT - a turn in which the model calls a tool: two answers of a loopback server, and a C function between them. Against a C
 * program that sends the same bytes over a kept connection of libcurl, reads the answers with jansson, calls the function, and commits as often: when
 * the run is accepted and when it is finished; for a tool that changes something also before and after it is called.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <jansson.h>

#include "model.h"

#define DESCRIPTION "Adds two numbers."
#define PARAMETERS \
  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"integer\"}},\"required\":[\"a\",\"b\"]}"

/* ---- the tool ---- */

static long add(const json_t *arguments) {
  return (long)(json_integer_value(json_object_get(arguments, "a")) + json_integer_value(json_object_get(arguments, "b")));
}

static muster *plane;

static void call_tool(void *user_data, const char *call_id, const char *call_json) {
  char result[32];
  json_t *call = json_loads(call_json, 0, NULL);
  (void)user_data;
  snprintf(result, sizeof result, "%ld", add(json_object_get(call, "arguments")));
  need(muster_tool_reply(plane, call_id, result, false, NULL), NULL, "muster_tool_reply");
  json_decref(call);
}

/* ---- the floor ---- */

static sqlite3 *database;
static sqlite3_stmt *accept_run, *finish_run, *take_down;
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
          "CREATE TABLE runs (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, request TEXT NOT NULL, result TEXT);"
          "CREATE TABLE steps (key INTEGER PRIMARY KEY, run INTEGER NOT NULL, text TEXT NOT NULL)");
  accept_run = sql_prepare(database, "INSERT INTO runs VALUES (NULL, ?, 1, ?, NULL)");
  take_down = sql_prepare(database, "INSERT INTO steps VALUES (NULL, ?, ?)");
  finish_run = sql_prepare(database, "UPDATE runs SET status = 2, result = ? WHERE key = ?");
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

/* Asks the model, and gives the message that it answers with, which belongs to `reply`. */
static json_t *floor_ask(json_t *request, json_t **reply) {
  char *wire = json_dumps(request, JSON_COMPACT);
  received_length = 0;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, wire);
  if (curl_easy_perform(curl) != CURLE_OK) die("curl", NULL);
  free(wire);
  *reply = json_loadb(received, received_length, 0, NULL);
  return json_object_get(json_array_get(json_object_get(*reply, "choices"), 0), "message");
}

static void floor_step(sqlite3_int64 run, const json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  sqlite3_bind_int64(take_down, 1, run);
  sqlite3_bind_text(take_down, 2, text, -1, SQLITE_STATIC);
  sql_step(database, take_down);
  free(text);
}

/* `tool`: its name, which the agents of both have. */
static void floor_turn(const char *body, const char *system, const char *tool, bool changes) {
  static unsigned int serial;
  char id[64], result[32];
  json_t *asked = json_loads(body, 0, NULL), *parameters = json_loads(PARAMETERS, 0, NULL), *reply, *message;
  json_t *messages = json_pack("[{s:s, s:s}, {s:s, s:O}]", "role", "system", "content", system, "role", "user", "content",
                               json_object_get(json_object_get(asked, "input"), "text"));
  json_t *request = json_pack("{s:s, s:O, s:[{s:s, s:{s:s, s:s, s:o}}]}", "model", "fixed", "messages", messages, "tools", "type",
                              "function", "function", "name", tool, "description", DESCRIPTION, "parameters", parameters);
  snprintf(id, sizeof id, "01a1fff7-0000-7000-8000-%012x", ++serial);
  sqlite3_bind_text(accept_run, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_text(accept_run, 2, body, -1, SQLITE_STATIC);
  sql_step(database, accept_run);
  sqlite3_int64 run = sqlite3_last_insert_rowid(database);
  message = floor_ask(request, &reply);
  json_t *call = json_array_get(json_object_get(message, "tool_calls"), 0);
  if (call == NULL) die("floor", "no call");
  if (changes) floor_step(run, message);
  json_t *arguments = json_loads(json_string_value(json_object_get(json_object_get(call, "function"), "arguments")), 0, NULL);
  snprintf(result, sizeof result, "%ld", add(arguments));
  json_t *returned = json_pack("{s:s, s:O, s:s}", "role", "tool", "tool_call_id", json_object_get(call, "id"), "content", result);
  if (changes) floor_step(run, returned);
  json_array_append_new(messages, json_pack("{s:s, s:n, s:[O]}", "role", "assistant", "content", "tool_calls", call));
  json_array_append_new(messages, returned);
  json_decref(arguments);
  json_decref(reply);
  message = floor_ask(request, &reply);
  const char *content = json_string_value(json_object_get(message, "content"));
  if (content == NULL) die("floor", "no answer");
  sqlite3_bind_text(finish_run, 1, content, -1, SQLITE_STATIC);
  sqlite3_bind_int64(finish_run, 2, run);
  sql_step(database, finish_run);
  json_decref(reply);
  json_decref(messages);
  json_decref(request);
  json_decref(asked);
}

/* ---- both ---- */

static const char *body = "{\"input\":{\"text\":\"What is 19 and 23?\"}}";

static void our_turn(const char *agent) {
  char *text = NULL;
  muster_error *error = NULL;
  need(muster_agent_invoke(plane, agent, NULL, body, -1, &text, NULL, &error), error, "agents.invoke");
  if (strstr(text, "\"status\":\"completed\"") == NULL) die("invoke", text);
  muster_free(text);
}

/* Registers a tool, and makes an agent that has it. */
static void make_agent(const char *tool, const char *members, char id[64]) {
  char spec[1024], *text = NULL;
  muster_error *error = NULL;
  snprintf(spec, sizeof spec, "{\"name\":\"%s\",\"description\":\"" DESCRIPTION "\",\"parameters\":" PARAMETERS "%s}", tool, members);
  need(muster_tool_register(plane, spec, call_tool, NULL, NULL, &error), error, "muster_tool_register");
  json_t *agent = json_loads(agent_body(), 0, NULL);
  json_object_set_new(agent, "tools", json_pack("[s]", tool));
  char *made = json_dumps(agent, JSON_COMPACT);
  need(muster_agent_create(plane, made, &text, NULL, &error), error, "agents.create");
  json_decref(agent);
  agent = json_loads(text, 0, NULL);
  snprintf(id, 64, "%s", json_string_value(json_object_get(agent, "id")));
  json_decref(agent);
  free(made);
  muster_free(text);
}

/* Whether the floor asks what we ask; gives the system message. */
static char *compare(const char *agent, const char *tool) {
  our_turn(agent);
  json_t *ours[2] = {json_loads(model_asked[0], 0, NULL), json_loads(model_asked[1], 0, NULL)};
  size_t sizes[2] = {strlen(model_asked[0]), strlen(model_asked[1])};
  char *system = strdup(json_string_value(
      json_object_get(json_array_get(json_object_get(ours[0], "messages"), 0), "content")));
  floor_turn(body, system, tool, true);
  for (int index = 0; index < 2; index++) {
    json_t *floor = json_loads(model_asked[index], 0, NULL);
    if (!json_equal(ours[index], floor) || strlen(model_asked[index]) != sizes[index]) {
      fprintf(stderr, "ours:  %s\nfloor: %s\n", json_dumps(ours[index], JSON_COMPACT), model_asked[index]);
      die("tool", "the floor asks something else");
    }
    json_decref(floor);
    json_decref(ours[index]);
  }
  return system;
}

int main(int count, char **arguments) {
  static const struct {
    const char *figure, *tool, *members;
    bool changes;
    double bound;
  } kinds[] = {{"a turn with a tool that changes something", "add_once", "", true, 1.5},
               {"a turn with a tool that only reads", "add_read", ",\"read_only\":true", false, 1.5},
               {"...that changes something, on the caller's thread", "add_here", ",\"thread\":\"caller\"", true, 0}};
  enum { KINDS = sizeof kinds / sizeof *kinds };
  static figure figures[KINDS];
  char path[1024], config[2048], ids[KINDS][64], *systems[KINDS];
  muster_error *error = NULL;
  if (count != 4) die("tool", "FOLDER ROUNDS COUNT");
  int rounds = atoi(arguments[2]);
  long total = atol(arguments[3]);
  int port = start_model();
  snprintf(config, sizeof config,
           "{\"store\":\"%s/tool.db\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"fixed\","
           "\"api_base\":\"http://127.0.0.1:%d/v1\"}}",
           arguments[1], port);
  need(muster_open(config, NULL, &plane, &error), error, "open");
  snprintf(path, sizeof path, "%s/tool-floor.db", arguments[1]);
  floor_open(path, port);
  for (int kind = 0; kind < KINDS; kind++) {
    make_agent(kinds[kind].tool, kinds[kind].members, ids[kind]);
    systems[kind] = compare(ids[kind], kinds[kind].tool);
  }
  for (int round = -1; round < rounds; round++) {
    for (int kind = 0; kind < KINDS; kind++) {
      double start = now();
      for (long index = 0; index < total; index++) our_turn(ids[kind]);
      double middle = now();
      for (long index = 0; index < total; index++) floor_turn(body, systems[kind], kinds[kind].tool, kinds[kind].changes);
      if (round >= 0) add_round(&figures[kind], (middle - start) / (double)total, (now() - middle) / (double)total);
    }
  }
  for (int kind = 0; kind < KINDS; kind++) print_figure(kinds[kind].figure, &figures[kind], 1e3, "us", kinds[kind].bound);
  muster_close(plane);
  for (int kind = 0; kind < KINDS; kind++) free(systems[kind]);
  return 0;
}
