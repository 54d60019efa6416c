#define _GNU_SOURCE
#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

// ---- the library ----

static struct {
  CURLcode (*global_init)(long);
  curl_version_info_data *(*version_info)(CURLversion);
  CURL *(*easy_init)(void);
  void (*easy_cleanup)(CURL *);
  void (*easy_reset)(CURL *);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  const char *(*easy_strerror)(CURLcode);
  CURLM *(*multi_init)(void);
  CURLMcode (*multi_cleanup)(CURLM *);
  CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
  CURLMcode (*multi_add_handle)(CURLM *, CURL *);
  CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
  CURLMcode (*multi_perform)(CURLM *, int *);
  CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned int, int, int *);
  CURLMcode (*multi_wakeup)(CURLM *);
  CURLMsg *(*multi_info_read)(CURLM *, int *);
  struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
  void (*slist_free_all)(struct curl_slist *);
  CURLU *(*url)(void);
  void (*url_cleanup)(CURLU *);
  CURLUcode (*url_get)(const CURLU *, CURLUPart, char **, unsigned int);
  CURLUcode (*url_set)(CURLU *, CURLUPart, const char *, unsigned int);
  void (*free)(void *);
  // Of the OpenSSL below libcurl; NULL when it uses another library.
  void (*thread_stop)(void);
} curl;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_problem[256];
static bool is_loaded;

static void resolve(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  if (!found && !load_problem[0])
    snprintf(load_problem, sizeof load_problem, "this libcurl is too old: it has no %s", name);
  memcpy(function, &found, sizeof found);
}

static void load(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    snprintf(load_problem, sizeof load_problem, "libcurl cannot be opened: %s", why ? why : "unknown");
    library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    load_problem[0] = 0;
  }
  resolve(library, "curl_global_init", &curl.global_init);
  resolve(library, "curl_version_info", &curl.version_info);
  resolve(library, "curl_easy_init", &curl.easy_init);
  resolve(library, "curl_easy_cleanup", &curl.easy_cleanup);
  resolve(library, "curl_easy_reset", &curl.easy_reset);
  resolve(library, "curl_easy_setopt", &curl.easy_setopt);
  resolve(library, "curl_easy_getinfo", &curl.easy_getinfo);
  resolve(library, "curl_easy_strerror", &curl.easy_strerror);
  resolve(library, "curl_multi_init", &curl.multi_init);
  resolve(library, "curl_multi_cleanup", &curl.multi_cleanup);
  resolve(library, "curl_multi_setopt", &curl.multi_setopt);
  resolve(library, "curl_multi_add_handle", &curl.multi_add_handle);
  resolve(library, "curl_multi_remove_handle", &curl.multi_remove_handle);
  resolve(library, "curl_multi_perform", &curl.multi_perform);
  resolve(library, "curl_multi_poll", &curl.multi_poll);
  resolve(library, "curl_multi_wakeup", &curl.multi_wakeup);
  resolve(library, "curl_multi_info_read", &curl.multi_info_read);
  resolve(library, "curl_slist_append", &curl.slist_append);
  resolve(library, "curl_slist_free_all", &curl.slist_free_all);
  resolve(library, "curl_url", &curl.url);
  resolve(library, "curl_url_cleanup", &curl.url_cleanup);
  resolve(library, "curl_url_get", &curl.url_get);
  resolve(library, "curl_url_set", &curl.url_set);
  resolve(library, "curl_free", &curl.free);
  if (load_problem[0]) return;
  void *found = dlsym(library, "OPENSSL_thread_stop");
  memcpy(&curl.thread_stop, &found, sizeof found);
  CURLcode result = curl.global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) {
    snprintf(load_problem, sizeof load_problem, "libcurl cannot be initialised: %s", curl.easy_strerror(result));
    return;
  }
  is_loaded = true;
}

const char *ccurl_load(void) {
  pthread_once(&load_once, load);
  return is_loaded ? NULL : load_problem;
}

