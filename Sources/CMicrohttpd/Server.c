#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CMicrohttpd.h"
#include "CPlatform.h"
#include "Server.h"

// A body must come, and an answer go, at this rate at least, beside what a request is granted anyway.
static const int64_t slowest_bytes_a_second = 16384;
// Connections are looked at this often.
static const int64_t tick_nanoseconds = 1000000000;
// What a body that is too large may still send before its connection is closed, so that its sender can read the answer.
static const size_t swallowed_bytes = 1 << 20;

// ---- requests ----

static struct connection *peer_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = microhttpd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

// The first line has come: what MHD decodes later is kept here as it was sent.
static void *line_came(void *context, const char *target, struct MHD_Connection *connection) {
  cmicrohttpd_request *request = calloc(1, sizeof *request);
  if (!request) return NULL;
  request->server = context;
  request->connection = connection;
  request->method = "";
  request->began = now();
  request->peer = peer_of(connection);
  request->target = strdup(target);
  if (request->peer) {
    request->peer->is_working = true;
    request->peer->deadline = request->began + request->server->settings.header_milliseconds * 1000000;
  }
  return request;
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
  (void)kind;
  cmicrohttpd_request *request = context;
  request->headers[request->header_count++] = (header){name, value ? value : ""};
  return MHD_YES;
}

static enum MHD_Result find_length(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
  (void)kind;
  if (value && strcasecmp(name, "content-length") == 0) *(const char **)context = value;
  return MHD_YES;
}

static bool append(cmicrohttpd_request *request, const char *bytes, size_t count) {
  size_t most = request->server->settings.body_bytes;
  if (request->is_too_large || count > most - request->count) {
    free(request->body);
    request->body = NULL;
    request->count = request->capacity = 0;
    request->is_too_large = true;
    request->swallowed += count;
    return request->swallowed <= swallowed_bytes;
  }
  if (count > request->capacity - request->count) {
    size_t capacity = request->capacity < 4096 ? 4096 : request->capacity * 2;
    while (capacity - request->count < count) capacity *= 2;
    uint8_t *larger = realloc(request->body, capacity);
    if (!larger) return false;
    request->body = larger;
    request->capacity = capacity;
  }
  memcpy(request->body + request->count, bytes, count);
  request->count += count;
  // The longer it is, the longer it may take.
  if (request->peer)
    request->peer->deadline = request->headers_came + request->server->settings.header_milliseconds * 1000000 +
                              (int64_t)request->count * 1000000000 / slowest_bytes_a_second;
  return true;
}

static void refuse_large(cmicrohttpd_request *request) {
  char text[128];
  int count = snprintf(text, sizeof text, "{\"detail\": \"the body has more than %zu bytes\"}", request->server->settings.body_bytes);
  if (!cmicrohttpd_request_answer(request, 413, (const uint8_t *)text, (size_t)count)) return;
  cmicrohttpd_request_add_header(request, "Content-Type", "application/json");
  cmicrohttpd_request_add_header(request, "Connection", "close");
}

static enum MHD_Result send_answer(cmicrohttpd_request *request) {
  if (!request->response) return MHD_NO;
  if (request->server->is_quiesced) microhttpd.add_response_header(request->response, "Connection", "close");
  if (request->is_stream) cmicrohttpd_stream_begin(request);
  enum MHD_Result result = microhttpd.queue_response(request->connection, request->status, request->response);
  microhttpd.destroy_response(request->response);
  request->response = NULL;
  request->stage = is_answered;
  if (request->peer && !request->is_stream)
    request->peer->deadline = now() + request->server->settings.idle_milliseconds * 1000000 +
                              (int64_t)request->answer_count * 1000000000 / slowest_bytes_a_second;
  return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **pointer) {
  (void)connection, (void)url;
  cmicrohttpd_server *server = context;
  cmicrohttpd_request *request = *pointer;
  if (!request || !request->target) return MHD_NO;
  switch (request->stage) {
    case has_line: {
      request->stage = has_headers;
      request->method = method;
      request->is_http_1_1 = strcmp(version, "HTTP/1.1") == 0;
      request->headers_came = now();
      const char *length = NULL;
      microhttpd.get_connection_values(connection, MHD_HEADER_KIND, find_length, &length);
      if (length && strtoull(length, NULL, 10) > server->settings.body_bytes) {
        refuse_large(request);
        return send_answer(request);
      }
      return MHD_YES;
    }
    case has_headers: {
      if (*upload_size > 0) {
        if (!append(request, upload, *upload_size)) return MHD_NO;
        *upload_size = 0;
        return MHD_YES;
      }
      request->stage = is_working;
      if (request->is_too_large) {
        refuse_large(request);
        return send_answer(request);
      }
      int count = microhttpd.get_connection_values(connection, MHD_HEADER_KIND, NULL, NULL);
      request->headers = calloc(count > 0 ? (size_t)count : 1, sizeof *request->headers);
      if (!request->headers) return MHD_NO;
      microhttpd.get_connection_values(connection, MHD_HEADER_KIND, add_header, request);
      if (request->peer) request->peer->deadline = INT64_MAX;
      if (!server->settings.arrived(server->settings.context, request)) return MHD_YES;
      if (request->peer) request->peer->may_have_ended = true;
      return send_answer(request);
    }
    case is_working: return send_answer(request);
    case is_answered: break;
  }
  return MHD_NO;
}

