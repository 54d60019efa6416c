/* SPDX-License-Identifier: Apache-2.0
 *
 * streams.h - what the benchmarks of streams share: a plane whose model streams, and the floor.
 *
 * The floor is what a careful C program would do to read many streamed answers: one thread with curl_multi_socket_action and epoll, curl's options as
 * ours are; each event of an answer is parsed with jansson, its text appended under a mutex, and the stream put into a queue, unless it is in there;
 * an eventfd tells the reader, who takes the text that has come of a stream as a copy of its own. It has no store and no deadlines, and checks nothing.
 */
#ifndef MUSTER_BENCH_STREAMS_H
#define MUSTER_BENCH_STREAMS_H

#include <curl/curl.h>
#include <jansson.h>
#include <poll.h>
#include <stream_model.h>
#include <sys/eventfd.h>

#include "bench.h"

static const char stream_body[] = "{\"input\":{\"text\":\"What is the capital of France?\"}}";

/* ---- ours ---- */

typedef struct streaming_plane {
  muster *plane;
  muster_queue *queue;
  char agent[64];
} streaming_plane;

static inline void open_streaming_plane(streaming_plane *made, const char *store, const char *scheme, int port, const char *durability) {
  char config[2048], *text = NULL;
  muster_error *error = NULL;
  snprintf(config, sizeof config,
           "{\"store\":\"%s\",\"durability\":\"%s\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"fixed\","
           "\"api_base\":\"%s://127.0.0.1:%d/v1\"}}",
           store, durability, scheme, port);
  need(muster_open(config, NULL, &made->plane, &error), error, "open");
  need(muster_agent_create(made->plane, agent_body(), &text, NULL, &error), error, "agents.create");
  json_t *agent = json_loads(text, 0, NULL);
  snprintf(made->agent, sizeof made->agent, "%s", json_string_value(json_object_get(agent, "id")));
  json_decref(agent);
  muster_free(text);
  need(muster_queue_open(made->plane, &made->queue, &error), error, "queue_open");
}

static inline void submit_stream(streaming_plane *plane, void *user_data) {
  muster_error *error = NULL;
  need(muster_agent_invoke_stream(plane->plane, plane->queue, plane->agent, NULL, stream_body, user_data, NULL, &error), error, "submit");
}

/* How many bytes of text the chunks among events have; the text of the model needs no escapes. */
static inline long chunk_bytes(const char *json) {
  long bytes = 0;
  for (const char *data = json; (data = strstr(data, "\"data\":\"")) != NULL;) {
    const char *end = strchr(data += 8, '"');
    if (end == NULL) break;
    bytes += end - data;
    data = end;
  }
  return bytes;
}

/* Processor time of this process, in nanoseconds. */
static inline double processor_ns(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

/* ---- the floor ---- */

/* curl looks through all connections of a multi handle for each request: so each has so many, as ours. */
enum { FLOOR_SHARD = 256, FLOOR_BUFFER = 2048 };

typedef struct floor_shard {
  CURLM *multi;
  long active;
  double due; /* of its timer; below 0: none */
} floor_shard;

typedef struct floor_stream {
  struct floor_loop *loop;
  struct floor_shard *shard;
  CURL *easy;
  char *line; /* the beginning of a line whose end has not come */
  size_t line_length;
  bool is_complete;
  struct floor_stream *next; /* to be started, or among those that have something to read */
  /* Under the mutex. */
  char *text;
  size_t length, given;
  bool is_queued, is_over;
} floor_stream;

typedef struct floor_loop {
  pthread_mutex_t mutex;
  pthread_t thread;
  int epoll, wake, ready;
  CURLSH *share;
  struct curl_slist *headers;
  char url[128], wire[8192];
  const char *certificate;
  floor_shard shards[128];
  uint32_t shard_count;
  /* Under the mutex. */
  floor_stream *to_start, **to_start_end, *queue, **queue_end;
} floor_loop;

/* Puts a stream into the queue. Called with the mutex held. */
static inline void floor_queue(floor_loop *loop, floor_stream *stream) {
  if (stream->is_queued) return;
  bool was_empty = loop->queue == NULL;
  stream->is_queued = true;
  stream->next = NULL;
  *loop->queue_end = stream;
  loop->queue_end = &stream->next;
  if (was_empty) eventfd_write(loop->ready, 1);
}

static inline void floor_line(floor_stream *stream, const char *line, size_t length) {
  if (length < 7 || memcmp(line, "data: ", 6) != 0) return;
  if (memcmp(line + 6, "[DONE]", 6) == 0) {
    stream->is_complete = true;
    return;
  }
  json_t *chunk = json_loadb(line + 6, length - 6, 0, NULL);
  json_t *content = json_object_get(json_object_get(json_array_get(json_object_get(chunk, "choices"), 0), "delta"), "content");
  size_t more = json_string_length(content);
  if (more > 0) {
    pthread_mutex_lock(&stream->loop->mutex);
    stream->text = realloc(stream->text, stream->length + more);
    memcpy(stream->text + stream->length, json_string_value(content), more);
    stream->length += more;
    floor_queue(stream->loop, stream);
    pthread_mutex_unlock(&stream->loop->mutex);
  }
  json_decref(chunk);
}

static inline size_t floor_receive(char *bytes, size_t size, size_t number, void *pointer) {
  floor_stream *stream = pointer;
  char *at = bytes, *end = bytes + size * number, *stop;
  while ((stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
    if (stream->line_length > 0) {
      stream->line = realloc(stream->line, stream->line_length + (size_t)(stop - at));
      memcpy(stream->line + stream->line_length, at, (size_t)(stop - at));
      floor_line(stream, stream->line, stream->line_length + (size_t)(stop - at));
      free(stream->line);
      stream->line = NULL;
      stream->line_length = 0;
    } else {
      floor_line(stream, at, (size_t)(stop - at));
    }
    at = stop + 1;
  }
  if (at < end) {
    stream->line = realloc(stream->line, stream->line_length + (size_t)(end - at));
    memcpy(stream->line + stream->line_length, at, (size_t)(end - at));
    stream->line_length += (size_t)(end - at);
  }
  return size * number;
}

static inline int floor_watch(CURL *easy, curl_socket_t socket, int what, void *pointer, void *known) {
  floor_loop *loop = ((void **)pointer)[0];
  floor_shard *shard = ((void **)pointer)[1];
  struct epoll_event event = {.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0),
                              .data.u64 = (uint64_t)(shard - loop->shards) << 32 | (uint32_t)socket};
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, socket, NULL);
    return 0;
  }
  if (known == NULL) curl_multi_assign(shard->multi, socket, shard);
  if (epoll_ctl(loop->epoll, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) == 0) return 0;
  return epoll_ctl(loop->epoll, known != NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
}

