#define _GNU_SOURCE
#include "CPlatform.h"
#include "Request.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// After so many sockets the loop looks at what else there is to do, so that busy ones keep nobody from it.
enum { events_most = 64 };
// curl looks through all connections of a multi handle for one that is idle, and for the oldest to close, and does so
// for each request. So a scope has a further handle for each so many requests under way.
enum { shard_most = 256 };
// Idle connections that a scope keeps in its first handle, and in each further one.
enum { kept_most = 64, kept_most_further = 8 };
static const uint64_t wake_mark = UINT64_MAX;

typedef struct shard {
  CURLM *multi;
  ccurl_scope *scope;
  struct shard *next;
  uint32_t index;
  long kept, active;
  int64_t due;  // of its timer, in nanoseconds of the monotonic clock; INT64_MAX: never
} shard;

struct ccurl_scope {
  ccurl_loop *loop;
  ccurl_scope *next;
  CURLSH *share;
  shard *shards;
};

struct ccurl_loop {
  int epoll, wake;
  ccurl_head *head;
  ccurl_body *body;
  ccurl_scope *scopes;
  shard **shards;
  uint32_t shard_count, shard_capacity;
  bool has_unwatched;
  ccurl_stream *active, *ended, **ended_end;
  int event_count;
  struct epoll_event events[events_most];
};

struct ccurl_stream {
  ccurl_request request;
  ccurl_loop *loop;
  shard *shard;  // NULL: not in curl's hands
  ccurl_stream *previous, *next;
  void *context;
  CURLcode result;
  bool has_begun, is_unwatched;
  _Atomic bool is_muted;
};

// ---- what curl says ----

static size_t stream_body(char *bytes, size_t size, size_t number, void *pointer) {
  ccurl_stream *stream = pointer;
  size_t count = size * number;
  if (atomic_load_explicit(&stream->is_muted, memory_order_relaxed)) return 0;
  if (!sink_admits(&stream->request.body, count)) return 0;
  stream->request.body.count += count;
  if (count > 0) stream->loop->body(stream->context, (const uint8_t *)bytes, count);
  return atomic_load_explicit(&stream->is_muted, memory_order_relaxed) ? 0 : count;
}

static size_t stream_header(char *bytes, size_t size, size_t number, void *pointer) {
  ccurl_stream *stream = pointer;
  sink *lines = &stream->request.received_headers;
  size_t count = size * number;
  if (atomic_load_explicit(&stream->is_muted, memory_order_relaxed)) return 0;
  if (stream->has_begun) {
    // Trailers, which nobody reads; they count all the same.
    if (!sink_admits(lines, count)) return 0;
    lines->count += count;
    return count;
  }
  if (sink_write(bytes, size, number, lines) != count) return 0;
  bool is_blank = count > 0 && bytes[0] == (count == 1 ? '\n' : '\r') && count <= 2;
  int64_t status = is_blank ? ccurl_request_long(&stream->request, CURLINFO_RESPONSE_CODE) : 0;
  if (status < 200) return count;
  stream->has_begun = true;
  // A conversation may be long, and so may its answer take.
  request_forget_sent(&stream->request);
  stream->loop->head(stream->context, status, lines->bytes, lines->count);
  free(lines->bytes);
  lines->bytes = NULL;
  lines->capacity = 0;
  return atomic_load_explicit(&stream->is_muted, memory_order_relaxed) ? 0 : count;
}

static curl_socket_t stream_open_socket(void *pointer, curlsocktype purpose, struct curl_sockaddr *address) {
  curl_socket_t made = request_open_socket(pointer, purpose, address);
  // A child that kept it open would keep the connection open when it is closed here.
  if (made != CURL_SOCKET_BAD) platform_fork_close_add(made);
  return made;
}

static int stream_close_socket(void *pointer, curl_socket_t socket) {
  (void)pointer;
  platform_fork_close_remove(socket);
  return close(socket);
}

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *pointer, void *known) {
  shard *shard = pointer;
  ccurl_loop *loop = shard->scope->loop;
  struct epoll_event event = {.data.u64 = (uint64_t)shard->index << 32 | (uint32_t)socket};
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, socket, &event);
    return 0;
  }
  event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  if (!known) curl.multi_assign(shard->multi, socket, shard);
  if (epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) == 0) return 0;
  if (epoll_ctl(loop->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event) == 0) return 0;
  // The kernel has no room. An error here would end all requests of the handle; only this one has to.
  char *stream = NULL;
  curl.easy_getinfo(easy, CURLINFO_PRIVATE, &stream);
  if (stream) loop->has_unwatched = ((ccurl_stream *)(void *)stream)->is_unwatched = true;
  return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *pointer) {
  (void)multi;
  shard *shard = pointer;
  shard->due = milliseconds < 0 ? INT64_MAX : platform_clock_monotonic_nanoseconds() + (int64_t)milliseconds * 1000000;
  return 0;
}

// ---- multi handles ----