void ccurl_leave_thread(void) {
  if (is_loaded && curl.thread_stop) curl.thread_stop();
}

const char *ccurl_version(void) { return curl.version_info(CURLVERSION_NOW)->version; }

// ---- signals ----

// While curl works, the host's signals wait: a thread that curl starts for a name look-up must never run a handler of
// the host, and a TLS library's write to a closed socket raises SIGPIPE, which CURLOPT_NOSIGNAL does not stop. Such a
// SIGPIPE is taken away again.
typedef struct {
  sigset_t before;
  bool had_pipe;
} quiet;

static bool pipe_is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void quiet_begin(quiet *state) {
  sigset_t blocked;
  sigfillset(&blocked);
  // Faults stay open: blocked, they would end the process without the host's handler.
  sigdelset(&blocked, SIGSEGV);
  sigdelset(&blocked, SIGBUS);
  sigdelset(&blocked, SIGFPE);
  sigdelset(&blocked, SIGILL);
  sigdelset(&blocked, SIGTRAP);
  sigdelset(&blocked, SIGABRT);
  state->had_pipe = pipe_is_pending();
  pthread_sigmask(SIG_SETMASK, &blocked, &state->before);
}

static void quiet_end(const quiet *state) {
  if (!state->had_pipe && pipe_is_pending()) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigtimedwait(&pipe, NULL, &(struct timespec){0, 0});
  }
  pthread_sigmask(SIG_SETMASK, &state->before, NULL);
}

// ---- what is received ----

typedef struct {
  uint8_t *bytes;
  size_t count, capacity, limit;
  bool is_over_limit;
} sink;

static void sink_clear(sink *sink) {
  if (sink->capacity > 65536) {
    free(sink->bytes);
    sink->bytes = NULL;
    sink->capacity = 0;
  }
  sink->count = 0;
  sink->limit = 0;
  sink->is_over_limit = false;
}

static size_t sink_write(char *bytes, size_t size, size_t number, void *pointer) {
  sink *sink = pointer;
  size_t count = size * number;
  if (count > sink->limit - sink->count) {
    sink->is_over_limit = true;
    return 0;
  }
  if (count > sink->capacity - sink->count) {
    size_t capacity = sink->capacity < 4096 ? 4096 : sink->capacity * 2;
    while (capacity - sink->count < count) capacity *= 2;
    uint8_t *larger = realloc(sink->bytes, capacity);
    if (!larger) return 0;
    sink->bytes = larger;
    sink->capacity = capacity;
  }
  if (count > 0) memcpy(sink->bytes + sink->count, bytes, count);
  sink->count += count;
  return count;
}

// ---- addresses ----

static ccurl_address address_of_v6(const struct in6_addr *address) {
  ccurl_address found = {0, 0};
  for (int index = 0; index < 8; index++) found.high = found.high << 8 | address->s6_addr[index];
  for (int index = 8; index < 16; index++) found.low = found.low << 8 | address->s6_addr[index];
  return found;
}

static ccurl_address address_of_v4(const struct in_addr *address) {
  return (ccurl_address){0, UINT64_C(0xffff00000000) | ntohl(address->s_addr)};
}

bool ccurl_address_of(const char *text, ccurl_address *address) {
  struct in_addr v4;
  struct in6_addr v6;
  if (inet_pton(AF_INET, text, &v4) == 1) {
    *address = address_of_v4(&v4);
  } else if (inet_pton(AF_INET6, text, &v6) == 1) {
    *address = address_of_v6(&v6);
  } else {
    return false;
  }
  return true;
}

bool ccurl_url_host(const char *text, char *host, uint16_t *port) {
  CURLU *url = curl.url();
  if (!url) return false;
  char *name = NULL, *number = NULL;
  bool is_found = curl.url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK
                  && curl.url_get(url, CURLUPART_HOST, &name, 0) == CURLUE_OK
                  && curl.url_get(url, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) == CURLUE_OK
                  && strlen(name) < CCURL_HOST_SIZE;
  if (is_found) {
    memcpy(host, name, strlen(name) + 1);
    *port = (uint16_t)strtoul(number, NULL, 10);
  }
  curl.free(name);
  curl.free(number);
  curl.url_cleanup(url);
  return is_found;
}

