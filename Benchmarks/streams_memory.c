/* SPDX-License-Identifier: Apache-2.0
 *
 * streams_memory FOLDER ROUNDS RUNS - memory that a run under way needs, against a C program with as many requests of curl (see streams.h).
 *
 * Each round starts one process for us and one for the floor, each with a model in a further process. A process is idle after a hundred answers; then
 * come RUNS, of whose answers the model sends three pieces, which the reader takes; what is resident then, less what was, counts. Then the
 * model ends its answers, and each run has to end completed, with the right text.
 */
#define _GNU_SOURCE
#include "streams.h"

#include <sys/wait.h>

enum { WARM_UP = 100, PIECES = 6, HELD_AT = 3 };

/* What the reader knows of a run. */
typedef struct taken {
  bool is_over;
} taken;

static model_control *control;
static char *whole;
static long bytes_taken;

/* What this process has in memory, counted page by page. */
static double resident_bytes(void) {
  char line[256];
  long kilobytes = -1;
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "Rss: %ld kB", &kilobytes) == 1) break;
  if (file == NULL || kilobytes < 0) die("smaps_rollup", NULL);
  fclose(file);
  return (double)kilobytes * 1024;
}

/* ---- the two ---- */

static streaming_plane plane;
static floor_loop loop;

static void our_submit(taken *run) { submit_stream(&plane, run); }

/* Takes one event; true when it is the last of its run. */
static bool our_take(void) {
  muster_event event = MUSTER_EVENT_INIT;
  if (muster_queue_next(plane.queue, 60000, &event) != MUSTER_OK) die("next", "nothing came for a minute");
  taken *run = event.user_data;
  bool is_over = event.kind == MUSTER_EVENT_FINAL;
  if (is_over) {
    if (event.status != MUSTER_OK) die("run", event.error != NULL ? muster_error_message(event.error) : NULL);
    if (strstr(event.json, "\"status\":\"completed\"") == NULL || strstr(event.json, whole) == NULL) die("run", event.json);
    run->is_over = true;
  } else if (strstr(event.json, "\"type\":\"chunk\"") != NULL) {
    bytes_taken += chunk_bytes(event.json);
  }
  muster_event_clear(&event);
  return is_over;
}

typedef struct floor_run_state {
  floor_stream stream;
  taken *run;
} floor_run_state;

static void floor_start(taken *run) {
  floor_run_state *state = malloc(sizeof *state);
  state->run = run;
  floor_submit(&loop, &state->stream);
}

static bool floor_take(void) {
  char *text;
  size_t length;
  bool is_over;
  floor_stream *stream = floor_next(&loop, &text, &length, &is_over);
  floor_run_state *state = (floor_run_state *)stream;
  bytes_taken += (long)length;
  if (is_over) {
    if (stream->length != strlen(whole) || memcmp(stream->text, whole, stream->length) != 0) die("floor", "wrong text");
    state->run->is_over = true;
    free(stream->text);
    free(state);
  }
  free(text);
  return is_over;
}

/* ---- one process ---- */

static void one(bool is_ours, const char *folder, long count) {
  taken *runs = calloc((size_t)count, sizeof *runs);
  void (*submit)(taken *) = is_ours ? our_submit : floor_start;
  bool (*take)(void) = is_ours ? our_take : floor_take;
  char store[1024];
  memset(runs, 1, (size_t)count * sizeof *runs); /* theirs from the beginning */
  if ((control = start_stream_model(NULL, NULL)) == NULL) die("model", NULL);
  control->chunks = PIECES;
  control->pace_us = 0;
  whole = model_text(PIECES);
  snprintf(store, sizeof store, "%s/memory-%d.db", folder, (int)getpid());
  if (is_ours) open_streaming_plane(&plane, store, "http", control->port, "full");
  else floor_open(&loop, "http", control->port, NULL);
  for (long index = 0; index < WARM_UP; index++) submit(&runs[index % count]);
  for (long left = WARM_UP; left > 0;) left -= take();
  memset(runs, 0, (size_t)count * sizeof *runs);
  double idle = resident_bytes();
  control->hold = HELD_AT;
  for (long index = 0; index < count; index++) submit(&runs[index]);
  for (bytes_taken = 0; bytes_taken < count * HELD_AT * MODEL_PIECE_BYTES;)
    if (take()) die("run", "ended too early");
  double under_way = resident_bytes();
  if (control->open != count) die("model", "not all are under way");
  control->hold = LONG_MAX;
  for (long left = count; left > 0;) left -= take();
  for (long index = 0; index < count; index++)
    if (!runs[index].is_over) die("run", "no end");
  printf("%.0f %.0f %.0f\n", idle, under_way, resident_bytes());
  fflush(stdout);
  _exit(0);
}

/* Runs this program again; gives the bytes of a run. */
static double bytes_of(char **arguments, const char *what) {
  char command[4096];
  double idle, under_way, after;
  snprintf(command, sizeof command, "'%s' '%s' %s %s", arguments[0], arguments[1], what, arguments[3]);
  FILE *process = popen(command, "r");
  if (process == NULL || fscanf(process, "%lf %lf %lf", &idle, &under_way, &after) != 3) die(what, "no figures");
  if (pclose(process) != 0) die(what, "failed");
  fprintf(stderr, "%s: idle %.1f MiB, under way %.1f MiB, all ended %.1f MiB\n", what, idle / 1048576, under_way / 1048576, after / 1048576);
  return (under_way - idle) / atof(arguments[3]);
}

int main(int count, char **arguments) {
  static figure memory, own;
  if (count != 4) die("streams_memory", "FOLDER ROUNDS RUNS");
  if (strcmp(arguments[2], "ours") == 0 || strcmp(arguments[2], "floor") == 0)
    one(arguments[2][0] == 'o', arguments[1], atol(arguments[3]));
  for (int round = 0; round < atoi(arguments[2]); round++) {
    double floor = bytes_of(arguments, "floor"), ours = bytes_of(arguments, "ours");
    add_round(&memory, ours, floor);
    add_round(&own, ours - floor > 0 ? ours - floor : 1, 4096);
  }
  print_figure("memory of a run under way", &memory, 1024, "KiB", 1.3);
  print_figure("what of it is our own, against 4 KiB", &own, 1024, "KiB", 1);
  return 0;
}