static void request_ended(void *context, struct MHD_Connection *connection, void **pointer, enum MHD_RequestTerminationCode code) {
  cmicrohttpd_server *server = context;
  cmicrohttpd_request *request = *pointer;
  *pointer = NULL;
  if (!request) return;
  uint32_t status = request->status;
  if (status == 0 && code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
    const union MHD_ConnectionInfo *info = microhttpd.get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    if (info) status = info->http_status;
  }
  if (request->peer) {
    request->peer->is_working = false;
    request->peer->deadline =
        now() + (server->settings.idle_milliseconds + server->settings.header_milliseconds) * 1000000;
  }
  bool is_whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && (!request->is_stream || request->is_read);
  if (request->is_stream) cmicrohttpd_stream_end(request);
  if (request->target) server->settings.ended(server->settings.context, request, status, is_whole);
  if (request->response) microhttpd.destroy_response(request->response);
  free(request->headers);
  free(request->target);
  free(request->body);
  free(request);
}

const char *cmicrohttpd_request_method(cmicrohttpd_request *request) { return request->method; }
const char *cmicrohttpd_request_target(cmicrohttpd_request *request) { return request->target; }
const uint8_t *cmicrohttpd_request_body(cmicrohttpd_request *request, size_t *count) {
  *count = request->count;
  return request->body;
}
size_t cmicrohttpd_request_header_count(cmicrohttpd_request *request) { return request->header_count; }
const char *cmicrohttpd_request_header_name(cmicrohttpd_request *request, size_t index) { return request->headers[index].name; }
const char *cmicrohttpd_request_header_value(cmicrohttpd_request *request, size_t index) { return request->headers[index].value; }
const char *cmicrohttpd_request_header(cmicrohttpd_request *request, const char *name) {
  for (const header *each = request->headers; each < request->headers + request->header_count; each++) {
    size_t at = 0;
    // Not strcasecmp: what that takes for a capital letter is the host's choice.
    while (name[at] && (each->name[at] == name[at] || (each->name[at] >= 'A' && each->name[at] <= 'Z' && (each->name[at] | 0x20) == name[at]))) at++;
    if (!name[at] && !each->name[at]) return each->value;
  }
  return NULL;
}
void cmicrohttpd_request_forget_body(cmicrohttpd_request *request) {
  free(request->body);
  request->body = NULL;
}
int64_t cmicrohttpd_request_began(cmicrohttpd_request *request) { return request->began; }
void *cmicrohttpd_request_attachment(cmicrohttpd_request *request) { return request->attachment; }
void cmicrohttpd_request_attach(cmicrohttpd_request *request, void *object) { request->attachment = object; }

void cmicrohttpd_request_remote(cmicrohttpd_request *request, char *text, size_t size) {
  text[0] = 0;
  const union MHD_ConnectionInfo *info =
      microhttpd.get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (!info || !info->client_addr) return;
  if (info->client_addr->sa_family == AF_INET)
    inet_ntop(AF_INET, &((struct sockaddr_in *)info->client_addr)->sin_addr, text, (socklen_t)size);
  else if (info->client_addr->sa_family == AF_INET6)
    inet_ntop(AF_INET6, &((struct sockaddr_in6 *)info->client_addr)->sin6_addr, text, (socklen_t)size);
}

static bool answer_with(cmicrohttpd_request *request, uint32_t status, void *body, size_t count, enum MHD_ResponseMemoryMode mode) {
  request->response = microhttpd.create_response(count, body, mode);
  if (!request->response) return false;
  request->status = status;
  request->answer_count = count;
  return true;
}

