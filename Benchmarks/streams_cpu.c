/* SPDX-License-Identifier: Apache-2.0
 *
 * streams_cpu FOLDER ROUNDS STREAMS PIECES [CERTIFICATE KEY] - processor time (user and system) for each piece of streamed text, against the floor of
 * streams.h: once with a pace that leaves the machine room, once as fast as it goes, and paced over HTTPS, if there is a certificate.
 *
 * What counts lies between two moments: when the first piece of each stream has been read, and when the last one has. So the beginning and the end of
 * the runs, which have a store, are left out; they are in the figure "with beginning and end", for which the floor has no store.
 */
#define _GNU_SOURCE
#include "streams.h"

enum { PACE_US = 50000 };

/* How the reader reads. */
typedef enum reading { NEXT, DRAIN, FLOOR } reading;

static model_control *control;
static streaming_plane plain_plane, tls_plane;
static floor_loop plain_loop, tls_loop;
static char *whole;
static long streams, pieces;
static long bytes_taken, ended;

static void count_final(const char *json) {
  if (strstr(json, "\"status\":\"completed\"") == NULL || strstr(json, whole) == NULL) die("run", json);
  ended++;
}

static void take_event(streaming_plane *plane) {
  muster_event event = MUSTER_EVENT_INIT;
  if (muster_queue_next(plane->queue, 60000, &event) != MUSTER_OK) die("next", "nothing came for a minute");
  if (event.kind == MUSTER_EVENT_FINAL) count_final(event.json);
  else bytes_taken += chunk_bytes(event.json);
  muster_event_clear(&event);
}

static void take_events(streaming_plane *plane) {
  char *json = NULL;
  muster_error *error = NULL;
  need(muster_queue_drain(plane->queue, 60000, 0, &json, NULL, &error), error, "drain");
  bytes_taken += chunk_bytes(json);
  for (const char *at = json; (at = strstr(at, "\"kind\":\"final\"")) != NULL; at++) ended++;
  muster_free(json);
}

static void take_text(floor_loop *loop) {
  char *text;
  size_t length;
  bool is_over;
  floor_stream *stream = floor_next(loop, &text, &length, &is_over);
  bytes_taken += (long)length;
  if (is_over) {
    if (stream->length != strlen(whole) || memcmp(stream->text, whole, stream->length) != 0) die("floor", "wrong text");
    ended++;
    free(stream->text);
  }
  free(text);
}

/* One round of one kind: nanoseconds for a piece between first and last, and with beginning and end. */
static void measure(reading how, streaming_plane *plane, floor_loop *loop, floor_stream *states, long pace_us, double *steady, double *all) {
  double start = processor_ns(), first = 0, last = 0;
  bytes_taken = ended = 0;
  control->pace_us = pace_us;
  control->hold = 1;
  for (long index = 0; index < streams; index++) {
    if (how == FLOOR) floor_submit(loop, &states[index]);
    else submit_stream(plane, NULL);
  }
  while (ended < streams) {
    if (how == FLOOR) take_text(loop);
    else if (how == NEXT) take_event(plane);
    else take_events(plane);
    if (first == 0 && bytes_taken == streams * MODEL_PIECE_BYTES) {
      usleep(100000); /* all else that belongs to the beginning */
      first = processor_ns();
      control->hold = pieces;
    } else if (first > 0 && last == 0 && bytes_taken == streams * pieces * MODEL_PIECE_BYTES) {
      last = processor_ns();
      control->hold = LONG_MAX;
    }
  }
  if (bytes_taken != streams * pieces * MODEL_PIECE_BYTES) die("streams", "wrong text");
  *steady = (last - first) / (double)(streams * (pieces - 1));
  *all = (processor_ns() - start) / (double)(streams * pieces);
}

int main(int count, char **arguments) {
  static figure paced_next, paced_drain, fast_next, fast_drain, tls_next, tls_drain, with_all;
  char path[1024];
  double floor, ours, floor_all, ours_all;
  if (count != 5 && count != 7) die("streams_cpu", "FOLDER ROUNDS STREAMS PIECES [CERTIFICATE KEY]");
  const char *certificate = count == 7 ? arguments[5] : NULL;
  streams = atol(arguments[3]);
  pieces = atol(arguments[4]);
  if ((control = start_stream_model(certificate, count == 7 ? arguments[6] : NULL)) == NULL) die("model", NULL);
  if (certificate != NULL) setenv("CURL_CA_BUNDLE", certificate, 1);
  control->chunks = pieces;
  whole = model_text(pieces);
  floor_stream *states = calloc((size_t)streams, sizeof *states);
  snprintf(path, sizeof path, "%s/cpu.db", arguments[1]);
  open_streaming_plane(&plain_plane, path, "http", control->port, "full");
  floor_open(&plain_loop, "http", control->port, NULL);
  if (certificate != NULL) {
    snprintf(path, sizeof path, "%s/cpu-tls.db", arguments[1]);
    open_streaming_plane(&tls_plane, path, "https", control->tls_port, "full");
    floor_open(&tls_loop, "https", control->tls_port, certificate);
  }
  for (int round = -1; round < atoi(arguments[2]); round++) {
    for (long pace_us = 0; pace_us <= PACE_US; pace_us += PACE_US) {
      measure(FLOOR, NULL, &plain_loop, states, pace_us, &floor, &floor_all);
      measure(NEXT, &plain_plane, NULL, NULL, pace_us, &ours, &ours_all);
      if (round >= 0) add_round(pace_us > 0 ? &paced_next : &fast_next, ours, floor);
      if (round >= 0 && pace_us > 0) add_round(&with_all, ours_all, floor_all);
      measure(DRAIN, &plain_plane, NULL, NULL, pace_us, &ours, &ours_all);
      if (round >= 0) add_round(pace_us > 0 ? &paced_drain : &fast_drain, ours, floor);
    }
    if (certificate == NULL) continue;
    measure(FLOOR, NULL, &tls_loop, states, PACE_US, &floor, &floor_all);
    measure(NEXT, &tls_plane, NULL, NULL, PACE_US, &ours, &ours_all);
    if (round >= 0) add_round(&tls_next, ours, floor);
    measure(DRAIN, &tls_plane, NULL, NULL, PACE_US, &ours, &ours_all);
    if (round >= 0) add_round(&tls_drain, ours, floor);
  }
  print_figure("a streamed piece, next", &paced_next, 1e3, "us", 1.5);
  print_figure("a streamed piece, drain", &paced_drain, 1e3, "us", 1.5);
  print_figure("a streamed piece as fast as it goes, next", &fast_next, 1e3, "us", 1.5);
  print_figure("a streamed piece as fast as it goes, drain", &fast_drain, 1e3, "us", 1.5);
  print_figure("a streamed piece with beginning and end", &with_all, 1e3, "us", 0);
  if (certificate != NULL) {
    print_figure("a streamed piece over HTTPS, next", &tls_next, 1e3, "us", 0);
    print_figure("a streamed piece over HTTPS, drain", &tls_drain, 1e3, "us", 0);
  }
  return 0;
}
