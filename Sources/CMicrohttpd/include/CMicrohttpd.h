// libmicrohttpd, opened with dlopen on first use, behind functions that Swift can call: its own are variadic, and what it
// hands out is raw memory. One `cmicrohttpd_server` is one daemon whose loop is a thread of the caller. Mechanism only;
// what is answered, and by whom, is decided in Swift.
#ifndef CMICROHTTPD_H
#define CMICROHTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

/// Opens libmicrohttpd once, from whichever thread comes first; it is never closed again. NULL when it is ready, else why
/// it is not, as a text that lives for ever. Nothing below but the listeners may be called before it was ready.
const char *_Nullable cmicrohttpd_load(void);
/// The version of the libmicrohttpd that was opened, as `0.9.75`.
const char *cmicrohttpd_version(void);

// ---- listening sockets ----

/// A listening TCP socket on a numeric address, close-on-exec and non-blocking; negative: minus an error number.
int cmicrohttpd_listen(const char *host, uint16_t port, bool is_ipv6);
/// A listening socket at `path`, which only this user may use. A socket that a dead server left there is replaced; one
/// that answers, or anything that is no socket, is not. Negative: minus an error number.
int cmicrohttpd_listen_unix(const char *path);
/// The port that a TCP listener got.
uint16_t cmicrohttpd_port(int listener);
/// Removes the file of a listener, if it is still that listener's.
void cmicrohttpd_unlink(const char *path, uint64_t device, uint64_t inode);
/// What `cmicrohttpd_unlink` compares.
void cmicrohttpd_identity(const char *path, uint64_t *device, uint64_t *inode);
/// How many descriptors this process may still open.
uint32_t cmicrohttpd_descriptors_left(void);

// ---- servers ----

typedef struct cmicrohttpd_server cmicrohttpd_server;
typedef struct cmicrohttpd_request cmicrohttpd_request;

typedef struct cmicrohttpd_settings {
  /// Belongs to the server from now on, also when it cannot be made.
  int listener;
  /// PEM texts; NULL without TLS.
  const char *_Nullable certificate;
  const char *_Nullable key;
  /// The memory of a connection, which the headers of a request have to fit into; the most bytes of a body.
  size_t header_bytes, body_bytes;
  uint32_t connections;
  int64_t idle_milliseconds, header_milliseconds;
  void *_Nullable context;
  /// A request has come whole: called on the loop's thread. True when it was answered there; false when it was suspended,
  /// and from then on belongs to another thread.
  bool (*_Nonnull arrived)(void *_Nullable context, cmicrohttpd_request *request);
  /// The next bytes of a stream, on the loop's thread, when all before were sent: writes up to `most` of them and says how
  /// many, or one of the three below. `is_due`: nothing was sent for `quiet_milliseconds`, or the client sends no more;
  /// some bytes would show whether it is still there.
  ptrdiff_t (*_Nonnull read)(void *_Nullable context, cmicrohttpd_request *request, uint8_t *bytes, size_t most, bool is_due);
  int64_t quiet_milliseconds;
  /// The last that is heard of a request that `arrived` had seen or that failed before, on the loop's thread; it is freed
  /// afterwards. `status` is 0 when nothing was answered; `is_whole`: the answer was sent to its end.
  void (*_Nonnull ended)(void *_Nullable context, cmicrohttpd_request *request, uint32_t status, bool is_whole);
} cmicrohttpd_settings;

/// What `read` gives when it wrote nothing: the connection rests until `cmicrohttpd_stream_go_on`, or until it is due; the
/// answer has ended; it cannot be ended, and the connection is closed.
enum { cmicrohttpd_nothing = 0, cmicrohttpd_end = -1, cmicrohttpd_broken = -2 };

