#define _GNU_SOURCE
#include "Request.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// ---- what is received ----

void sink_clear(sink *sink) {
  if (sink->capacity > 65536) {
    free(sink->bytes);
    sink->bytes = NULL;
    sink->capacity = 0;
  }
  sink->count = 0;
  sink->limit = 0;
  sink->is_over_limit = false;
}

bool sink_admits(sink *sink, size_t count) {
  if (count <= sink->limit - sink->count) return true;
  sink->is_over_limit = true;
  return false;
}

size_t sink_write(char *bytes, size_t size, size_t number, void *pointer) {
  sink *sink = pointer;
  size_t count = size * number;
  if (!sink_admits(sink, count)) return 0;
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

// ---- requests ----

// Whether the request may connect to this address, which is the very one that it would connect to: whatever the name,
// its notation, the answer of a name server or an earlier answer of the host led to it.
static bool is_allowed(const ccurl_request *request, const struct curl_sockaddr *address) {
  if (!request->is_allowed) return true;
  struct sockaddr_storage copy = {0};
  if (address->addrlen > sizeof copy) return false;
  memcpy(&copy, &address->addr, address->addrlen);
  ccurl_address found;
  switch (address->family) {
    case AF_INET: found = address_of_v4(&((struct sockaddr_in *)&copy)->sin_addr); break;
    case AF_INET6: found = address_of_v6(&((struct sockaddr_in6 *)&copy)->sin6_addr); break;
    default: return false;
  }
  return request->is_allowed(found, request->allowances);
}

curl_socket_t request_open_socket(void *pointer, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose;
  ccurl_request *request = pointer;
  if (!is_allowed(request, address)) {
    request->is_refused = true;
    return CURL_SOCKET_BAD;
  }
  // curl's own sockets are inherited by programs that the host starts; ours are not.
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool request_init(ccurl_request *request) { return (request->easy = curl.easy_init()) != NULL; }

void request_clear(ccurl_request *request) {
  curl.easy_reset(request->easy);
  curl.slist_free_all(request->headers);
  request->headers = NULL;
  request->message[0] = 0;
  request->is_allowed = NULL;
  request->allowances = 0;
  request->is_refused = false;
  request->body_count = 0;
  sink_clear(&request->body);
  sink_clear(&request->received_headers);
}

void request_release(ccurl_request *request) {
  if (request->easy) curl.easy_cleanup(request->easy);
  curl.slist_free_all(request->headers);
  free(request->body.bytes);
  free(request->received_headers.bytes);
}

void request_finish_options(ccurl_request *request) {
  CURL *easy = request->easy;
  curl.easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
  curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, request->message);
  curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, request_open_socket);
  curl.easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
  // CURLOPT_QUICK_EXIT, which older headers lack: a request that is taken back does not wait for the resolver's
  // thread.
  curl.easy_setopt(easy, (CURLoption)322, 1L);
}

void ccurl_request_restrict(ccurl_request *request, ccurl_address_check *is_allowed, uint32_t allowances) {
  request->is_allowed = is_allowed;
  request->allowances = allowances;
}

void ccurl_request_limit(ccurl_request *request, size_t body, size_t headers) {
  request->body.limit = body;
  request->received_headers.limit = headers;
}

CURLcode ccurl_request_set_long(ccurl_request *request, CURLoption option, int64_t value) {
  if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
    return curl.easy_setopt(request->easy, option, (curl_off_t)value);
  long number = value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : (long)value;
  return curl.easy_setopt(request->easy, option, number);
}

CURLcode ccurl_request_set_text(ccurl_request *request, CURLoption option, const char *text) {
  return curl.easy_setopt(request->easy, option, text);
}

CURLcode ccurl_request_set_body(ccurl_request *request, const uint8_t *bytes, size_t count) {
  request->body_count = count;
  CURLcode result = curl.easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
  if (result != CURLE_OK) return result;
  return curl.easy_setopt(request->easy, CURLOPT_COPYPOSTFIELDS, count > 0 ? (const char *)bytes : "");
}

bool ccurl_request_add_header(ccurl_request *request, const char *line) {
  struct curl_slist *longer = curl.slist_append(request->headers, line);
  if (!longer) return false;
  request->headers = longer;
  return true;
}

int64_t ccurl_request_long(ccurl_request *request, CURLINFO information) {
  long value = 0;
  return curl.easy_getinfo(request->easy, information, &value) == CURLE_OK ? value : 0;
}

static bool has_reached(ccurl_request *request, CURLINFO moment) {
  double seconds = 0;
  return curl.easy_getinfo(request->easy, moment, &seconds) == CURLE_OK && seconds > 0;
}

bool ccurl_request_was_connected(ccurl_request *request) { return has_reached(request, CURLINFO_PRETRANSFER_TIME); }

bool ccurl_request_has_address(ccurl_request *request) { return has_reached(request, CURLINFO_NAMELOOKUP_TIME); }

const char *ccurl_request_message(ccurl_request *request, CURLcode result) {
  return request->message[0] ? request->message : curl.easy_strerror(result);
}

bool ccurl_request_is_over_limit(ccurl_request *request) {
  return request->body.is_over_limit || request->received_headers.is_over_limit;
}

bool ccurl_request_is_refused(ccurl_request *request) { return request->is_refused; }

void request_forget_sent(ccurl_request *request) {
  curl_off_t sent = 0;
  if (curl.easy_getinfo(request->easy, CURLINFO_SIZE_UPLOAD_T, &sent) != CURLE_OK || sent < 0 || (uint64_t)sent < request->body_count)
    return;
  // libcurl frees its copy with this.
  if (request->body_count > 0) curl.easy_setopt(request->easy, CURLOPT_POSTFIELDS, "");
  curl.easy_setopt(request->easy, CURLOPT_HTTPHEADER, NULL);
  curl.slist_free_all(request->headers);
  request->headers = NULL;
}
