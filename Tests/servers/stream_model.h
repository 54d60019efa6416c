/* SPDX-License-Identifier: Apache-2.0
 *
 * stream_model.h - a model that streams to thousands of connections at once, in a process of its own with one thread: start_stream_model().
 *
 * It answers POST with OpenAI's chat completions: with `"stream":true` in events, a chunk with the role, MODEL_CHUNKS pieces of text, a chunk with the
 * reason, one with the usage, [DONE]; else as a whole. What it does beyond that is said by the memory that both processes see, and by the model's name:
 *
 *     slow:MS     a piece each MS milliseconds
 *     break:N     breaks the connection behind N pieces
 *     stall:N     is silent behind N pieces, until the client goes away
 *     error:CODE  that status, which no model client tries again if it is 400
 *     any other   as the shared memory says
 *
 * With STREAM_MODEL_TLS defined (and -lssl -lcrypto) it can speak HTTPS as well. It ends with its parent.
 */
#ifndef MUSTER_STREAM_MODEL_H
#define MUSTER_STREAM_MODEL_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef STREAM_MODEL_TLS
#include <openssl/ssl.h>
#endif

enum { MODEL_PIECE_BYTES = 10 };

/* What both processes see. */
typedef struct model_control {
  /* Set by who started it, at any time. */
  _Atomic long chunks;  /* pieces of text in an answer that begins */
  _Atomic long pace_us; /* between two pieces of an answer; 0: none; -1: each answer is sent at once, as a whole */
  _Atomic long hold;    /* the piece that is not sent before this is raised; the number of all pieces: the end. LONG_MAX: nothing is held */
  /* Set by the model. */
  _Atomic int port, tls_port;
  _Atomic long connections, requests, pieces, answers;
  _Atomic long open; /* answers that have begun and not ended */
} model_control;

/* The text of a piece: MODEL_PIECE_BYTES bytes. */
static inline void model_piece(long number, char *text) { snprintf(text, MODEL_PIECE_BYTES + 1, " word%05ld", number % 100000); }

/* The whole text of an answer; the caller frees. */
static inline char *model_text(long chunks) {
  char *text = malloc((size_t)chunks * MODEL_PIECE_BYTES + 1);
  text[0] = 0;
  for (long number = 0; number < chunks; number++) model_piece(number, text + number * MODEL_PIECE_BYTES);
  return text;
}

/* ---- the process ---- */

enum { WHEEL_SLOTS = 65536 }; /* of a millisecond each */

typedef struct model_connection {
  int socket;
  struct model_connection *previous, *next; /* in a slot of the wheel, or among those that are held */
  struct model_connection **list;
  char *in, *out; /* what was received of a request; what could not be sent */
  size_t in_length, in_capacity, out_length;
  bool is_answering, is_streamed, is_waiting_to_send, is_whole, is_new;
  long number, chunks, break_at, stall_at, pace_us;
  int64_t due_us;
#ifdef STREAM_MODEL_TLS
  SSL *tls;
#endif
} model_connection;

typedef struct stream_model {
  model_control *control;
  int epoll, listener, tls_listener;
  model_connection *wheel[WHEEL_SLOTS], *held;
  int64_t wheel_ms; /* up to here the wheel was turned */
  char *scratch;
  size_t scratch_capacity;
#ifdef STREAM_MODEL_TLS
  SSL_CTX *tls;
#endif
} stream_model;

static inline int64_t model_now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void model_unlist(model_connection *connection) {
  if (connection->list == NULL) return;
  if (connection->next != NULL) connection->next->previous = connection->previous;
  if (connection->previous != NULL) connection->previous->next = connection->next;
  else *connection->list = connection->next;
  connection->list = NULL;
  connection->previous = connection->next = NULL;
}

static void model_enlist(model_connection *connection, model_connection **list) {
  model_unlist(connection);
  connection->list = list;
  connection->next = *list;
  if (*list != NULL) (*list)->previous = connection;
  *list = connection;
}

static void model_close(stream_model *model, model_connection *connection) {
  model_unlist(connection);
  if (connection->is_answering) model->control->open--;
#ifdef STREAM_MODEL_TLS
  if (connection->tls != NULL) SSL_free(connection->tls);
#endif
  close(connection->socket);
  free(connection->in);
  free(connection->out);
  free(connection);
}