bool cmicrohttpd_request_answer(cmicrohttpd_request *request, uint32_t status, const uint8_t *body, size_t count) {
  void *copy = NULL;
  if (count > 0) {
    copy = malloc(count);
    if (!copy) return false;
    memcpy(copy, body, count);
  }
  bool is_made = answer_with(request, status, copy, count, copy ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
  if (!is_made) free(copy);
  return is_made;
}

bool cmicrohttpd_request_answer_shared(cmicrohttpd_request *request, uint32_t status, const uint8_t *body, size_t count) {
  return answer_with(request, status, (void *)body, count, MHD_RESPMEM_PERSISTENT);
}

uint8_t *cmicrohttpd_bytes_new(const uint8_t *bytes, size_t count) {
  uint8_t *copy = malloc(count > 0 ? count : 1);
  if (copy && count > 0) memcpy(copy, bytes, count);
  return copy;
}

void cmicrohttpd_bytes_free(uint8_t *bytes) { free(bytes); }

void cmicrohttpd_request_add_header(cmicrohttpd_request *request, const char *name, const char *value) {
  if (request->response) microhttpd.add_response_header(request->response, name, value);
}

void cmicrohttpd_request_suspend(cmicrohttpd_request *request) { microhttpd.suspend_connection(request->connection); }

void cmicrohttpd_request_resume(cmicrohttpd_request *request) {
  cmicrohttpd_server *server = request->server;
  microhttpd.resume_connection(request->connection);
  // MHD itself signals nobody when the loop is not a thread of its own.
  cmicrohttpd_server_wake(server);
}

// ---- connections ----

static void connection_changed(void *context, struct MHD_Connection *peer, void **pointer, enum MHD_ConnectionNotificationCode code) {
  cmicrohttpd_server *server = context;
  connection *known = *pointer;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *pointer = known = calloc(1, sizeof *known);
    if (!known) return;
    const union MHD_ConnectionInfo *info = microhttpd.get_connection_info(peer, MHD_CONNECTION_INFO_CONNECTION_FD);
    known->descriptor = info ? info->connect_fd : -1;
    known->deadline = now() + server->settings.header_milliseconds * 1000000;
    known->next = server->connections.next;
    known->previous = &server->connections;
    known->next->previous = server->connections.next = known;
    server->connection_count++;
    platform_fork_close_add(known->descriptor);
  } else if (known) {
    platform_fork_close_remove(known->descriptor);
    known->previous->next = known->next;
    known->next->previous = known->previous;
    server->connection_count--;
    free(known);
    *pointer = NULL;
  }
}

void cmicrohttpd_shut(connection *connection) {
  if (connection->is_shut) return;
  connection->is_shut = true;
  shutdown(connection->descriptor, SHUT_RDWR);
}

// Who sends no more after a request may have said so in the same moment: then epoll tells once, and MHD, which has read
// no further than the request, would wait for more. A connection that rested is looked at anew anyway.
static void look_for_end(connection *connection) {
  char byte;
  if (!connection->may_have_ended || connection->is_working) return;
  connection->may_have_ended = false;
  // It has ended already; but epoll tells again.
  if (recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) shutdown(connection->descriptor, SHUT_RD);
}

static void look_around(cmicrohttpd_server *server) {
  int64_t moment = now();
  if (moment < server->next_tick) return;
  server->next_tick = moment + tick_nanoseconds;
  for (connection *each = server->connections.next; each != &server->connections; each = each->next) {
    if (each->deadline < moment) cmicrohttpd_shut(each);
    look_for_end(each);
  }
}

// ---- servers ----

static void note(void *context, const char *format, va_list arguments) {
  cmicrohttpd_server *server = context;
  if (!server->problem || server->problem[0]) return;
  vsnprintf(server->problem, server->problem_size, format, arguments);
  size_t count = strlen(server->problem);
  while (count > 0 && server->problem[count - 1] == '\n') server->problem[--count] = 0;
}