static inline int floor_timer(CURLM *multi, long milliseconds, void *pointer) {
  (void)multi;
  ((floor_shard *)pointer)->due = milliseconds < 0 ? -1 : now() + (double)milliseconds * 1e6;
  return 0;
}

static inline void floor_limit(floor_loop *loop, floor_shard *shard) {
  curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, (shard->active > 0 ? shard->active - 1 : 0) + (shard == loop->shards ? 64 : 8));
}

static inline floor_shard *floor_room(floor_loop *loop) {
  for (uint32_t index = 0; index < loop->shard_count; index++)
    if (loop->shards[index].active < FLOOR_SHARD) return &loop->shards[index];
  if (loop->shard_count == sizeof loop->shards / sizeof *loop->shards) die("floor", "too many streams");
  floor_shard *made = &loop->shards[loop->shard_count++];
  void **context = malloc(2 * sizeof *context);
  context[0] = loop;
  context[1] = made;
  made->due = -1;
  made->multi = curl_multi_init();
  curl_multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, floor_watch);
  curl_multi_setopt(made->multi, CURLMOPT_SOCKETDATA, context);
  curl_multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, floor_timer);
  curl_multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
  floor_limit(loop, made);
  return made;
}

static inline void floor_act(floor_loop *loop, floor_shard *shard, curl_socket_t socket, int what) {
  int running, left;
  if (socket == CURL_SOCKET_TIMEOUT) shard->due = -1;
  curl_multi_socket_action(shard->multi, socket, what, &running);
  for (CURLMsg *message; (message = curl_multi_info_read(shard->multi, &left)) != NULL;) {
    floor_stream *stream = NULL;
    CURL *easy = message->easy_handle;
    CURLcode result = message->data.result;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &stream);
    if (result != CURLE_OK || !stream->is_complete) die("floor", curl_easy_strerror(result));
    curl_multi_remove_handle(shard->multi, easy);
    curl_easy_cleanup(easy);
    stream->easy = NULL;
    shard->active--;
    floor_limit(loop, shard);
    pthread_mutex_lock(&loop->mutex);
    stream->is_over = true;
    floor_queue(loop, stream);
    pthread_mutex_unlock(&loop->mutex);
  }
  long wait = -1;
  if (socket != CURL_SOCKET_TIMEOUT || shard->due >= 0) return;
  curl_multi_timeout(shard->multi, &wait);
  if (wait >= 0) floor_timer(shard->multi, wait > 0 ? wait : 1, shard);
}

static inline void floor_begin(floor_loop *loop, floor_stream *stream) {
  floor_shard *shard = floor_room(loop);
  CURL *easy = stream->easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, loop->url);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 3600000L);
  if (loop->certificate != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, loop->certificate);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(loop->wire));
  curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, loop->wire);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, loop->headers);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)FLOOR_BUFFER);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, floor_receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, stream);
  curl_easy_setopt(easy, CURLOPT_SHARE, loop->share);
  stream->shard = shard;
  if (curl_multi_add_handle(shard->multi, easy) != CURLM_OK) die("floor", "curl_multi_add_handle");
  shard->active++;
  floor_limit(loop, shard);
  floor_act(loop, shard, CURL_SOCKET_TIMEOUT, 0);
}

