#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "Server.h"

// Answers that are made while they are sent. Between two pieces the connection is suspended: MHD then watches it no more,
// neither for time nor for its end, so both is done here.

// What HTTP/1.0 is sent at once, through a buffer of the response; HTTP/1.1 gets its chunks from the connection's memory.
static const size_t plain_bytes = 4096;
// What may wait in the kernel beside what is on its way.
static const size_t waiting_bytes = 16384;

// ---- the list ----

static void leave(cmicrohttpd_request *request) {
  cmicrohttpd_server *server = request->server;
  *(request->earlier ? &request->earlier->later : &server->streams.first) = request->later;
  *(request->later ? &request->later->earlier : &server->streams.last) = request->earlier;
}

static void become_last(cmicrohttpd_request *request) {
  cmicrohttpd_server *server = request->server;
  request->quiet_since = now();
  request->earlier = server->streams.last;
  request->later = NULL;
  *(request->earlier ? &request->earlier->later : &server->streams.first) = request;
  server->streams.last = request;
}

// ---- one stream ----

static ssize_t read_some(void *context, uint64_t position, char *bytes, size_t most) {
  (void)position;
  cmicrohttpd_request *request = context;
  cmicrohttpd_settings *settings = &request->server->settings;
  if (request->is_cut) return MHD_CONTENT_READER_END_WITH_ERROR;
  bool is_due = request->is_due;
  request->is_due = false;
  ptrdiff_t count = settings->read(settings->context, request, (uint8_t *)bytes, most, is_due);
  if (count > 0 && (size_t)count <= most) {
    leave(request);
    become_last(request);
    return count;
  }
  if (count == cmicrohttpd_nothing) {
    request->is_resting = true;
    microhttpd.suspend_connection(request->connection);
    return 0;
  }
  if (count != cmicrohttpd_end) return MHD_CONTENT_READER_END_WITH_ERROR;
  request->is_read = true;
  return MHD_CONTENT_READER_END_OF_STREAM;
}

bool cmicrohttpd_request_answer_stream(cmicrohttpd_request *request, uint32_t status) {
  size_t block = request->is_http_1_1 ? 1 : plain_bytes;
  request->response = microhttpd.create_response_from_callback(MHD_SIZE_UNKNOWN, block, read_some, request, NULL);
  if (!request->response) return false;
  microhttpd.add_response_header(request->response, "Connection", "close");
  request->status = status;
  request->is_stream = true;
  return true;
}

// What the kernel has taken has to arrive, too; and it takes little, so that MHD sees every reader progress, however slow
// it is, and one that reads nothing costs no more than that.
static void limit_waiting(int descriptor, int64_t milliseconds) {
  unsigned int patience = (unsigned int)milliseconds;
  setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  int most = (int)waiting_bytes;
  if (setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most) != 0)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
}

void cmicrohttpd_stream_begin(cmicrohttpd_request *request) {
  cmicrohttpd_server *server = request->server;
  become_last(request);
  request->is_listed = true;
  if (!request->peer) return;
  // How fast it is read is the client's business; MHD sees to it that something is.
  request->peer->deadline = INT64_MAX;
  int descriptor = request->peer->descriptor;
  limit_waiting(descriptor, server->settings.idle_milliseconds);
  if (server->watch < 0) {
    server->watch = epoll_create1(EPOLL_CLOEXEC);
    if (server->watch < 0) return;
    platform_fork_close_add(server->watch);
  }
  struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = request};
  epoll_ctl(server->watch, EPOLL_CTL_ADD, descriptor, &event);
}

void cmicrohttpd_stream_end(cmicrohttpd_request *request) {
  if (!request->is_listed) return;
  request->is_listed = false;
  leave(request);
  // Before it is closed: a copy in a process that has just been forked would keep it in the set.
  struct epoll_event event = {0};
  if (request->peer && request->server->watch >= 0)
    epoll_ctl(request->server->watch, EPOLL_CTL_DEL, request->peer->descriptor, &event);
}

void cmicrohttpd_stream_go_on(cmicrohttpd_request *request) {
  if (!request->is_resting) return;
  request->is_resting = false;
  microhttpd.resume_connection(request->connection);
}

static void ask_for_sign(cmicrohttpd_request *request) {
  request->is_due = true;
  cmicrohttpd_stream_go_on(request);
}

static void cut(cmicrohttpd_request *request) {
  request->is_cut = true;
  if (request->peer) cmicrohttpd_shut(request->peer);
  cmicrohttpd_stream_go_on(request);
}

// ---- all of them ----

static int64_t due(const cmicrohttpd_request *request) {
  return request->quiet_since + request->server->settings.quiet_milliseconds * 1000000;
}

int64_t cmicrohttpd_streams_patience(cmicrohttpd_server *server, int64_t milliseconds) {
  if (!server->streams.first) return milliseconds;
  int64_t left = (due(server->streams.first) - now() + 999999) / 1000000;
  if (left < 0) left = 0;
  return left < milliseconds ? left : milliseconds;
}

// A client that sends no more may have gone, or may still read: what is sent to it shows which. Who has gone answers that
// with a reset, and that is a hang-up.
static void look_for_leaving(cmicrohttpd_server *server) {
  struct epoll_event events[64];
  int count = server->watch < 0 ? 0 : epoll_wait(server->watch, events, 64, 0);
  for (int index = 0; index < count; index++) {
    cmicrohttpd_request *request = events[index].data.ptr;
    if (events[index].events & (EPOLLHUP | EPOLLERR))
      cut(request);
    else
      ask_for_sign(request);
  }
}

void cmicrohttpd_streams_step(cmicrohttpd_server *server) {
  if (!server->streams.first) return;
  look_for_leaving(server);
  int64_t moment = now();
  while (due(server->streams.first) <= moment) {
    cmicrohttpd_request *request = server->streams.first;
    leave(request);
    become_last(request);
    // Who is slow to read has bytes before it.
    if (request->is_resting) ask_for_sign(request);
  }
}

void cmicrohttpd_server_cut_streams(cmicrohttpd_server *server) {
  for (cmicrohttpd_request *each = server->streams.first; each; each = each->later) cut(each);
}
