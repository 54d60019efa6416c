#ifndef CCURL_REQUEST_H
#define CCURL_REQUEST_H

#include "Library.h"

// What is received, and how much of it may come. The bytes of one who passes them on are never kept here.
typedef struct {
  uint8_t *bytes;
  size_t count, capacity, limit;
  bool is_over_limit;
} sink;

/// Gives large memory back, and starts anew.
void sink_clear(sink *sink);
/// Whether so many bytes more are within the limit; if not, the sink is over it.
bool sink_admits(sink *sink, size_t count);
/// A CURLOPT_WRITEFUNCTION that keeps the bytes.
size_t sink_write(char *bytes, size_t size, size_t number, void *sink);

struct ccurl_request {
  CURL *easy;
  struct curl_slist *headers;
  sink body, received_headers;
  ccurl_address_check *is_allowed;  // NULL: every address is
  uint32_t allowances;
  bool is_refused;
  size_t body_count;
  char message[CURL_ERROR_SIZE];
};

bool request_init(ccurl_request *request);
/// Forgets what was asked and answered.
void request_clear(ccurl_request *request);
void request_release(ccurl_request *request);
/// Lets go of the request's body and headers while its answer is still to come, once they were sent; nothing is sent
/// twice any more then.
void request_forget_sent(ccurl_request *request);
/// Sets what is the same for all who send: where headers are kept, errors are told and sockets are made.
void request_finish_options(ccurl_request *request);
/// A CURLOPT_OPENSOCKETFUNCTION for a `ccurl_request`.
curl_socket_t request_open_socket(void *request, curlsocktype purpose, struct curl_sockaddr *address);

#endif
