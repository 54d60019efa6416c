// libcurl, opened with dlopen on first use, behind functions that Swift can call: curl's own setters are variadic,
// and its callbacks and buffers are raw memory. One `ccurl_transfer` is one easy handle in a multi handle of its own,
// with what it received. Mechanism only; which options are set, and what a result means, is decided in Swift.
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

typedef struct ccurl_transfer ccurl_transfer;

/// Says whether a transfer may connect to an address; `allowances` are those of the transfer.
typedef bool ccurl_address_check(ccurl_address address, uint32_t allowances);

/// NULL when there is no memory. One thread at a time uses a transfer; only `ccurl_transfer_wake` may come from any
/// other.
ccurl_transfer *_Nullable ccurl_transfer_new(void);
/// Closes its connections and frees it.
void ccurl_transfer_free(ccurl_transfer *transfer);
/// Forgets the request and what was received, so that the next one finds it as new; kept connections, known host names
/// and TLS sessions stay.
void ccurl_transfer_clear(ccurl_transfer *transfer);
/// Has `is_allowed` asked before each connection, with the address that it goes to; until the next clear.
void ccurl_transfer_restrict(ccurl_transfer *transfer, ccurl_address_check *is_allowed, uint32_t allowances);
/// How many bytes of body and headers may come; 0 at first.
void ccurl_transfer_limit(ccurl_transfer *transfer, size_t body, size_t headers);

CURLcode ccurl_transfer_set_long(ccurl_transfer *transfer, CURLoption option, int64_t value);
CURLcode ccurl_transfer_set_text(ccurl_transfer *transfer, CURLoption option, const char *text);
/// Sets the request's body; it is copied.
CURLcode ccurl_transfer_set_body(ccurl_transfer *transfer, const uint8_t *_Nullable bytes, size_t count);
/// Appends one header line; it is copied. False when there is no memory.
bool ccurl_transfer_add_header(ccurl_transfer *transfer, const char *line);

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

/// A number that curl knows about the transfer; 0 when it does not.
int64_t ccurl_transfer_long(ccurl_transfer *transfer, CURLINFO information);
/// Whether the request came as far as a usable connection, TLS and proxy included.
bool ccurl_transfer_was_connected(ccurl_transfer *transfer);
/// What curl says about a failure. It may quote a URL with its user name and password.
const char *ccurl_transfer_message(ccurl_transfer *transfer, CURLcode result);
/// Whether more came than the limits allow.
bool ccurl_transfer_is_over_limit(ccurl_transfer *transfer);
/// Whether an address was refused by what `ccurl_transfer_restrict` was given.
bool ccurl_transfer_is_refused(ccurl_transfer *transfer);
/// What was received; valid until it is cleared.
const uint8_t *_Nullable ccurl_transfer_body(ccurl_transfer *transfer, size_t *count);
/// The header lines as they came, those of interim answers included; valid until it is cleared.
const uint8_t *_Nullable ccurl_transfer_headers(ccurl_transfer *transfer, size_t *count);

// Macros that Swift cannot see.
static const int64_t ccurl_protocols_http_and_https = CURLPROTO_HTTP | CURLPROTO_HTTPS;

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#endif
