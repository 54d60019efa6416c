/* SPDX-License-Identifier: Apache-2.0
 *
 * streams_throughput FOLDER ROUNDS RUNS MOST - completed runs a second with 1, 10, 100, 1,000 and 10,000 in flight (up to MOST); the model answers at once.
 *
 * The clock starts when as many have ended as are in flight, and whenever one ends the next is submitted; so it is always that many. It stops when RUNS more
 * have ended, or twice as many as are in flight: many in flight come in waves, of which whole ones count. Each number in flight stands beside the
 * best of the smaller ones and itself: throughput may rise with the number, and must never fall below 0.8 of what it was.
 */
#define _GNU_SOURCE
#include "streams.h"

enum { KINDS = 5 };

static const long in_flight[KINDS] = {1, 10, 100, 1000, 10000};

static void take_until(streaming_plane *plane, long finals, bool submits) {
  while (finals > 0) {
    muster_event event = MUSTER_EVENT_INIT;
    if (muster_queue_next(plane->queue, 60000, &event) != MUSTER_OK) die("next", "nothing came for a minute");
    if (event.kind == MUSTER_EVENT_FINAL) {
      if (event.status != MUSTER_OK || strstr(event.json, "\"status\":\"completed\"") == NULL) die("run", event.json);
      finals--;
      if (submits) submit_stream(plane, NULL);
    }
    muster_event_clear(&event);
  }
}

/* Nanoseconds for each run. */
static double measure(streaming_plane *plane, long number, long total) {
  for (long index = 0; index < number; index++) submit_stream(plane, NULL);
  take_until(plane, number, true);
  double start = now();
  take_until(plane, total, true);
  double end = now();
  take_until(plane, number, false);
  return (end - start) / (double)total;
}

int main(int count, char **arguments) {
  static figure figures[KINDS];
  streaming_plane plane;
  char path[1024];
  if (count != 5) die("streams_throughput", "FOLDER ROUNDS RUNS MOST");
  long runs = atol(arguments[3]), most = atol(arguments[4]);
  model_control *control = start_stream_model(NULL, NULL);
  if (control == NULL) die("model", NULL);
  control->chunks = 4;
  snprintf(path, sizeof path, "%s/throughput.db", arguments[1]);
  open_streaming_plane(&plane, path, "http", control->port, "full");
  for (int round = -1; round < atoi(arguments[2]); round++) {
    double best = 1e300;
    for (int kind = 0; kind < KINDS && in_flight[kind] <= most; kind++) {
      long number = in_flight[kind], total = number == 1 ? runs / 5 : number * 2 > runs ? number * 2 : runs;
      double took = measure(&plane, number, total);
      if (took < best) best = took;
      if (round >= 0) add_round(&figures[kind], took, best);
    }
  }
  for (int kind = 0; kind < KINDS && in_flight[kind] <= most; kind++) {
    char name[64];
    snprintf(name, sizeof name, "a run with %ld in flight, and the best so far", in_flight[kind]);
    print_figure(name, &figures[kind], 1e3, "us", 1.25);
  }
  return 0;
}
