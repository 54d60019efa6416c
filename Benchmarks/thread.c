/* SPDX-License-Identifier: Apache-2.0
 *
 * thread FOLDER ROUNDS TURNS - a long thread: its turn TURNS and those behind it against turns 7 to 10 of new threads, each with a prompt, a call of a
 * tool that answers as much, and an answer; and what the file of such a thread has grown by against the bytes of those texts.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "model.h"

/* Models see the last three turns: from the fourth on all have as much to send. */
enum { LONGEST = 8192, EACH = 10, TENTH = 10, TIMED = 4 };

static muster *plane;
static char agent[64];
/* How many bytes a prompt has, and the result of a call. */
static size_t text_size;

/* Letters that are not the same twice. */
static void fill(char *text, size_t size) {
  static unsigned int state = 1;
  for (size_t index = 0; index + 1 < size; index++) {
    state = state * 1664525 + 1013904223;
    text[index] = (state >> 16) % 7 == 0 ? ' ' : (char)('a' + (state >> 20) % 26);
  }
  text[size - 1] = 0;
}

static void call_tool(void *user_data, const char *call_id, const char *call_json) {
  char text[LONGEST + 1], result[LONGEST + 3];
  (void)user_data;
  (void)call_json;
  fill(text, text_size + 1);
  snprintf(result, sizeof result, "\"%s\"", text);
  need(muster_tool_reply(plane, call_id, result, false, NULL), NULL, "muster_tool_reply");
}

static void open_plane(const char *path, int port) {
  char config[2048];
  muster_error *error = NULL;
  snprintf(config, sizeof config,
           "{\"store\":\"%s\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"fixed\",\"api_base\":\"http://127.0.0.1:%d/v1\"}}", path,
           port);
  need(muster_open(config, NULL, &plane, &error), error, "open");
  need(muster_tool_register(plane, "{\"name\":\"read\",\"read_only\":true}", call_tool, NULL, NULL, &error), error, "muster_tool_register");
}

/* Nanoseconds for a turn of a thread. */
static double turn(const char *thread) {
  char prompt[LONGEST + 1], body[LONGEST + 256], *text = NULL;
  muster_error *error = NULL;
  fill(prompt, text_size + 1);
  snprintf(body, sizeof body, "{\"id\":\"%s\",\"input\":{\"text\":\"%s\"}}", thread, prompt);
  double start = now();
  need(muster_agent_invoke(plane, agent, NULL, body, -1, &text, NULL, &error), error, "agents.invoke");
  double time = now() - start;
  if (strstr(text, "\"status\":\"completed\"") == NULL) die("thread", text);
  muster_free(text);
  return time;
}

static double size_of(const char *path) {
  struct stat state;
  if (stat(path, &state) != 0) die(path, "no file");
  return (double)state.st_size;
}

/* Opens a store with an agent that has the tool. */
static void begin(const char *path, int port) {
  char *text = NULL;
  muster_error *error = NULL;
  open_plane(path, port);
  need(muster_agent_create(plane, "{\"name\":\"Reader\",\"tools\":[\"read\"]}", &text, NULL, &error), error, "agents.create");
  const char *id = strstr(text, "\"id\":\"");
  if (id == NULL || sscanf(id, "\"id\":\"%63[^\"]", agent) != 1) die("thread", text);
  muster_free(text);
}

/* What the file of a thread grows by from its tenth turn on, and what was said in them. */
static void measure_growth(const char *folder, int port, size_t size, int turns, double bound) {
  figure growth = {.rounds = 0};
  char path[1024], name[128];
  text_size = size;
  snprintf(path, sizeof path, "%s/thread-%zu.db", folder, size);
  begin(path, port);
  for (int number = 0; number < TENTH; number++) turn("long");
  muster_close(plane);
  double before = size_of(path);
  open_plane(path, port);
  for (int number = 0; number < turns; number++) turn("long");
  muster_close(plane);
  size_t said = 2 * size + strlen("{\"a\": 19, \"b\": 23}") + strlen("Hello from the model.");
  add_round(&growth, size_of(path) - before, (double)said * turns);
  snprintf(name, sizeof name, "growth of a file by %d turns with texts of %zu bytes", turns, size);
  print_figure(name, &growth, 1 << 20, "MiB", bound);
}

int main(int count, char **arguments) {
  static figure late;
  char path[1024], thread[64];
  if (count != 4) die("thread", "FOLDER ROUNDS TURNS");
  int rounds = atoi(arguments[2]), turns = atoi(arguments[3]), port = start_model();
  text_size = 1024;
  snprintf(path, sizeof path, "%s/thread.db", arguments[1]);
  begin(path, port);
  for (int number = 1; number < turns; number++) turn("long");
  for (int round = -1; round < rounds; round++) {
    double ours = 0, floor = 0;
    for (int number = 0; number < EACH; number++) {
      snprintf(thread, sizeof thread, "short-%d-%d", round, number);
      for (int place = 1; place <= TENTH; place++) {
        double time = turn(thread);
        if (place > TENTH - TIMED) floor += time;
      }
      // They come after others of their own thread, as those do.
      for (int place = -1; place <= TIMED; place++) {
        double time = turn("long");
        if (place > 0) ours += time;
      }
    }
    if (round >= 0) add_round(&late, ours / (EACH * TIMED), floor / (EACH * TIMED));
  }
  muster_close(plane);
  snprintf(thread, sizeof thread, "turn %d of a thread, against turns 7 to 10", turns);
  print_figure(thread, &late, 1e3, "us", 1.1);
  measure_growth(arguments[1], port, 8192, 300, 1.3);
  measure_growth(arguments[1], port, 4096, 300, 1.3);
  measure_growth(arguments[1], port, 1024, 300, 0);
  return 0;
}