// ---- transfers ----

struct ccurl_transfer {
  CURLM *multi;
  CURL *easy;
  struct curl_slist *headers;
  sink body, received_headers;
  ccurl_address_check *is_allowed;  // NULL: every address is
  uint32_t allowances;
  bool is_refused;
  bool is_added, is_done;
  char message[CURL_ERROR_SIZE];
};

// Whether the transfer may connect to this address, which is the very one that it would connect to: whatever the name,
// its notation, the answer of a name server or an earlier answer of the host led to it.
static bool is_allowed(const ccurl_transfer *transfer, const struct curl_sockaddr *address) {
  if (!transfer->is_allowed) return true;
  struct sockaddr_storage copy = {0};
  if (address->addrlen > sizeof copy) return false;
  memcpy(&copy, &address->addr, address->addrlen);
  ccurl_address found;
  switch (address->family) {
    case AF_INET: found = address_of_v4(&((struct sockaddr_in *)&copy)->sin_addr); break;
    case AF_INET6: found = address_of_v6(&((struct sockaddr_in6 *)&copy)->sin6_addr); break;
    default: return false;
  }
  return transfer->is_allowed(found, transfer->allowances);
}

static curl_socket_t open_socket(void *pointer, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose;
  ccurl_transfer *transfer = pointer;
  if (!is_allowed(transfer, address)) {
    transfer->is_refused = true;
    return CURL_SOCKET_BAD;
  }
  // curl's own sockets are inherited by programs that the host starts; ours are not.
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

ccurl_transfer *ccurl_transfer_new(void) {
  ccurl_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->multi = curl.multi_init();
  transfer->easy = curl.easy_init();
  if (!transfer->multi || !transfer->easy) {
    ccurl_transfer_free(transfer);
    return NULL;
  }
  curl.multi_setopt(transfer->multi, CURLMOPT_MAXCONNECTS, 4L);
  return transfer;
}

void ccurl_transfer_free(ccurl_transfer *transfer) {
  ccurl_transfer_stop(transfer);
  quiet state;
  quiet_begin(&state);
  if (transfer->easy) curl.easy_cleanup(transfer->easy);
  if (transfer->multi) curl.multi_cleanup(transfer->multi);
  quiet_end(&state);
  curl.slist_free_all(transfer->headers);
  free(transfer->body.bytes);
  free(transfer->received_headers.bytes);
  free(transfer);
}

void ccurl_transfer_clear(ccurl_transfer *transfer) {
  ccurl_transfer_stop(transfer);
  curl.easy_reset(transfer->easy);
  curl.slist_free_all(transfer->headers);
  transfer->headers = NULL;
  transfer->message[0] = 0;
  transfer->is_allowed = NULL;
  transfer->allowances = 0;
  transfer->is_refused = false;
  sink_clear(&transfer->body);
  sink_clear(&transfer->received_headers);
}

void ccurl_transfer_restrict(ccurl_transfer *transfer, ccurl_address_check *is_allowed, uint32_t allowances) {
  transfer->is_allowed = is_allowed;
  transfer->allowances = allowances;
}

void ccurl_transfer_limit(ccurl_transfer *transfer, size_t body, size_t headers) {
  transfer->body.limit = body;
  transfer->received_headers.limit = headers;
}

CURLcode ccurl_transfer_set_long(ccurl_transfer *transfer, CURLoption option, int64_t value) {
  if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
    return curl.easy_setopt(transfer->easy, option, (curl_off_t)value);
  long number = value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : (long)value;
  return curl.easy_setopt(transfer->easy, option, number);
}

CURLcode ccurl_transfer_set_text(ccurl_transfer *transfer, CURLoption option, const char *text) {
  return curl.easy_setopt(transfer->easy, option, text);
}

CURLcode ccurl_transfer_set_body(ccurl_transfer *transfer, const uint8_t *bytes, size_t count) {
  CURLcode result = curl.easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
  if (result != CURLE_OK) return result;
  return curl.easy_setopt(transfer->easy, CURLOPT_COPYPOSTFIELDS, count > 0 ? (const char *)bytes : "");
}

bool ccurl_transfer_add_header(ccurl_transfer *transfer, const char *line) {
  struct curl_slist *longer = curl.slist_append(transfer->headers, line);
  if (!longer) return false;
  transfer->headers = longer;
  return true;
}

CURLMcode ccurl_transfer_start(ccurl_transfer *transfer) {
  CURL *easy = transfer->easy;
  curl.easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
  curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, sink_write);
  curl.easy_setopt(easy, CURLOPT_WRITEDATA, &transfer->body);
  curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, sink_write);
  curl.easy_setopt(easy, CURLOPT_HEADERDATA, &transfer->received_headers);
  curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl.easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
  // CURLOPT_QUICK_EXIT, which older headers lack: a transfer that is taken back does not wait for the resolver's
  // thread.
  curl.easy_setopt(easy, (CURLoption)322, 1L);
  transfer->is_done = false;
  CURLMcode result = curl.multi_add_handle(transfer->multi, easy);
  transfer->is_added = result == CURLM_OK;
  return result;
}