/// NULL when it cannot be made; then `problem` says why.
cmicrohttpd_server *_Nullable cmicrohttpd_server_new(const cmicrohttpd_settings *settings, char *problem, size_t size);
/// Waits up to `milliseconds`, or until woken, for something to do.
void cmicrohttpd_server_wait(cmicrohttpd_server *server, int64_t milliseconds);
/// Does what can be done without waiting, and closes connections that are too slow.
void cmicrohttpd_server_step(cmicrohttpd_server *server);
/// Ends the wait that goes on, or else the next one. From any thread.
void cmicrohttpd_server_wake(cmicrohttpd_server *server);
/// Takes no more connections, and closes each that there is after its next answer.
void cmicrohttpd_server_quiesce(cmicrohttpd_server *server);
/// Closes connections on which no request is under way; how many are left.
uint32_t cmicrohttpd_server_close_idle(cmicrohttpd_server *server);
/// Closes the connection of each stream, wherever that is.
void cmicrohttpd_server_cut_streams(cmicrohttpd_server *server);
uint32_t cmicrohttpd_server_connections(cmicrohttpd_server *server);
/// Closes everything and frees the server. No request may be suspended; streams may rest.
void cmicrohttpd_server_free(cmicrohttpd_server *server);

// ---- requests ----

/// In the texts of a request nothing changes until it has ended.
const char *cmicrohttpd_request_method(cmicrohttpd_request *request);
/// Path and query as they were sent.
const char *cmicrohttpd_request_target(cmicrohttpd_request *request);
const uint8_t *_Nullable cmicrohttpd_request_body(cmicrohttpd_request *request, size_t *count);
/// Frees the body; its count stays what it was.
void cmicrohttpd_request_forget_body(cmicrohttpd_request *request);
size_t cmicrohttpd_request_header_count(cmicrohttpd_request *request);
const char *cmicrohttpd_request_header_name(cmicrohttpd_request *request, size_t index);
const char *cmicrohttpd_request_header_value(cmicrohttpd_request *request, size_t index);
/// The value of the first header with this name, which is given in lower-case letters; NULL when there is none.
const char *_Nullable cmicrohttpd_request_header(cmicrohttpd_request *request, const char *name);
/// The address of the client, as text; empty for a Unix socket.
void cmicrohttpd_request_remote(cmicrohttpd_request *request, char *text, size_t size);
/// When its first line had come, on the monotonic clock.
int64_t cmicrohttpd_request_began(cmicrohttpd_request *request);
/// A place for the caller's own object.
void *_Nullable cmicrohttpd_request_attachment(cmicrohttpd_request *request);
void cmicrohttpd_request_attach(cmicrohttpd_request *request, void *_Nullable object);

/// Sets the answer's status and body; the body is copied. False when there is no memory: then the connection is closed.
bool cmicrohttpd_request_answer(cmicrohttpd_request *request, uint32_t status, const uint8_t *_Nullable body, size_t count);
/// The same with bytes that several answers share, which are not copied: they stay as they are until `ended` was called.
bool cmicrohttpd_request_answer_shared(cmicrohttpd_request *request, uint32_t status, const uint8_t *body, size_t count);
/// Bytes for it; NULL when there is no memory.
uint8_t *_Nullable cmicrohttpd_bytes_new(const uint8_t *_Nullable bytes, size_t count);
void cmicrohttpd_bytes_free(uint8_t *bytes);
/// The same with a stream: `read` makes the body while it is sent, and the connection is closed after it.
bool cmicrohttpd_request_answer_stream(cmicrohttpd_request *request, uint32_t status);
/// After one of them.
void cmicrohttpd_request_add_header(cmicrohttpd_request *request, const char *name, const char *value);
/// Lets the connection rest while another thread works; only inside `arrived`.
void cmicrohttpd_request_suspend(cmicrohttpd_request *request);
/// Gives a suspended request back to the loop, from any thread; it must not be touched afterwards.
void cmicrohttpd_request_resume(cmicrohttpd_request *request);
/// Asks `read` again, if the stream rests; on the loop's thread, until the request has ended.
void cmicrohttpd_stream_go_on(cmicrohttpd_request *request);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