static void limit_connections(shard *shard) {
  // curl counts those in use, too, and looks at its limit when one comes back.
  long others = shard->active > 0 ? shard->active - 1 : 0;
  curl.multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, others + shard->kept);
}

static shard *new_shard(ccurl_scope *scope) {
  ccurl_loop *loop = scope->loop;
  if (loop->shard_count == loop->shard_capacity) {
    uint32_t capacity = loop->shard_capacity == 0 ? 8 : loop->shard_capacity * 2;
    shard **more = realloc(loop->shards, capacity * sizeof *more);
    if (!more) return NULL;
    loop->shards = more;
    loop->shard_capacity = capacity;
  }
  shard *made = calloc(1, sizeof *made);
  if (!made || !(made->multi = curl.multi_init())) {
    free(made);
    return NULL;
  }
  made->scope = scope;
  made->due = INT64_MAX;
  made->index = loop->shard_count;
  made->kept = scope->shards ? kept_most_further : kept_most;
  loop->shards[loop->shard_count++] = made;
  shard **last = &scope->shards;
  while (*last) last = &(*last)->next;
  *last = made;
  curl.multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
  curl.multi_setopt(made->multi, CURLMOPT_SOCKETDATA, made);
  curl.multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, set_timer);
  curl.multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
  limit_connections(made);
  return made;
}

static shard *shard_with_room(ccurl_scope *scope) {
  for (shard *shard = scope->shards; shard; shard = shard->next)
    if (shard->active < shard_most) return shard;
  return new_shard(scope);
}

// ---- work ----

static void end(ccurl_stream *stream, CURLcode result) {
  shard *shard = stream->shard;
  curl.multi_remove_handle(shard->multi, stream->request.easy);
  shard->active--;
  limit_connections(shard);
  ccurl_loop *loop = stream->loop;
  if (stream->next) stream->next->previous = stream->previous;
  if (stream->previous) stream->previous->next = stream->next;
  else loop->active = stream->next;
  stream->shard = NULL;
  stream->result = result;
  stream->next = NULL;
  *loop->ended_end = stream;
  loop->ended_end = &stream->next;
}

static void cut(ccurl_stream *stream, CURLcode result) {
  curl.easy_setopt(stream->request.easy, CURLOPT_FORBID_REUSE, 1L);
  end(stream, result);
}

static void cut_unwatched(ccurl_loop *loop) {
  loop->has_unwatched = false;
  for (ccurl_stream *stream = loop->active, *next; stream; stream = next) {
    next = stream->next;
    if (stream->is_unwatched) cut(stream, CURLE_OUT_OF_MEMORY);
  }
}

static void act(shard *shard, curl_socket_t socket, int what) {
  int running = 0, left = 0;
  if (socket == CURL_SOCKET_TIMEOUT) shard->due = INT64_MAX;
  curl.multi_socket_action(shard->multi, socket, what, &running);
  // At once, so that the number of idle connections is right when the next one comes back.
  for (CURLMsg *message; (message = curl.multi_info_read(shard->multi, &left));) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode result = message->data.result;
    char *stream = NULL;
    curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &stream);
    end((ccurl_stream *)(void *)stream, result);
  }
  if (shard->scope->loop->has_unwatched) cut_unwatched(shard->scope->loop);
  if (socket != CURL_SOCKET_TIMEOUT || shard->due != INT64_MAX) return;
  // curl does not tell the same moment twice: if its clock says that it has not come yet, it has to be asked.
  long wait = -1;
  curl.multi_timeout(shard->multi, &wait);
  if (wait >= 0) set_timer(shard->multi, wait > 0 ? wait : 1, shard);
}

ccurl_scope *ccurl_scope_new(ccurl_loop *loop) {
  ccurl_scope *scope = calloc(1, sizeof *scope);
  if (!scope) return NULL;
  scope->loop = loop;
  scope->share = curl.share_init();
  if (!scope->share || !shard_with_room(scope)) {
    if (scope->share) curl.share_cleanup(scope->share);
    free(scope);
    return NULL;
  }
  // Without it each request would look its host's name up again, and shake hands from the very beginning.
  curl.share_setopt(scope->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl.share_setopt(scope->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  scope->next = loop->scopes;
  loop->scopes = scope;
  return scope;
}

// ---- the loop ----

ccurl_loop *ccurl_loop_new(ccurl_head *head, ccurl_body *body) {
  ccurl_loop *loop = calloc(1, sizeof *loop);
  if (!loop) return NULL;
  loop->head = head;
  loop->body = body;
  loop->ended_end = &loop->ended;
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = wake_mark};
  platform_fork_close_add(loop->epoll);
  platform_fork_close_add(loop->wake);
  if (loop->epoll < 0 || loop->wake < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) != 0) {
    ccurl_loop_free(loop);
    return NULL;
  }
  return loop;
}

void ccurl_loop_close(ccurl_loop *loop) {
  for (uint32_t index = 0; index < loop->shard_count; index++) {
    curl.multi_cleanup(loop->shards[index]->multi);
    free(loop->shards[index]);
  }
  free(loop->shards);
  loop->shards = NULL;
  loop->shard_count = loop->shard_capacity = 0;
  for (ccurl_scope *scope; (scope = loop->scopes);) {
    loop->scopes = scope->next;
    curl.share_cleanup(scope->share);
    free(scope);
  }
}