cmicrohttpd_server *cmicrohttpd_server_new(const cmicrohttpd_settings *settings, char *problem, size_t size) {
  problem[0] = 0;
  cmicrohttpd_server *server = calloc(1, sizeof *server);
  int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!server || wake < 0) {
    snprintf(problem, size, "out of memory or descriptors");
    close(settings->listener);
    if (wake >= 0) close(wake);
    free(server);
    return NULL;
  }
  server->settings = *settings;
  server->connections.next = server->connections.previous = &server->connections;
  server->listener = settings->listener;
  server->wake = wake;
  server->watch = -1;
  server->problem = problem;
  server->problem_size = size;
  unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
  // MHD counts in seconds; the last one is granted whole.
  unsigned int idle = (unsigned int)((settings->idle_milliseconds + 999) / 1000);
  struct MHD_OptionItem options[] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)note, server},
      {MHD_OPTION_LISTEN_SOCKET, settings->listener, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->header_bytes, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, settings->connections, NULL},
      {MHD_OPTION_CONNECTION_TIMEOUT, idle, NULL},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)line_came, server},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_ended, server},
      {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, server},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
      {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
      {settings->certificate ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)settings->certificate},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)settings->key},
      {MHD_OPTION_END, 0, NULL},
  };
  if (settings->certificate) flags |= MHD_USE_TLS;
  // Some versions close the listener of a daemon that they cannot start, others do not: a copy tells.
  int copy = fcntl(settings->listener, F_DUPFD_CLOEXEC, 3);
  server->daemon =
      microhttpd.start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
  server->problem = NULL;
  if (!server->daemon) {
    if (!problem[0]) snprintf(problem, size, "libmicrohttpd does not start");
    struct stat left, known;
    if (fstat(settings->listener, &left) == 0 && fstat(copy, &known) == 0 && left.st_ino == known.st_ino)
      close(settings->listener);
    close(copy);
    close(wake);
    free(server);
    return NULL;
  }
  close(copy);
  server->epoll = microhttpd.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  platform_fork_close_add(server->listener);
  platform_fork_close_add(server->epoll);
  platform_fork_close_add(server->wake);
  return server;
}

void cmicrohttpd_server_wait(cmicrohttpd_server *server, int64_t milliseconds) {
  MHD_UNSIGNED_LONG_LONG wanted;
  if (microhttpd.get_timeout(server->daemon, &wanted) == MHD_YES && wanted < (MHD_UNSIGNED_LONG_LONG)milliseconds)
    milliseconds = (int64_t)wanted;
  milliseconds = cmicrohttpd_streams_patience(server, milliseconds);
  // There is work that needs no waiting; whoever wakes us meanwhile ends the next wait.
  if (milliseconds == 0) return;
  struct pollfd descriptors[] = {{server->epoll, POLLIN, 0}, {server->wake, POLLIN, 0}, {server->watch, POLLIN, 0}};
  if (poll(descriptors, 3, (int)milliseconds) > 0 && descriptors[1].revents != 0) {
    uint64_t woken;
    if (read(server->wake, &woken, sizeof woken) < 0) return;
  }
}

void cmicrohttpd_server_step(cmicrohttpd_server *server) {
  cmicrohttpd_streams_step(server);
  microhttpd.run(server->daemon);
  look_around(server);
}

void cmicrohttpd_server_wake(cmicrohttpd_server *server) {
  uint64_t one = 1;
  while (write(server->wake, &one, sizeof one) < 0 && errno == EINTR) {}
}

void cmicrohttpd_server_quiesce(cmicrohttpd_server *server) {
  if (server->is_quiesced) return;
  server->is_quiesced = true;
  platform_fork_close_remove(server->listener);
  MHD_socket listener = microhttpd.quiesce_daemon(server->daemon);
  if (listener >= 0) close(listener);
}

uint32_t cmicrohttpd_server_close_idle(cmicrohttpd_server *server) {
  for (connection *each = server->connections.next; each != &server->connections; each = each->next)
    if (!each->is_working) cmicrohttpd_shut(each);
  return server->connection_count;
}

uint32_t cmicrohttpd_server_connections(cmicrohttpd_server *server) { return server->connection_count; }

void cmicrohttpd_server_free(cmicrohttpd_server *server) {
  platform_fork_close_remove(server->epoll);
  platform_fork_close_remove(server->wake);
  if (!server->is_quiesced) platform_fork_close_remove(server->listener);
  // MHD stops nothing that rests.
  cmicrohttpd_server_cut_streams(server);
  if (server->streams.first) microhttpd.run(server->daemon);
  microhttpd.stop_daemon(server->daemon);
  if (server->watch >= 0) {
    platform_fork_close_remove(server->watch);
    close(server->watch);
  }
  close(server->wake);
  free(server);
}