static inline void *floor_run(void *pointer) {
  floor_loop *loop = pointer;
  struct epoll_event events[64];
  for (bool has_more = false;;) {
    double due = -1;
    for (uint32_t index = 0; index < loop->shard_count; index++)
      if (loop->shards[index].due >= 0 && (due < 0 || loop->shards[index].due < due)) due = loop->shards[index].due;
    double left = due >= 0 ? (due - now()) / 1e6 : -1;
    int count = epoll_wait(loop->epoll, events, 64, has_more ? 0 : due < 0 ? -1 : left <= 0 ? 0 : (int)left + 1);
    for (int index = 0; index < count; index++) {
      uint64_t data = events[index].data.u64;
      eventfd_t value;
      if (data == UINT64_MAX) {
        eventfd_read(loop->wake, &value);
        continue;
      }
      int told = (events[index].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events[index].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
      floor_act(loop, &loop->shards[data >> 32], (curl_socket_t)(data & UINT32_MAX), told);
    }
    double moment = now();
    for (uint32_t index = 0; index < loop->shard_count; index++)
      if (loop->shards[index].due >= 0 && loop->shards[index].due <= moment) floor_act(loop, &loop->shards[index], CURL_SOCKET_TIMEOUT, 0);
    /* So many at a time, so that those under way have their turn. */
    for (int starts = 0; starts < 64; starts++) {
      pthread_mutex_lock(&loop->mutex);
      floor_stream *stream = loop->to_start;
      if (stream != NULL && (loop->to_start = stream->next) == NULL) loop->to_start_end = &loop->to_start;
      has_more = loop->to_start != NULL;
      pthread_mutex_unlock(&loop->mutex);
      if (stream == NULL) break;
      floor_begin(loop, stream);
    }
  }
  return NULL;
}

static inline void floor_open(floor_loop *loop, const char *scheme, int port, const char *certificate) {
  json_t *agent = json_loads(agent_body(), 0, NULL);
  const char *instructions = json_string_value(json_object_get(json_object_get(agent, "instructions"), "general"));
  json_t *request = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}], s:b, s:{s:b}}", "model", "fixed", "messages", "role", "system", "content",
                              instructions, "role", "user", "content", "What is the capital of France?", "stream", 1, "stream_options",
                              "include_usage", 1);
  char *wire = json_dumps(request, JSON_COMPACT);
  memset(loop, 0, sizeof *loop);
  pthread_mutex_init(&loop->mutex, NULL);
  snprintf(loop->url, sizeof loop->url, "%s://127.0.0.1:%d/v1/chat/completions", scheme, port);
  snprintf(loop->wire, sizeof loop->wire, "%s", wire);
  free(wire);
  json_decref(request);
  json_decref(agent);
  loop->certificate = certificate;
  loop->to_start_end = &loop->to_start;
  loop->queue_end = &loop->queue;
  loop->headers = curl_slist_append(loop->headers, "Content-Type: application/json");
  loop->headers = curl_slist_append(loop->headers, "Accept: text/event-stream");
  loop->headers = curl_slist_append(loop->headers, "Expect:");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  loop->share = curl_share_init();
  curl_share_setopt(loop->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(loop->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  loop->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
  epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event);
  if (pthread_create(&loop->thread, NULL, floor_run, loop) != 0) die("floor", "no thread");
}

static inline void floor_submit(floor_loop *loop, floor_stream *stream) {
  memset(stream, 0, sizeof *stream);
  stream->loop = loop;
  pthread_mutex_lock(&loop->mutex);
  bool was_empty = loop->to_start == NULL;
  *loop->to_start_end = stream;
  loop->to_start_end = &stream->next;
  pthread_mutex_unlock(&loop->mutex);
  if (was_empty) eventfd_write(loop->wake, 1);
}

/* The next stream with something new: its new text, which the caller frees, and whether it is over. Waits for it. */
static inline floor_stream *floor_next(floor_loop *loop, char **text, size_t *length, bool *is_over) {
  for (;;) {
    pthread_mutex_lock(&loop->mutex);
    floor_stream *stream = loop->queue;
    if (stream != NULL) {
      if ((loop->queue = stream->next) == NULL) loop->queue_end = &loop->queue;
      stream->is_queued = false;
      *length = stream->length - stream->given;
      *text = malloc(*length + 1);
      memcpy(*text, stream->text + stream->given, *length);
      (*text)[*length] = 0;
      stream->given = stream->length;
      *is_over = stream->is_over;
      pthread_mutex_unlock(&loop->mutex);
      return stream;
    }
    pthread_mutex_unlock(&loop->mutex);
    struct pollfd wait = {.fd = loop->ready, .events = POLLIN};
    eventfd_t value;
    if (poll(&wait, 1, 60000) == 0) die("floor", "nothing came for a minute");
    eventfd_read(loop->ready, &value);
  }
}

#endif
