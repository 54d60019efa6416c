// libcurl, opened with dlopen on first use, behind functions that Swift can call: curl's own setters are variadic,
// and its callbacks and buffers are raw memory. One `ccurl_transfer` is one request in a multi handle of its own, with
// what it received; a `ccurl_loop` has many requests at once. Mechanism only; which options are set, and what a result
// means, is decided in Swift.
#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

/// Opens libcurl and initialises it, once, from whichever thread comes first; it is never closed again. NULL when it
/// is ready, else why it is not, as a text that lives for ever. Nothing below may be called before it was ready.
const char *_Nullable ccurl_load(void);
/// Lets OpenSSL free what it keeps for this thread. It does so by itself when a thread ends; but a thread that ends
/// while the process does would free it at the same moment as OpenSSL's exit handler.
void ccurl_leave_thread(void);
/// The version of the libcurl that was opened, as `7.88.1`.
const char *ccurl_version(void);
/// Whether libcurl has a file of trusted certificates of its own, and it can be read.
bool ccurl_has_bundle(void);

/// An address as the two halves of its 16 bytes; one of IPv4 stands as ::ffff:a.b.c.d.
typedef struct {
  uint64_t high, low;
} ccurl_address;

/// The address that a text is: four decimal numbers, or IPv6 without brackets and zone. False for any other text.
bool ccurl_address_of(const char *text, ccurl_address *address);

#define CCURL_HOST_SIZE 512

/// Host and port of a URL, as curl itself reads it; `host` has room for CCURL_HOST_SIZE bytes. False when it is none, or
/// has a longer host.
bool ccurl_url_host(const char *text, char *host, uint16_t *port);

// ---- requests ----

/// One easy handle, and what it was asked. One thread at a time uses it.
typedef struct ccurl_request ccurl_request;

/// Says whether a request may connect to an address; `allowances` are those of the request.
typedef bool ccurl_address_check(ccurl_address address, uint32_t allowances);

/// Has `is_allowed` asked before each connection, with the address that it goes to.
void ccurl_request_restrict(ccurl_request *request, ccurl_address_check *is_allowed, uint32_t allowances);
/// How many bytes of body and headers may come; 0 at first.
void ccurl_request_limit(ccurl_request *request, size_t body, size_t headers);

CURLcode ccurl_request_set_long(ccurl_request *request, CURLoption option, int64_t value);
CURLcode ccurl_request_set_text(ccurl_request *request, CURLoption option, const char *_Nullable text);
/// Sets the request's body; it is copied.
CURLcode ccurl_request_set_body(ccurl_request *request, const uint8_t *_Nullable bytes, size_t count);
/// Appends one header line; it is copied. False when there is no memory.
bool ccurl_request_add_header(ccurl_request *request, const char *line);

/// A number that curl knows about the request; 0 when it does not.
int64_t ccurl_request_long(ccurl_request *request, CURLINFO information);
/// Whether it has come so far that the address of its host is known, or it has a connection.
bool ccurl_request_has_address(ccurl_request *request);
/// Whether it came as far as a usable connection, TLS and proxy included.
bool ccurl_request_was_connected(ccurl_request *request);
/// What curl says about a failure. It may quote a URL with its user name and password.
const char *ccurl_request_message(ccurl_request *request, CURLcode result);
/// Whether more came than the limits allow.
bool ccurl_request_is_over_limit(ccurl_request *request);
/// Whether an address was refused by what `ccurl_request_restrict` was given.
bool ccurl_request_is_refused(ccurl_request *request);

// ---- one request at a time, on its caller's thread ----

typedef struct ccurl_transfer ccurl_transfer;

/// NULL when there is no memory. One thread at a time uses a transfer; only `ccurl_transfer_wake` may come from any
/// other.
ccurl_transfer *_Nullable ccurl_transfer_new(void);
/// Closes its connections and frees it.
void ccurl_transfer_free(ccurl_transfer *transfer);
/// Forgets the request and what was received, so that the next one finds it as new; kept connections, known host names
/// and TLS sessions stay.
void ccurl_transfer_clear(ccurl_transfer *transfer);
/// The request that it sends; the transfer's own.
ccurl_request *ccurl_transfer_request(ccurl_transfer *transfer);