void ccurl_loop_free(ccurl_loop *loop) {
  platform_fork_close_remove(loop->epoll);
  platform_fork_close_remove(loop->wake);
  if (loop->epoll >= 0) close(loop->epoll);
  if (loop->wake >= 0) close(loop->wake);
  free(loop);
}

void ccurl_loop_wake(ccurl_loop *loop) { eventfd_write(loop->wake, 1); }

void ccurl_loop_wait(ccurl_loop *loop, int32_t milliseconds) {
  int64_t due = INT64_MAX;
  for (uint32_t index = 0; index < loop->shard_count; index++)
    if (loop->shards[index]->due < due) due = loop->shards[index]->due;
  if (due != INT64_MAX && milliseconds != 0) {
    int64_t left = due - platform_clock_monotonic_nanoseconds();
    // Rounded up: woken too early, it would turn round until it is time.
    int64_t wait = left <= 0 ? 0 : left / 1000000 + (left % 1000000 > 0);
    if (milliseconds < 0 || wait < milliseconds) milliseconds = wait > INT32_MAX ? INT32_MAX : (int32_t)wait;
  }
  loop->event_count = epoll_wait(loop->epoll, loop->events, events_most, milliseconds);
}

void ccurl_loop_step(ccurl_loop *loop) {
  for (int index = 0; index < loop->event_count; index++) {
    uint64_t data = loop->events[index].data.u64;
    uint32_t what = loop->events[index].events;
    if (data == wake_mark) {
      eventfd_t count;
      eventfd_read(loop->wake, &count);
      continue;
    }
    // With 0 curl finds out by itself: what it was told is an error, it would not even read what came before.
    int told = (what & EPOLLIN ? CURL_CSELECT_IN : 0) | (what & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    act(loop->shards[data >> 32], (curl_socket_t)(data & UINT32_MAX), told);
  }
  loop->event_count = 0;
  int64_t now = platform_clock_monotonic_nanoseconds();
  for (uint32_t index = 0; index < loop->shard_count; index++)
    if (loop->shards[index]->due <= now) act(loop->shards[index], CURL_SOCKET_TIMEOUT, 0);
}

// ---- streams ----

ccurl_stream *ccurl_loop_ended(ccurl_loop *loop, CURLcode *result, void **context) {
  ccurl_stream *stream = loop->ended;
  if (!stream) return NULL;
  loop->ended = stream->next;
  if (!loop->ended) loop->ended_end = &loop->ended;
  stream->next = NULL;
  *result = stream->result;
  *context = stream->context;
  return stream;
}

void ccurl_loop_cancel_all(ccurl_loop *loop) {
  while (loop->active) ccurl_stream_cancel(loop->active);
}

ccurl_stream *ccurl_stream_new(ccurl_loop *loop) {
  ccurl_stream *stream = calloc(1, sizeof *stream);
  if (!stream) return NULL;
  if (!request_init(&stream->request)) {
    free(stream);
    return NULL;
  }
  stream->loop = loop;
  return stream;
}

void ccurl_stream_free(ccurl_stream *stream) {
  request_release(&stream->request);
  free(stream);
}

ccurl_request *ccurl_stream_request(ccurl_stream *stream) { return &stream->request; }

bool ccurl_stream_start(ccurl_stream *stream, ccurl_scope *scope, void *context) {
  shard *shard = shard_with_room(scope);
  if (!shard) return false;
  stream->context = context;
  request_finish_options(&stream->request);
  CURL *easy = stream->request.easy;
  curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, stream_open_socket);
  curl.easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, stream_close_socket);
  curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, stream_body);
  curl.easy_setopt(easy, CURLOPT_WRITEDATA, stream);
  curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, stream_header);
  curl.easy_setopt(easy, CURLOPT_HEADERDATA, stream);
  curl.easy_setopt(easy, CURLOPT_PRIVATE, stream);
  // Here, on the thread of the loop: the share is not locked.
  curl.easy_setopt(easy, CURLOPT_SHARE, scope->share);
  if (curl.multi_add_handle(shard->multi, easy) != CURLM_OK) return false;
  stream->shard = shard;
  stream->next = stream->loop->active;
  if (stream->next) stream->next->previous = stream;
  stream->loop->active = stream;
  shard->active++;
  limit_connections(shard);
  act(shard, CURL_SOCKET_TIMEOUT, 0);
  return true;
}

bool ccurl_stream_cancel(ccurl_stream *stream) {
  if (!stream->shard) return false;
  cut(stream, CURLE_ABORTED_BY_CALLBACK);
  return true;
}

void ccurl_stream_mute(ccurl_stream *stream) {
  atomic_store_explicit(&stream->is_muted, true, memory_order_relaxed);
}

bool ccurl_stream_has_begun(ccurl_stream *stream) { return stream->has_begun; }
