#ifndef CMICROHTTPD_SERVER_H
#define CMICROHTTPD_SERVER_H

#include "CMicrohttpd.h"
#include "CPlatform.h"
#include "Library.h"

typedef struct connection {
  struct connection *previous, *next;
  int descriptor;
  bool is_working, is_shut, may_have_ended;
  // When it will have been too slow, on the monotonic clock.
  int64_t deadline;
} connection;

struct cmicrohttpd_server {
  struct MHD_Daemon *daemon;
  cmicrohttpd_settings settings;
  connection connections;
  _Atomic uint32_t connection_count;
  // Those that have been quiet for longest come first.
  struct { cmicrohttpd_request *first, *last; } streams;
  // `watch`: an epoll set that tells of clients that leave a stream; -1 before the first one.
  int listener, epoll, wake, watch;
  bool is_quiesced;
  int64_t next_tick;
  char *problem;
  size_t problem_size;
};

typedef struct { const char *name, *value; } header;

struct cmicrohttpd_request {
  cmicrohttpd_server *server;
  struct MHD_Connection *connection;
  struct connection *peer;
  enum { has_line, has_headers, is_working, is_answered } stage;
  int64_t began, headers_came;
  const char *method;
  char *target;
  uint8_t *body;
  size_t count, capacity, swallowed;
  bool is_too_large;
  header *headers;
  size_t header_count;
  struct MHD_Response *response;
  size_t answer_count;
  uint32_t status;
  void *attachment;
  // A stream: suspended, asked for a sign of life, to be closed, read to its end.
  bool is_stream, is_http_1_1, is_listed, is_resting, is_due, is_cut, is_read;
  int64_t quiet_since;
  cmicrohttpd_request *earlier, *later;
};

static inline int64_t now(void) { return platform_clock_monotonic_nanoseconds(); }

// Server.c

void cmicrohttpd_shut(connection *connection);

// Stream.c; all on the loop's thread

void cmicrohttpd_stream_begin(cmicrohttpd_request *request);
void cmicrohttpd_stream_end(cmicrohttpd_request *request);
// The shorter of `milliseconds` and the time until a stream is due.
int64_t cmicrohttpd_streams_patience(cmicrohttpd_server *server, int64_t milliseconds);
void cmicrohttpd_streams_step(cmicrohttpd_server *server);

#endif