/* -1: later; 0: the end. */
static ssize_t model_read(model_connection *connection, char *bytes, size_t size) {
#ifdef STREAM_MODEL_TLS
  if (connection->tls != NULL) {
    int got = SSL_read(connection->tls, bytes, (int)size);
    if (got > 0) return got;
    int why = SSL_get_error(connection->tls, got);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
  }
#endif
  ssize_t got = recv(connection->socket, bytes, size, 0);
  return got < 0 && errno != EAGAIN && errno != EINTR ? 0 : got;
}

/* How much was sent; -1: the connection is broken. */
static ssize_t model_write(model_connection *connection, const char *bytes, size_t size) {
#ifdef STREAM_MODEL_TLS
  if (connection->tls != NULL) {
    int sent = SSL_write(connection->tls, bytes, (int)size);
    if (sent > 0) return sent;
    int why = SSL_get_error(connection->tls, sent);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
#endif
  ssize_t sent = send(connection->socket, bytes, size, MSG_NOSIGNAL);
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static void model_watch(stream_model *model, model_connection *connection) {
  struct epoll_event event = {.events = EPOLLIN | (connection->out_length > 0 ? EPOLLOUT : 0), .data.ptr = connection};
  epoll_ctl(model->epoll, EPOLL_CTL_MOD, connection->socket, &event);
}

/* Sends, and keeps what does not go. False: the connection is broken. */
static bool model_send(stream_model *model, model_connection *connection, const char *bytes, size_t size) {
  size_t done = 0;
  while (connection->out_length == 0 && done < size) {
    ssize_t sent = model_write(connection, bytes + done, size - done);
    if (sent < 0) return false;
    if (sent == 0) break;
    done += (size_t)sent;
  }
  if (done == size) return true;
  connection->out = realloc(connection->out, connection->out_length + size - done);
  memcpy(connection->out + connection->out_length, bytes + done, size - done);
  connection->out_length += size - done;
  model_watch(model, connection);
  return true;
}

static size_t model_frame(char *to, const char *data) {
  size_t length = strlen(data) + 8;
  return (size_t)sprintf(to, "%zx\r\ndata: %s\n\n\r\n", length, data);
}

#define MODEL_CHUNK "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"fixed\",\"choices\":"

/* The event with a number: -1 is the role, `chunks` all that ends an answer. */
static size_t model_event(char *to, long number, long chunks) {
  char data[512], piece[MODEL_PIECE_BYTES + 1];
  if (number < 0) return model_frame(to, MODEL_CHUNK "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}");
  if (number < chunks) {
    model_piece(number, piece);
    snprintf(data, sizeof data, MODEL_CHUNK "[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}", piece);
    return model_frame(to, data);
  }
  size_t size = model_frame(to, MODEL_CHUNK "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
  snprintf(data, sizeof data, MODEL_CHUNK "[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":%ld,\"total_tokens\":%ld}}", chunks, chunks + 12);
  size += model_frame(to + size, data);
  size += model_frame(to + size, "[DONE]");
  return size + (size_t)sprintf(to + size, "0\r\n\r\n");
}

static void model_answered(stream_model *model, model_connection *connection) {
  connection->is_answering = false;
  model_unlist(connection);
  model->control->open--;
  model->control->answers++;
}

/* Sends what is due now. False: the connection is over. */
static bool model_go_on(stream_model *model, model_connection *connection) {
  model_control *control = model->control;
  char event[2048];
  model_unlist(connection);
  while (connection->is_answering) {
    if (connection->out_length > 0) return true; /* goes on when that was sent */
    if (connection->number >= 0) {
      if (connection->number == connection->break_at) return false;
      if (connection->number == connection->stall_at) return true;
      if (connection->number >= control->hold) {
        model_enlist(connection, &model->held);
        return true;
      }
      if (connection->pace_us > 0 && connection->number < connection->chunks) {
        int64_t now = model_now_us(), slot = connection->due_us / 1000;
        if (connection->due_us > now) {
          if (slot <= model->wheel_ms) slot = model->wheel_ms + 1;
          if (slot > model->wheel_ms + WHEEL_SLOTS - 1) slot = model->wheel_ms + WHEEL_SLOTS - 1;
          model_enlist(connection, &model->wheel[slot % WHEEL_SLOTS]);
          return true;
        }
        connection->due_us += connection->pace_us;
      }
    }
    size_t size = model_event(event, connection->number, connection->chunks);
    if (connection->number >= 0 && connection->number < connection->chunks) control->pieces++;
    bool is_end = connection->number == connection->chunks;
    connection->number++;
    if (!model_send(model, connection, event, size)) return false;
    if (is_end) {
      model_answered(model, connection);
      return true;
    }
    /* Without a pace others have their turn, too. */
    if (connection->pace_us == 0 && connection->number > 0 && connection->out_length == 0) {
      model_enlist(connection, &model->wheel[(model->wheel_ms + 1) % WHEEL_SLOTS]);
      return true;
    }
  }
  return true;
}

static char *model_scratch(stream_model *model, size_t size) {
  if (size > model->scratch_capacity) model->scratch = realloc(model->scratch, model->scratch_capacity = size);
  return model->scratch;
}

/* All of an answer at once, streamed or not. */
static bool model_send_whole(stream_model *model, model_connection *connection) {
  long chunks = connection->chunks;
  char *to = model_scratch(model, (size_t)(chunks + 8) * 256 + 1024), *text;
  size_t size = 0;
  if (connection->is_streamed) {
    for (long number = -1; number <= chunks; number++) size += model_event(to + size, number, chunks);
  } else {
    text = model_text(chunks);
    char *body = malloc(strlen(text) + 512);
    sprintf(body,
            "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"fixed\",\"choices\":[{\"index\":0,\"message\":"
            "{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":%ld,"
            "\"total_tokens\":%ld}}",
            text, chunks, chunks + 12);
    size = (size_t)sprintf(to, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    free(body);
    free(text);
  }
  model->control->pieces += chunks;
  model_answered(model, connection);
  return model_send(model, connection, to, size);
}

/* Begins the answer to a request whose body this is. */
static bool model_begin(stream_model *model, model_connection *connection, const char *body) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  model_control *control = model->control;
  const char *name = strstr(body, "\"model\":\"");
  name = name != NULL ? name + 9 : "";
  control->requests++;
  connection->chunks = control->chunks;
  connection->pace_us = control->pace_us;
  connection->break_at = connection->stall_at = LONG_MAX;
  connection->is_streamed = strstr(body, "\"stream\":true") != NULL;
  connection->number = -1;
  if (strncmp(name, "error:", 6) == 0) {
    static const char why[] = "{\"error\":{\"message\":\"no answer\"}}";
    char answer[256];
    int size = snprintf(answer, sizeof answer, "HTTP/1.1 %ld No\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        strtol(name + 6, NULL, 10), sizeof why - 1, why);
    return model_send(model, connection, answer, (size_t)size);
  }
  if (strncmp(name, "slow:", 5) == 0) connection->pace_us = strtol(name + 5, NULL, 10) * 1000;
  if (strncmp(name, "break:", 6) == 0) connection->break_at = strtol(name + 6, NULL, 10);
  if (strncmp(name, "stall:", 6) == 0) connection->stall_at = strtol(name + 6, NULL, 10);
  if ((connection->break_at != LONG_MAX || connection->stall_at != LONG_MAX) && connection->pace_us < 0) connection->pace_us = 0;
  connection->is_answering = true;
  control->open++;
  if (connection->is_streamed && !model_send(model, connection, head, sizeof head - 1)) return false;
  if (connection->pace_us < 0 || !connection->is_streamed) return model_send_whole(model, connection);
  connection->due_us = model_now_us() + connection->pace_us;
  return model_go_on(model, connection);
}

/* Answers the request that has come, once it is whole. False: the connection is over. */
static bool model_take_request(stream_model *model, model_connection *connection) {
  char *end = connection->in_length > 0 ? strstr(connection->in, "\r\n\r\n") : NULL;
  if (end == NULL || connection->is_answering) return true;
  char *field = strcasestr(connection->in, "\r\ncontent-length:");
  size_t wanted = (size_t)(end - connection->in) + 4 + (field != NULL && field < end ? strtoul(field + 17, NULL, 10) : 0);
  if (connection->in_length < wanted) return true;
  char *body = end + 4, after = connection->in[wanted];
  connection->in[wanted] = 0;
  bool is_good = model_begin(model, connection, body);
  connection->in[wanted] = after;
  connection->in_length -= wanted;
  if (connection->in_length > 0) memmove(connection->in, connection->in + wanted, connection->in_length + 1);
  if (connection->in_length == 0) {
    free(connection->in);
    connection->in = NULL;
    connection->in_capacity = 0;
  }
  return is_good;
}

static bool model_receive(stream_model *model, model_connection *connection) {
  for (;;) {
    if (connection->in_capacity < connection->in_length + 4097) {
      connection->in_capacity = connection->in_length + 8192;
      connection->in = realloc(connection->in, connection->in_capacity);
    }
    ssize_t got = model_read(connection, connection->in + connection->in_length, connection->in_capacity - connection->in_length - 1);
    if (got == 0) return false;
    if (got < 0) break;
    connection->in_length += (size_t)got;
    connection->in[connection->in_length] = 0;
  }
  connection->in[connection->in_length] = 0;
  return model_take_request(model, connection);
}

static bool model_flush(stream_model *model, model_connection *connection) {
  if (connection->out_length == 0) return true;
  ssize_t sent = model_write(connection, connection->out, connection->out_length);
  if (sent < 0) return false;
  connection->out_length -= (size_t)sent;
  memmove(connection->out, connection->out + sent, connection->out_length);
  if (connection->out_length > 0) return true;
  free(connection->out);
  connection->out = NULL;
  model_watch(model, connection);
  return connection->is_answering ? model_go_on(model, connection) : model_take_request(model, connection);
}

static void model_accept(stream_model *model, int listener) {
  int yes = 1, made;
  while ((made = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    model_connection *connection = calloc(1, sizeof *connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connection->socket = made;
    model->control->connections++;
#ifdef STREAM_MODEL_TLS
    if (listener == model->tls_listener) {
      connection->tls = SSL_new(model->tls);
      SSL_set_fd(connection->tls, made);
      SSL_set_accept_state(connection->tls);
    }
#endif
    epoll_ctl(model->epoll, EPOLL_CTL_ADD, made, &event);
  }
}

static int model_listen(stream_model *model, int *listener) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
  *listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(*listener, (struct sockaddr *)&address, size) != 0 || listen(*listener, 4096) != 0) _exit(2);
  getsockname(*listener, (struct sockaddr *)&address, &size);
  epoll_ctl(model->epoll, EPOLL_CTL_ADD, *listener, &event);
  return ntohs(address.sin_port);
}

static void model_serve_for_ever(model_control *control, const char *certificate, const char *key) {
  static stream_model model;
  struct epoll_event events[512];
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  model.control = control;
  model.epoll = epoll_create1(EPOLL_CLOEXEC);
  model.wheel_ms = model_now_us() / 1000;
  int port = model_listen(&model, &model.listener);
  (void)certificate, (void)key;
#ifdef STREAM_MODEL_TLS
  if (certificate != NULL) {
    model.tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(model.tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_file(model.tls, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(model.tls, key, SSL_FILETYPE_PEM) != 1)
      _exit(2);
    control->tls_port = model_listen(&model, &model.tls_listener);
  }
#endif
  control->port = port;
  for (long held = control->hold;;) {
    int count = epoll_wait(model.epoll, events, 512, 1);
    for (int index = 0; index < count; index++) {
      void *pointer = events[index].data.ptr;
      if (pointer == &model.listener || pointer == &model.tls_listener) {
        model_accept(&model, *(int *)pointer);
        continue;
      }
      model_connection *connection = pointer;
      bool is_good = (events[index].events & EPOLLOUT) == 0 || model_flush(&model, connection);
      if (is_good && (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) is_good = model_receive(&model, connection);
      if (!is_good) model_close(&model, connection);
    }
    if (held != control->hold) {
      held = control->hold;
      model_connection *list = model.held, *next;
      model.held = NULL;
      for (model_connection *each = list; each != NULL; each = next) {
        next = each->next;
        each->list = NULL;
        each->previous = each->next = NULL;
        each->due_us = model_now_us() + (each->pace_us > 0 ? rand() % each->pace_us : 0); /* not all in the same moment */
        if (!model_go_on(&model, each)) model_close(&model, each);
      }
    }
    for (int64_t now = model_now_us() / 1000; model.wheel_ms < now;) {
      model_connection **slot = &model.wheel[++model.wheel_ms % WHEEL_SLOTS], *each;
      while ((each = *slot) != NULL)
        if (!model_go_on(&model, each)) model_close(&model, each);
    }
  }
}

/* Starts the process; before any thread. `certificate` and `key` are files for HTTPS, or NULL. NULL when it does not start. */
static inline model_control *start_stream_model(const char *certificate, const char *key) {
  model_control *control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (control == MAP_FAILED) return NULL;
  control->chunks = 4;
  control->pace_us = -1;
  control->hold = LONG_MAX;
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) model_serve_for_ever(control, certificate, key);
    _exit(2);
  }
  for (int wait = 0; wait < 5000 && child > 0 && control->port == 0; wait++) usleep(1000);
  return child > 0 && control->port > 0 ? control : NULL;
}

#endif