CURLMcode ccurl_transfer_step(ccurl_transfer *transfer, bool *is_done, CURLcode *result) {
  int running = 0, waiting = 0;
  quiet state;
  quiet_begin(&state);
  CURLMcode code = curl.multi_perform(transfer->multi, &running);
  quiet_end(&state);
  *is_done = false;
  *result = CURLE_OK;
  if (code != CURLM_OK) return code;
  for (CURLMsg *message; (message = curl.multi_info_read(transfer->multi, &waiting));)
    if (message->msg == CURLMSG_DONE) {
      transfer->is_done = *is_done = true;
      *result = message->data.result;
    }
  return code;
}

CURLMcode ccurl_transfer_wait(ccurl_transfer *transfer, int32_t milliseconds) {
  return curl.multi_poll(transfer->multi, NULL, 0, milliseconds, NULL);
}

void ccurl_transfer_wake(ccurl_transfer *transfer) { curl.multi_wakeup(transfer->multi); }

void ccurl_transfer_stop(ccurl_transfer *transfer) {
  if (!transfer->is_added) return;
  transfer->is_added = false;
  quiet state;
  quiet_begin(&state);
  if (!transfer->is_done) curl.easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
  curl.multi_remove_handle(transfer->multi, transfer->easy);
  quiet_end(&state);
}

int64_t ccurl_transfer_long(ccurl_transfer *transfer, CURLINFO information) {
  long value = 0;
  return curl.easy_getinfo(transfer->easy, information, &value) == CURLE_OK ? value : 0;
}

bool ccurl_transfer_was_connected(ccurl_transfer *transfer) {
  double seconds = 0;
  return curl.easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME, &seconds) == CURLE_OK && seconds > 0;
}

const char *ccurl_transfer_message(ccurl_transfer *transfer, CURLcode result) {
  return transfer->message[0] ? transfer->message : curl.easy_strerror(result);
}

bool ccurl_transfer_is_over_limit(ccurl_transfer *transfer) {
  return transfer->body.is_over_limit || transfer->received_headers.is_over_limit;
}

bool ccurl_transfer_is_refused(ccurl_transfer *transfer) { return transfer->is_refused; }

const uint8_t *ccurl_transfer_body(ccurl_transfer *transfer, size_t *count) {
  *count = transfer->body.count;
  return transfer->body.bytes;
}

const uint8_t *ccurl_transfer_headers(ccurl_transfer *transfer, size_t *count) {
  *count = transfer->received_headers.count;
  return transfer->received_headers.bytes;
}
