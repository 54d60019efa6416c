#include "Request.h"

#include <stdlib.h>

struct ccurl_transfer {
  ccurl_request request;
  CURLM *multi;
  bool is_added, is_done;
};

ccurl_transfer *ccurl_transfer_new(void) {
  ccurl_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->multi = curl.multi_init();
  if (!request_init(&transfer->request) || !transfer->multi) {
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
  request_release(&transfer->request);
  if (transfer->multi) curl.multi_cleanup(transfer->multi);
  quiet_end(&state);
  free(transfer);
}

void ccurl_transfer_clear(ccurl_transfer *transfer) {
  ccurl_transfer_stop(transfer);
  request_clear(&transfer->request);
}

ccurl_request *ccurl_transfer_request(ccurl_transfer *transfer) { return &transfer->request; }

CURLMcode ccurl_transfer_start(ccurl_transfer *transfer) {
  ccurl_request *request = &transfer->request;
  request_finish_options(request);
  curl.easy_setopt(request->easy, CURLOPT_WRITEFUNCTION, sink_write);
  curl.easy_setopt(request->easy, CURLOPT_WRITEDATA, &request->body);
  curl.easy_setopt(request->easy, CURLOPT_HEADERFUNCTION, sink_write);
  curl.easy_setopt(request->easy, CURLOPT_HEADERDATA, &request->received_headers);
  transfer->is_done = false;
  CURLMcode result = curl.multi_add_handle(transfer->multi, request->easy);
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
  if (!transfer->is_done) curl.easy_setopt(transfer->request.easy, CURLOPT_FORBID_REUSE, 1L);
  curl.multi_remove_handle(transfer->multi, transfer->request.easy);
  quiet_end(&state);
}

const uint8_t *ccurl_transfer_body(ccurl_transfer *transfer, size_t *count) {
  *count = transfer->request.body.count;
  return transfer->request.body.bytes;
}

const uint8_t *ccurl_transfer_headers(ccurl_transfer *transfer, size_t *count) {
  *count = transfer->request.received_headers.count;
  return transfer->request.received_headers.bytes;
}