/// Hands the request to the multi handle; nothing is sent before the first step. Whatever it answers,
/// `ccurl_transfer_stop` follows.
CURLMcode ccurl_transfer_start(ccurl_transfer *transfer);
/// Does what can be done without waiting. Afterwards `*is_done` says whether the transfer is over, and `*result` how
/// it ended.
CURLMcode ccurl_transfer_step(ccurl_transfer *transfer, bool *is_done, CURLcode *result);
/// Waits until there is something to do, it is woken, or the time is over.
CURLMcode ccurl_transfer_wait(ccurl_transfer *transfer, int32_t milliseconds);
/// Ends the wait that goes on, or else the next one.
void ccurl_transfer_wake(ccurl_transfer *transfer);
/// Takes the request back. If it is not over, its connection is closed.
void ccurl_transfer_stop(ccurl_transfer *transfer);

/// What was received; valid until it is cleared.
const uint8_t *_Nullable ccurl_transfer_body(ccurl_transfer *transfer, size_t *count);
/// The header lines as they came, those of interim answers included; valid until it is cleared.
const uint8_t *_Nullable ccurl_transfer_headers(ccurl_transfer *transfer, size_t *count);

// ---- many requests on one thread ----

/// Sockets and timers of many requests on one epoll descriptor. All of it belongs to the thread that waits and steps,
/// which has its signals blocked; other threads may wake it, and make streams.
typedef struct ccurl_loop ccurl_loop;
/// Requests that may use each other's connections, and know the same host names and TLS sessions.
typedef struct ccurl_scope ccurl_scope;
/// One request of a loop. What it receives is passed on and not kept.
typedef struct ccurl_stream ccurl_stream;

/// The head of a final answer has come: its header lines as they came, those of interim answers included.
typedef void ccurl_head(void *context, int64_t status, const uint8_t *lines, size_t count);
/// Some bytes of the body have come.
typedef void ccurl_body(void *context, const uint8_t *bytes, size_t count);

/// NULL when there is no memory or no descriptor. libcurl need not be loaded. Both functions are called during
/// `ccurl_loop_step` and `ccurl_stream_start`; they may mute any stream and call nothing else here.
ccurl_loop *_Nullable ccurl_loop_new(ccurl_head *head, ccurl_body *body);
/// Closes all connections, and frees the scopes. No stream is under way any more.
void ccurl_loop_close(ccurl_loop *loop);
/// Frees a loop that was closed, from any thread.
void ccurl_loop_free(ccurl_loop *loop);
/// Ends the wait that goes on, or else the next one; from any thread.
void ccurl_loop_wake(ccurl_loop *loop);
/// Waits until there is something to do, it is woken, or the time is over; a negative time is without end.
void ccurl_loop_wait(ccurl_loop *loop, int32_t milliseconds);
/// Does what the wait found, for a bounded number of sockets.
void ccurl_loop_step(ccurl_loop *loop);
/// Gives a stream that is over, each once, with how it ended; NULL when there is none. To be freed by who takes it.
ccurl_stream *_Nullable ccurl_loop_ended(ccurl_loop *loop, CURLcode *result, void *_Nullable *_Nonnull context);
/// Cancels every stream that is under way.
void ccurl_loop_cancel_all(ccurl_loop *loop);

/// NULL when there is no memory. It goes with its loop.
ccurl_scope *_Nullable ccurl_scope_new(ccurl_loop *loop);

/// NULL when there is no memory. From any thread; the request is set up before it is started.
ccurl_stream *_Nullable ccurl_stream_new(ccurl_loop *loop);
/// Frees one that was never started, from any thread, or one that is over.
void ccurl_stream_free(ccurl_stream *stream);
/// What it asks; the stream's own.
ccurl_request *ccurl_stream_request(ccurl_stream *stream);
/// Begins; what can be done without waiting is done at once. False when there is no memory: it was not started.
bool ccurl_stream_start(ccurl_stream *stream, ccurl_scope *scope, void *context);
/// Closes the connection of one that is under way, which is over then. False when it is not under way.
bool ccurl_stream_cancel(ccurl_stream *stream);
/// Has nothing more of it passed on; what comes ends it. From any thread.
void ccurl_stream_mute(ccurl_stream *stream);
/// Whether the head of the final answer has come.
bool ccurl_stream_has_begun(ccurl_stream *stream);

// Macros that Swift cannot see.
static const int64_t ccurl_protocols_http_and_https = CURLPROTO_HTTP | CURLPROTO_HTTPS;

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#endif
