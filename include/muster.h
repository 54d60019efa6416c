/* SPDX-License-Identifier: Apache-2.0
 *
 * muster.h - the C interface of Muster, the embeddable agent control plane.
 *
 * This header is the specification: what is not in it is private. It is C99 that is also C++.
 *
 * Text that goes in is NUL-terminated UTF-8; it is checked, never repaired. Text that comes out is NUL-terminated, comes
 * with its length where a length parameter is given, is owned by the caller, and is freed by muster_free(). JSON follows
 * jansson: the order of keys is kept, 64-bit integers are exact, \u0000 is refused; it is written compact.
 *
 * Limits: a request has at most 64 MiB (MUSTER_MAX_REQUEST_BYTES) and 128 levels (MUSTER_MAX_JSON_DEPTH), its body at most 126
 * (MUSTER_MAX_BODY_DEPTH), else MUSTER_E_LIMIT.
 *
 * Order of arguments: handle, inputs, timeout_ms, outputs, error. Outputs are set to NULL or 0 on entry and written only on
 * success; the pointer to an answer or its length may be NULL, then it is dropped. `error` may be NULL; on failure it receives a new
 * object that the caller frees with muster_error_free(); on success it is set to NULL.
 *
 * Threads: every function may be called from any thread at any time, several at once, unless its comment says otherwise.
 * The smallest host stack that is enough for every call is 256 KiB (MUSTER_MIN_STACK_BYTES).
 *
 * Handles (muster *) are looked up, never dereferenced: closing NULL or twice is harmless, using a closed or foreign handle
 * gives MUSTER_E_BAD_HANDLE. In a process forked after muster_open(), the inherited handle gives MUSTER_E_FORKED.
 */
#ifndef MUSTER_H
#define MUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__swift__)
#define MUSTER_NULLABLE _Nullable
#define MUSTER_NONNULL _Nonnull
#else
#define MUSTER_NULLABLE
#define MUSTER_NONNULL
#endif

#if defined(__GNUC__)
#define MUSTER_API __attribute__((visibility("default")))
#define MUSTER_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define MUSTER_API
#define MUSTER_CHECK_RESULT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------------------- */

/* The version of this header. Since 0.1.0. */
#define MUSTER_VERSION "0.1.0"
/* major * 1000000 + minor * 1000 + patch. Compare it with muster_version_number(). Since 0.1.0. */
#define MUSTER_VERSION_NUMBER 1000
/* The number in the soname libmuster.so.N; it changes only if the interface breaks. Since 0.1.0. */
#define MUSTER_ABI_VERSION 1

/* Most bytes in the text of one request. Since 0.1.0. */
#define MUSTER_MAX_REQUEST_BYTES 67108864
/* Deepest nesting of arrays and objects in a request or an answer. Since 0.1.0. */
#define MUSTER_MAX_JSON_DEPTH 128
/* Deepest nesting in the body of a request: answers that carry it in a list stay within MUSTER_MAX_JSON_DEPTH. Since 0.1.0. */
#define MUSTER_MAX_BODY_DEPTH 126
/* Stack that a thread needs to call any function. Since 0.1.0. */
#define MUSTER_MIN_STACK_BYTES 262144

/* The library's version, for example "0.1.0". Static text: never freed. Does not block. Since 0.1.0. */
MUSTER_API const char *MUSTER_NONNULL muster_version(void);

/* The library's version as a number, see MUSTER_VERSION_NUMBER. Does not block. Since 0.1.0. */
MUSTER_API int32_t muster_version_number(void);

/* The library's ABI number, see MUSTER_ABI_VERSION. Does not block. Since 0.1.0. */
MUSTER_API int32_t muster_abi_version(void);

/* What this build is: a JSON object with `version`, `abi_version`, `libraries` (versions of jansson, sqlite and curl; curl is null
 * where it cannot be opened), `limits`, `stores`, `statuses` (name to number), `operations` (each with name, method, path,
 * parameters, body, answer, success, since) and `schemas` (JSON Schema by name). Static text: never freed. The first call
 * opens libcurl and may take some milliseconds. Since 0.1.0. */
MUSTER_API const char *MUSTER_NONNULL muster_build_info(void);

/* ---- Status and errors --------------------------------------------------------------------------------------------- */

/* The result of every fallible function. The numbers are permanent. Since 0.1.0. */
typedef int32_t muster_status;

/* It worked. */
#define MUSTER_OK 0
/* The caller's mistake: a NULL where a value is needed, an unknown configuration key, a value out of its range. */
#define MUSTER_E_MISUSE 1
/* The handle is NULL, closed, or was never one. */
#define MUSTER_E_BAD_HANDLE 2
/* A text is not valid UTF-8. */
#define MUSTER_E_UTF8 3
/* A text is not valid JSON (the message names line, column and byte), or the arguments are not an object. */
#define MUSTER_E_JSON 4
/* A request is too large or nested too deep. */
#define MUSTER_E_LIMIT 5
/* No operation has this name. */
#define MUSTER_E_UNKNOWN_OP 6
/* The call would wait for itself. */
#define MUSTER_E_WOULD_DEADLOCK 7
/* The handle was opened before this process was forked: open a plane of its own in the child. */
#define MUSTER_E_FORKED 8
/* The control plane answered with an error document: see muster_error_http_status() and muster_error_json(). */
#define MUSTER_E_API 20
/* Something is busy for longer than the plane is allowed to wait. Retryable. */
#define MUSTER_E_BUSY 40
/* The time given to the call ran out. */
#define MUSTER_E_TIMEOUT 41
/* The store could not be opened, read or written. */
#define MUSTER_E_STORE 42
/* The network failed. */
#define MUSTER_E_NETWORK 43
/* The call was cancelled by muster_cancel(). */
#define MUSTER_E_CANCELLED 60
/* The plane was closed while the call was under way. */
#define MUSTER_E_CLOSED 61
/* This build cannot do that. */
#define MUSTER_E_UNSUPPORTED 90
/* A defect in Muster. */
#define MUSTER_E_INTERNAL 99

/* An error: immutable, readable from any thread until it is freed. Since 0.1.0. */
typedef struct muster_error muster_error;

/* The name of a status without its prefix, for example "BAD_HANDLE"; "UNKNOWN" for a number that is none. Static text: never
 * freed. Does not block. Since 0.1.0. */
MUSTER_API const char *MUSTER_NONNULL muster_status_name(muster_status status);

/* The status that the failed function returned; MUSTER_E_BAD_HANDLE when `error` is NULL or already freed. Since 0.1.0. */
MUSTER_API muster_status muster_error_status(const muster_error *MUSTER_NULLABLE error);

/* The HTTP status with which the REST service answers the same failure, for example 404; 0 when `error` is NULL or already
 * freed. Since 0.1.0. */
MUSTER_API int32_t muster_error_http_status(const muster_error *MUSTER_NULLABLE error);

/* Whether the same call may succeed later without a change. Since 0.1.0. */
MUSTER_API bool muster_error_retryable(const muster_error *MUSTER_NULLABLE error);

/* One line for people. Owned by the error: valid until muster_error_free(). Since 0.1.0. */
MUSTER_API const char *MUSTER_NONNULL muster_error_message(const muster_error *MUSTER_NULLABLE error);

/* The error document exactly as REST sends it: an object with the single key `detail`, which is a text, for a validation
 * failure an array of {"loc","msg","type"}, and for MUSTER_E_TIMEOUT, MUSTER_E_CANCELLED and MUSTER_E_CLOSED of a started task an object
 * {"message","task_id"}. Owned by the error: valid until muster_error_free(). `length` may be NULL. Since 0.1.0. */
MUSTER_API const char *MUSTER_NONNULL muster_error_json(const muster_error *MUSTER_NULLABLE error, size_t *MUSTER_NULLABLE length);

/* Frees an error. NULL and an error that is already freed are harmless. Since 0.1.0. */
MUSTER_API void muster_error_free(muster_error *MUSTER_NULLABLE error);

/* ---- Memory -------------------------------------------------------------------------------------------------------- */

/* Frees a text that a function of this library gave out. NULL is harmless. Since 0.1.0. */
MUSTER_API void muster_free(void *MUSTER_NULLABLE memory);

/* ---- The plane ----------------------------------------------------------------------------------------------------- */

/* An open control plane. Since 0.1.0. */
typedef struct muster muster;

/* Levels of a log line. */
#define MUSTER_LOG_ERROR 1
#define MUSTER_LOG_WARNING 2
#define MUSTER_LOG_INFO 3
#define MUSTER_LOG_DEBUG 4

/* Receives one log line; `message` has `length` bytes and a NUL, and is valid during the call only. May be called from any thread that
 * is inside a call of the plane, from its own threads and from those of its servers, several at once, and during muster_open(). It must return normally and must not call the plane. Since 0.1.0. */
typedef void (*muster_log_fn)(void *MUSTER_NULLABLE user_data, int32_t level, const char *MUSTER_NONNULL component,
                              const char *MUSTER_NONNULL message, size_t length);

/* Writes the 32 bytes of the key `key_id` and returns 0; any other answer means that it has no such key. Since 0.1.0. */
typedef int32_t (*muster_key_fn)(void *MUSTER_NULLABLE user_data, const char *MUSTER_NONNULL key_id, uint8_t *MUSTER_NONNULL key);

/* Releases `user_data`; called exactly once, also when the call that was given it failed. Since 0.1.0. */
typedef void (*muster_release_fn)(void *MUSTER_NULLABLE user_data);

/* What the host lends a plane. Set it to MUSTER_HOST_INIT first; the structure only ever grows at its end. Since 0.1.0. */
typedef struct muster_host {
  size_t struct_size;                         /* sizeof(muster_host) */
  void *MUSTER_NULLABLE user_data;            /* handed to each function below */
  muster_log_fn MUSTER_NULLABLE log;          /* NULL: no log */
  muster_key_fn MUSTER_NULLABLE secrets_key;  /* must be NULL in this version: MUSTER_E_UNSUPPORTED otherwise */
  muster_release_fn MUSTER_NULLABLE release;  /* NULL: nothing to release */
} muster_host;

#define MUSTER_HOST_INIT {sizeof(muster_host), NULL, NULL, NULL, NULL}

/* Opens a plane.
 *
 * `config` is a path ("agents.db"), ":memory:", or a JSON object (its first byte other than a blank is "{") with these keys; any other key is
 * MUSTER_E_MISUSE naming it:
 *   store            text, required: path of the database file, ":memory:", or an address, see below
 *   organization_id  text, 1-255 bytes; default: the store's own first organization, made when the store is created
 *   user_id          text, 1-255 bytes: recorded as `created_by`; default: none
 *   durability       "full" (default: what was acknowledged survives a power cut) or "normal" (it survives a killed process)
 *   busy_timeout_ms  0-600000, default 5000: how long a write may wait for other processes before MUSTER_E_BUSY
 *   default_model    {"provider","name","api_base"}: provider and name are given to agents that are created without them; `api_base` is the
 *                    plane's own address for that provider, looked up at each run. Default: {"provider":"openai","name":"gpt-4.1"}
 *   network          which addresses of models agents may name (llm_api_base): "open" (default): any; "public": public ones; an array: public ones,
 *                    and what is in it: "loopback" (127.0.0.0/8, ::1), "private" (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10,
 *                    fc00::/7), and hosts "HOST" or "HOST:PORT" by name or address. Checked is the address of each connection when it is made; a host
 *                    that is in the array may have any. Link-local, metadata, multicast and reserved addresses need an entry of their own. Proxies
 *                    of the environment serve "open" and such hosts only. A refused run ends `error`, `model_forbidden`. The plane's own address
 *                    (default_model.api_base, OPENAI_BASE_URL) is never restricted. Callers of muster_http() have this policy too, but "public" if
 *                    the key is missing; a server has one of its own (allow_network)
 *   threads          1-64, default 8: how many threads at most drive submitted calls; the last stays, the others go when they are idle
 *   limits           object: "call_timeout_ms", 1-86400000, default 600000: the time of a call whose timeout_ms is 0; "run_timeout_ms",
 *                    1-604800000, default 3600000: the time of a run that no caller waits for; "runs", 1-1000000, default 20000: how many
 *                    such runs may be under way; "queue_depth", 1-1000000, default 65536: how many calls may be open in one queue;
 *                    "parallel_tool_calls", 1-64, default 8: how many calls of one answer of a model are made at a time. What a turn may use up
 *                    with all its sub-tasks, where the `limits` of its invoke say nothing: "model_calls", "tool_calls", "input_tokens",
 *                    "output_tokens", "seconds", "depth" and "cost" (US dollars); none by default, but 100 model calls and 8 levels with tools
 *   prices           {MODEL: {"input", "output"}}: what a million tokens cost, in US dollars. A run with a limit of cost needs its model's
 *   tools            "listed" (default): agents have the host's tools that they list; "all": each agent has all of them
 *   api_key          of a store elsewhere: sent to it with each call
 * The keys workspace_root and secrets_key, and stores with other schemes (postgres://) are known but do nothing in this version:
 * MUSTER_E_UNSUPPORTED.
 *
 * A store "https://HOST/BASE" (or "http://") is a service elsewhere: each call is sent to its REST interface below that address, with `api_key`,
 * and answers as it would here. Besides `store` only `api_key` and `limits` may be given, and of `limits` only "call_timeout_ms" has a meaning; any
 * other key is MUSTER_E_UNSUPPORTED, and so are operations on the machine's own files, queues, tools, muster_resume(), muster_http() and
 * muster_serve(). Opening connects to nobody. Redirects are not followed, so the key goes nowhere else. A call whose time runs out, or that is cancelled, closes its connection; its run goes on there.
 *
 * A new file gets mode 0600. A file that is not a Muster store, or that a newer version wrote, is left untouched and gives
 * MUSTER_E_STORE. What dead processes left unfinished is seen to: see muster_resume().
 * `host` may be NULL, `out` may not. The handle in `out` is closed with muster_close(). Blocks on the disk. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_open(const char *MUSTER_NULLABLE config, const muster_host *MUSTER_NULLABLE host,
                                                         muster *MUSTER_NULLABLE *MUSTER_NULLABLE out,
                                                         muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Goes on with the runs that earlier processes, or this plane when it was closed before, left unfinished, and that nobody's call waited for:
 * submitted and asynchronous ones, streams and forks, and those that a person was asked about. From then on a tool that is registered takes
 * up the runs that wait for it. Blocks on the disk, as long as reading those journals takes; the runs go on on the plane's threads. A run
 * goes on where its journal ends: with the question to the model, or with the calls of tools whose results are not on record. Those are
 * made again (the call has "repeat": true) if the tool is read_only or idempotent; a tool with `probe` is asked (the call has "probe":
 * true, and the answer is {"done": true, "result": ...} or {"done": false}); else the task is `paused` and tasks.approve decides.
 * A run that needs a tool which is not registered waits until it is. Runs of living processes are not touched. Until this is called,
 * muster_open() leaves such runs `pending`, and ends those that a blocking call waited for: `error`, `interrupted`.
 * MUSTER_E_UNSUPPORTED for a service elsewhere. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_resume(muster *MUSTER_NULLABLE plane,
                                                           muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Closes a plane: refuses new calls, interrupts those under way (they answer MUSTER_E_CLOSED; the tasks of blocking calls end `error`,
 * `interrupted`, others are put aside, `pending`, for muster_resume()), tells running tools (muster_tool_cancelled() is true,
 * MUSTER_EVENT_TOOL_CANCEL comes), waits until all callbacks have returned, and closes the store. Only then can another process make a
 * call again that was under way; a host that answers calls of a queue, or after its callback has returned, ends that work before it
 * closes the plane. When it returns, no callback runs again. NULL, a closed and an inherited handle are harmless. From a callback of the plane: MUSTER_E_WOULD_DEADLOCK. Since 0.1.0. */
MUSTER_API muster_status muster_close(muster *MUSTER_NULLABLE plane);

/* ---- Any operation ------------------------------------------------------------------------------------------------- */

/* Names a call so that it can be cancelled. Numbers start at 1 and stay below 2^53. Since 0.1.0. */
typedef uint64_t muster_ticket;

/* Makes a ticket for one later call, which carries it as "context":{"ticket":N} in its arguments. 0 when the handle is not usable, or when 1,048,576
 * tickets of this plane wait unused. Does not block. Since 0.1.0. */
MUSTER_API muster_ticket muster_ticket_new(muster *MUSTER_NULLABLE plane);

/* Cancels the call that carries `ticket`: it answers MUSTER_E_CANCELLED, its model connection is closed at once, and its task ends `stopped` with
 * `is_manually_stopped` true. Sticky: it also works when it comes before the call. Harmless for a finished or unknown
 * ticket. Does not wait for the call to end. Since 0.1.0. */
MUSTER_API muster_status muster_cancel(muster *MUSTER_NULLABLE plane, muster_ticket ticket);

/* Calls any operation by name ("agents.list"; muster_build_info() lists them).
 *
 * `args_json` is an object: path and query parameters by name at the top level, the request body under "body", and optionally "context", an object with
 * `ticket` and `idempotency_key`: a text of 1 to 255 bytes; for 24 hours, agents.create, agents.invoke, agents.invoke_async, agents.invoke_stream,
 * agents.export, agents.import and tasks.fork have one effect and one answer for each key, also after a crash (another request with the key: 422;
 * a first agents.invoke still running in another process: 409). A repeated agents.invoke_stream follows the run of the first.
 * NULL means {}. Keys that the operation does not know are ignored.
 * `timeout_ms`: negative waits without limit, 0 takes the plane's default, else milliseconds. It bounds operations that wait for a
 * model (agents.invoke, agents.invoke_stream, tasks.events); the others wait for other writers of the store only, at most busy_timeout_ms.
 * `json` receives the answer, `null` for an operation without one; free it with muster_free(). Blocks until the operation has
 * ended. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_call(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE operation,
                                                         const char *MUSTER_NULLABLE args_json, int64_t timeout_ms,
                                                         char *MUSTER_NULLABLE *MUSTER_NULLABLE json, size_t *MUSTER_NULLABLE json_len,
                                                         muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* ---- Agents -------------------------------------------------------------------------------------------------------- */
/* Each function below is an operation of the table with its arguments spelled out; all block until it has ended, and give
 * answers that the caller frees with muster_free(). */

/* agents.list: a page of agents in short form, newest first: {"items","total","page","per_page","total_pages"}. `page` from 1 and
 * `per_page` 1-50; 0 takes the operation's default (1 and 20). Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agents_list(muster *MUSTER_NULLABLE plane, int32_t page, int32_t per_page,
                                                                char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                size_t *MUSTER_NULLABLE json_len,
                                                                muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.list_full: the same page with whole agent objects. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agents_list_full(muster *MUSTER_NULLABLE plane, int32_t page, int32_t per_page,
                                                                     char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                     size_t *MUSTER_NULLABLE json_len,
                                                                     muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.get: one agent, its working copy. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_get(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE agent_id,
                                                              char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                              size_t *MUSTER_NULLABLE json_len,
                                                              muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.create: `body_json` is the agent; only `name` is required. Gives the whole new agent, active at once. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_create(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE body_json,
                                                                 char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                 size_t *MUSTER_NULLABLE json_len,
                                                                 muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.update: changes the keys that `body_json` has; the change is staged until a deploy, or deployed at once with `deploy`. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_update(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE agent_id,
                                                                 const char *MUSTER_NULLABLE body_json, bool deploy,
                                                                 char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                 size_t *MUSTER_NULLABLE json_len,
                                                                 muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.deploy: makes the working copy the version that runs. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_deploy(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE agent_id,
                                                                 char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                 size_t *MUSTER_NULLABLE json_len,
                                                                 muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.delete: removes the agent, its versions and its tasks for good. Runs of it end at once, and their callers get 404. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_delete(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE agent_id,
                                                                 muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.invoke: runs the agent and waits until its task has ended, or waits for a person (`paused`, see its `hitl_request`) or
 * for a task below it that does (`pending`); gives the task, also when the run failed (see its `status` and `result`). A task
 * that waits goes on by itself once that is decided: see tasks.approve and tasks.reject. `version` is a number in decimal,
 * "draft" for the working copy, or NULL for the deployed version. `body_json` is {"input":{"text":"..."},"id":"thread to
 * continue or start",...}. When the time runs out the task is stopped and the call answers MUSTER_E_TIMEOUT; the error names
 * the task. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_invoke(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE agent_id,
                                                                 const char *MUSTER_NULLABLE version,
                                                                 const char *MUSTER_NULLABLE body_json, int64_t timeout_ms,
                                                                 char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                 size_t *MUSTER_NULLABLE json_len,
                                                                 muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* ---- Tasks --------------------------------------------------------------------------------------------------------- */

/* tasks.list: a page of tasks, the last changed first. `filters_json` is an object with the operation's filters (agent_id,
 * user_id, parent_task_id, triggering_agent_id, status, internal_status, from_date, to_date), or NULL. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_tasks_list(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE filters_json,
                                                               int32_t page, int32_t per_page,
                                                               char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                               size_t *MUSTER_NULLABLE json_len,
                                                               muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* tasks.get: one task with the input and the result of its latest turn. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_task_get(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE task_id,
                                                             char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                             size_t *MUSTER_NULLABLE json_len,
                                                             muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* tasks.stop: ends a running task as `stopped`, wherever it runs, with the tasks below it, and gives it; a task that has ended is given
 * unchanged. A task below one that ends by itself is stopped, too: its `internal_status` is `parent_ended`, and its `is_manually_stopped`
 * false. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_task_stop(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE task_id,
                                                              char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                              size_t *MUSTER_NULLABLE json_len,
                                                              muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* tasks.thread: the messages of the task's conversation, an array in the order of time. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_task_thread(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE task_id,
                                                                char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                size_t *MUSTER_NULLABLE json_len,
                                                                muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* tasks.delete: removes the task and its sub-tasks for good. A run of them ends at once, and its caller gets 404. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_task_delete(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE task_id,
                                                                muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* ---- REST, without a socket ---------------------------------------------------------------------------------------- */

/* Answers a request as the REST service does; for hosts that have an HTTP server of their own.
 *
 * `method` is in capital letters; `target` is path and query as they were sent ("/v1/agents?page=2"); `headers_json` is an object of
 * texts by name, in any case, or NULL; `body` has `body_len` bytes, at most MUSTER_MAX_REQUEST_BYTES, and may be NULL when it has none.
 * Who calls is told by the header `x-api-key`, exactly as over a socket: a request without a valid key is answered with 401. No rate
 * limits apply. `Idempotency-Key` of a POST is "context":{"idempotency_key":…} of muster_call(); `X-Request-Id` is given back, or made.
 * HEAD is answered as GET without a body; OPTIONS with the methods of the path.
 *
 * MUSTER_OK says that there is an answer, whatever its HTTP status. `http_status` receives that; `response_headers_json` an object of texts;
 * `response` the body, NUL-terminated, and `response_len` its length. Each may be NULL; free both texts with muster_free(). Blocks until the
 * operation has ended: a stream is given whole, and is MUSTER_E_LIMIT when it has more than MUSTER_MAX_REQUEST_BYTES. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_http(
    muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE method, const char *MUSTER_NULLABLE target,
    const char *MUSTER_NULLABLE headers_json, const void *MUSTER_NULLABLE body, size_t body_len,
    int32_t *MUSTER_NULLABLE http_status, char *MUSTER_NULLABLE *MUSTER_NULLABLE response_headers_json,
    void *MUSTER_NULLABLE *MUSTER_NULLABLE response, size_t *MUSTER_NULLABLE response_len,
    muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* ---- Queues: calls that no thread waits for ------------------------------------------------------------------------- */

/* Where the events of submitted calls are read: any number of calls, one descriptor. It holds places, not events: a slow reader loses
 * nothing, slows nobody, and costs no more than what it has submitted. Looked up, never dereferenced: closing NULL or twice is
 * harmless. Since 0.1.0. */
typedef struct muster_queue muster_queue;

/* Kinds of events. */
#define MUSTER_EVENT_DATA 1        /* there will be more of this ticket */
#define MUSTER_EVENT_FINAL 2       /* the last of this ticket, exactly one */
#define MUSTER_EVENT_TOOL_CALL 3   /* a tool is called: see muster_tool_register_queue() */
#define MUSTER_EVENT_TOOL_CANCEL 4 /* nobody waits for a call of a tool any more */

/* One event. Set it to MUSTER_EVENT_INIT first; the structure only ever grows at its end. Since 0.1.0. */
typedef struct muster_event {
  size_t struct_size;                /* sizeof(muster_event) */
  muster_ticket ticket;              /* of the call that it belongs to; 0: of a tool */
  void *MUSTER_NULLABLE user_data;   /* as it was submitted */
  int32_t kind;                      /* MUSTER_EVENT_… */
  muster_status status;              /* of a final event: how the call ended; else MUSTER_OK */
  int64_t sequence;                  /* of an event of a task: the last journal record before its end; else 0 */
  char *MUSTER_NULLABLE json;        /* the event, or the answer; NULL when there is none. Freed by muster_event_clear() */
  size_t json_len;
  muster_error *MUSTER_NULLABLE error; /* with a status other than MUSTER_OK. Freed by muster_event_clear() */
} muster_event;

#define MUSTER_EVENT_INIT {sizeof(muster_event), 0, NULL, 0, 0, 0, NULL, 0, NULL}

/* Opens a queue on a plane with a store of its own; MUSTER_E_UNSUPPORTED for a service elsewhere. `queue` receives the handle, which is
 * closed with muster_queue_close(), before or after the plane. Does not block. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_queue_open(muster *MUSTER_NULLABLE plane,
                                                               muster_queue *MUSTER_NULLABLE *MUSTER_NULLABLE queue,
                                                               muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Closes a queue: whoever waits in it gets MUSTER_E_CLOSED, no event comes any more, the runs that were submitted through it go on
 * (or end, where `on_disconnect` says so), and the tools whose calls come through it are unregistered. MUSTER_E_WOULD_DEADLOCK from a callback. Since 0.1.0. */
MUSTER_API muster_status muster_queue_close(muster_queue *MUSTER_NULLABLE queue);

/* Takes the next event, of whichever call; calls take turns. `timeout_ms`: negative waits without limit, 0 does not wait, else milliseconds;
 * MUSTER_E_TIMEOUT when none came, MUSTER_E_CLOSED when the queue was closed meanwhile. `event` must have its struct_size; what it held
 * before is overwritten, not freed: muster_event_clear() it first. Several threads may read one queue. The events of a call that the
 * plane's end has ended can still be read after muster_close(). Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_queue_next(muster_queue *MUSTER_NULLABLE queue, int64_t timeout_ms,
                                                               muster_event *MUSTER_NULLABLE event);

/* Takes all events that wait, up to about `max_bytes` of JSON (0: 1 MiB) but at least one, as one JSON array of objects
 * {"ticket","kind":"data"|"final"|"tool_call"|"tool_cancel","sequence","json"}; a final one also has "status", and "error" ({"message","http_status","retryable",
 * "document"}) when that is not 0. Waits as muster_queue_next() for the first. Free the text with muster_free(). Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_queue_drain(muster_queue *MUSTER_NULLABLE queue, int64_t timeout_ms, size_t max_bytes,
                                                                char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                size_t *MUSTER_NULLABLE json_len,
                                                                muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* A descriptor that is readable while an event may wait: for poll(), epoll, or an event loop, which then calls muster_queue_next() with 0
 * until MUSTER_E_TIMEOUT. It belongs to the queue: never read, written or closed by the host. -1 for a handle that is none, or when there
 * are no descriptors left. Does not block. Since 0.1.0. */
MUSTER_API int32_t muster_queue_fd(muster_queue *MUSTER_NULLABLE queue);

/* Frees what an event holds and sets it to MUSTER_EVENT_INIT. NULL and a cleared event are harmless. Since 0.1.0. */
MUSTER_API void muster_event_clear(muster_event *MUSTER_NULLABLE event);

/* Submits the call of any operation, and returns at once; it is done on threads of the plane's own (`threads` in its configuration).
 * MUSTER_OK promises exactly one final event in the queue, also when the plane is closed meanwhile (MUSTER_E_CLOSED). What the texts alone tell
 * (no such operation, no JSON, a used ticket), and MUSTER_E_BUSY, when the queue or the plane is full, comes at once; what the operation finds wrong
 * comes with that event.
 *
 * The final event of most operations has the answer, as muster_call() gives it; that of agents.invoke the task, once it has ended, or waits
 * for a person (`paused`) or for a task below it that does (`pending`).
 *
 * agents.invoke_stream and tasks.events give an event for each thing that happens, {"type","task_id","organization_id","time","id","data"}:
 *   task_created       a turn was accepted; `data` is the task, `pending`
 *   task_updated       it goes on, or waits; `data` is the task, `executing`, `paused` (see its `hitl_request`) or `pending`
 *   chunk              `data` is a piece of what the model says
 *   tool_call_request  the model asks for a tool: {"request_id","tool_name","payload", ...}
 *   sub_agent_trigger  the same for an agent that it leads: {"request_id","agent_id","query", ...}
 *   tool_call_result   what came of either: as tool_call_request, with "result" and "is_error"
 *   task_finished      the turn has ended; `data` is the task. The final event, but for earlier turns of a thread
 * There may be other types: pass over them. A task that waits for a person has a task_updated with `paused`. For whoever submitted the run that
 * (or the `pending` of a task that waits for one below it) is the final event; tasks.events stays. After the decision, and when a run is gone
 * on with, another task_updated (`executing`) follows, and text before calls of tools stands. Only a task_updated right behind chunks, with
 * nothing in between, says that their attempt broke off, or that its answer was sent back: those chunks count no more.
 * `id` names the place behind the event: tasks.events goes on there with "after".
 *
 * `args_json` as in muster_call(); "context" may have a "ticket" of muster_ticket_new(), and "timeout_ms", after which a run is stopped
 * (limits.run_timeout_ms of the plane by default). `user_data` comes with each event. `ticket` (may be NULL) receives the number by which
 * muster_cancel() ends the call: a run ends `stopped` with the text so far, and its final event has MUSTER_E_CANCELLED and the task; a task
 * that is merely followed runs on. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_submit(muster *MUSTER_NULLABLE plane, muster_queue *MUSTER_NULLABLE queue,
                                                           const char *MUSTER_NULLABLE operation, const char *MUSTER_NULLABLE args_json,
                                                           void *MUSTER_NULLABLE user_data, muster_ticket *MUSTER_NULLABLE ticket,
                                                           muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.invoke_stream, submitted: runs the agent, and gives the events of its task through the queue. `version` and `body_json` as in
 * muster_agent_invoke(). Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_invoke_stream(
    muster *MUSTER_NULLABLE plane, muster_queue *MUSTER_NULLABLE queue, const char *MUSTER_NULLABLE agent_id,
    const char *MUSTER_NULLABLE version, const char *MUSTER_NULLABLE body_json, void *MUSTER_NULLABLE user_data,
    muster_ticket *MUSTER_NULLABLE ticket, muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* agents.invoke_async: accepts a run and gives its task, `pending`, once that is on disk; the run goes on by itself, as long as the plane is
 * open. muster_task_get() tells how it stands, tasks.events follows it. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_agent_invoke_async(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE agent_id,
                                                                       const char *MUSTER_NULLABLE version,
                                                                       const char *MUSTER_NULLABLE body_json,
                                                                       char *MUSTER_NULLABLE *MUSTER_NULLABLE json,
                                                                       size_t *MUSTER_NULLABLE json_len,
                                                                       muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Submits a request to the REST service; otherwise as muster_http() and muster_submit(). The first event has {"status","headers"}; then
 * comes, for a stream of server-sent events, one event for each frame (its `data`, whose "id" is the frame's), the last frame as the final
 * event; for any other answer the final event has the body: JSON, or a text. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_http_submit(
    muster *MUSTER_NULLABLE plane, muster_queue *MUSTER_NULLABLE queue, const char *MUSTER_NULLABLE method,
    const char *MUSTER_NULLABLE target, const char *MUSTER_NULLABLE headers_json, const void *MUSTER_NULLABLE body, size_t body_len,
    void *MUSTER_NULLABLE user_data, muster_ticket *MUSTER_NULLABLE ticket,
    muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* ---- Tools of the host ---------------------------------------------------------------------------------------------- */

/* Calls a tool. `call_json` is an object {"call_id","idempotency_key","name","arguments","organization_id","agent_id","task_id",
 * "repeat","probe"}: `call_id` is unique for ever; `arguments` are as the model wrote them; "repeat":true says that the same call was
 * begun before, by a process that has ended or in vain; "probe":true asks a tool that has "probe" only what became of that call.
 * Both texts are valid during the callback only.
 *
 * The answer is muster_tool_reply(), during the callback or later, from any thread. The callback runs on a thread of the plane, one of 64 at most,
 * several at once, or on the host's own, see "thread"; it must return normally, and may block. It may call the plane, blocking calls
 * included; what would wait for itself answers MUSTER_E_WOULD_DEADLOCK: muster_close(), muster_queue_close(), muster_server_stop() and
 * muster_tool_unregister(), and a call that waits for a turn of the task that waits for this tool. Since 0.1.0. */
typedef void (*muster_tool_fn)(void *MUSTER_NULLABLE user_data, const char *MUSTER_NONNULL call_id,
                               const char *MUSTER_NONNULL call_json);

/* Registers a tool that is a function of the host: agents of this plane may call it, by its name, until it is unregistered or the plane
 * is closed. Tools are of this process and are not kept in the store. MUSTER_E_UNSUPPORTED for a service elsewhere.
 *
 * `spec_json` is an object of at most 1 MiB; an unknown key is MUSTER_E_MISUSE:
 *   name          required: 1 to 64 letters, digits, "_" and "-"; one that is registered already is MUSTER_E_MISUSE
 *   description   text for the model. Default ""
 *   parameters    JSON Schema of the arguments, with "type":"object"; without the keywords pattern, patternProperties and
 *                 unevaluated…, which are not checked. Default {"type":"object","properties":{}}
 *   read_only     true: it changes nothing. Default false
 *   idempotent    true: a second call with the same `idempotency_key` does nothing more. Default false
 *   probe         true: it can tell what became of a call. Default false
 *   thread        "any" (default), or "caller": only in runs that a blocking call waits for, on the thread that waits, one at a time there
 *   timeout_ms    1 to 3600000, default 60000: then the call ends with an error, and a later answer is refused. Not with "caller", whose
 *                 callback nothing ends
 *   result_limit  256 to 16777216, default 65536: the most bytes of an answer's text; what is more is cut off, and the model told so
 *
 * `user_data` is handed to each call. `release` (may be NULL) is called with it exactly once: when the tool is unregistered or the plane
 * closed, after its last callback has returned, or before this function returns, when it fails. Does not block, unless muster_resume() was
 * called before: then runs that waited for the tool are taken up on the caller's thread, as there. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_tool_register(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE spec_json,
                                                                  muster_tool_fn MUSTER_NULLABLE function,
                                                                  void *MUSTER_NULLABLE user_data,
                                                                  muster_release_fn MUSTER_NULLABLE release,
                                                                  muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Registers a tool whose calls come through a queue of the same plane, until it is unregistered or the queue or the plane is closed. Each call is an
 * event MUSTER_EVENT_TOOL_CALL with ticket 0 and `call_json` of muster_tool_fn as its `json`. When nobody waits for its answer any more (its
 * time is over, its run was stopped, the tool was unregistered, the plane is being closed), an event MUSTER_EVENT_TOOL_CANCEL with
 * {"call_id"} follows; a call that was not read by then is not given at all. Tools and submitted calls take turns in a queue; the calls that are
 * open bound what waits. `spec_json` as in muster_tool_register(), but not "thread":"caller". Blocks as that function does. MUSTER_E_UNSUPPORTED
 * for a service elsewhere. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_tool_register_queue(muster *MUSTER_NULLABLE plane,
                                                                        const char *MUSTER_NULLABLE spec_json,
                                                                        muster_queue *MUSTER_NULLABLE queue,
                                                                        muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Unregisters a tool. Its calls end with an error that says so. Blocks until no callback of it runs any more; MUSTER_E_WOULD_DEADLOCK from
 * a callback. A name that is not registered is MUSTER_E_MISUSE; MUSTER_E_UNSUPPORTED for a service elsewhere. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_tool_unregister(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE name,
                                                                    muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Answers a call of a tool, once. `result_json` is any JSON value, of at most MUSTER_MAX_REQUEST_BYTES and 100 levels, or NULL for null; it is copied.
 * `is_error` tells the model that the tool failed, and `result_json` why. A call that nobody waits for (it was answered, its time is over, it was
 * cancelled, or there was none) is MUSTER_E_MISUSE, and the answer is dropped. From any thread. It may write to the store, and blocks
 * no longer than that takes. MUSTER_E_UNSUPPORTED for a service elsewhere. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_tool_reply(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE call_id,
                                                               const char *MUSTER_NULLABLE result_json, bool is_error,
                                                               muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Whether nobody waits for the answer of a call any more: a tool that takes long asks now and then, and ends early. True also for
 * a call that was answered, for one that never was, for a service elsewhere, and when the plane is closed or being closed. Does not block.
 * Since 0.1.0. */
MUSTER_API bool muster_tool_cancelled(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE call_id);

/* ---- REST, on a socket --------------------------------------------------------------------------------------------- */

/* A running server. Looked up, never dereferenced: stopping NULL or twice is harmless. */
typedef struct muster_server muster_server;

/* Serves the plane's REST interface until muster_server_stop() or muster_close(). libmicrohttpd is opened with the first call; where it
 * is missing, MUSTER_E_UNSUPPORTED says so. Threads of its own do the work; a forked child does not serve, and holds none of the sockets.
 *
 * `options_json` is an object, or NULL for every default; an unknown key is MUSTER_E_MISUSE:
 *   listen             where: "ADDRESS:PORT", "[IPV6]:PORT" (numeric; port 0 takes a free one) or "unix:PATH" (a socket that this user
 *                      alone may use; one that a dead server left is replaced). Default "127.0.0.1:0".
 *   tls_cert, tls_key  paths of PEM files, both or none: https. Default none.
 *   rate_limit         "MINUTE/HOUR": how many requests each key may make in a minute and in an hour of the clock, counted in the store;
 *                      more are answered with 429. "off": any number. Default "100/1000".
 *   allow_network      array: where agents with an address of their own may lead the server beside public addresses: "loopback",
 *                      "private", "HOST" or "HOST:PORT", as for `network` of muster_open(). Default [].
 *   max_body_bytes     1 to 67108864 (the default): larger bodies are answered with 413.
 *   max_header_bytes   4096 to 1048576: the memory of a connection, into which request line and headers have to fit. Default 16384.
 *   max_connections    1 to 100000: the kernel lets others wait. At most what the limit of open files leaves. Default 1024.
 *   workers            1 to 4096: requests under way at once; others are answered with 503 and Retry-After. Threads come when they are
 *                      needed, and a stream holds none. Default 256.
 *   header_timeout_ms  100 to 3600000: a request's headers have to be complete by then; its body may take as long again and a second for
 *                      each 16 KiB. Slower connections are closed. Default 10000.
 *   idle_timeout_ms    1000 to 3600000: connections on which nothing happens for so long are closed, in whole seconds; streams only
 *                      when so long nothing of what waits was read. Default 30000.
 *   heartbeat_ms       1000 to 60000: streams (`text/event-stream`) on which nothing was sent for so long are sent a comment. Default 15000.
 *   stop_timeout_ms    0 to 3600000: how long muster_server_stop() lets requests go on. Default 10000.
 *
 * MUSTER_E_NETWORK: it cannot listen there. `server` receives the handle. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_serve(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE options_json,
                                                          muster_server *MUSTER_NULLABLE *MUSTER_NULLABLE server,
                                                          muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* The base address of a server, "http://127.0.0.1:8080" or "unix:PATH", as a text that the caller frees with muster_free(). Does not
 * block. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_server_url(muster_server *MUSTER_NULLABLE server,
                                                               char *MUSTER_NULLABLE *MUSTER_NULLABLE url,
                                                               size_t *MUSTER_NULLABLE url_len,
                                                               muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* Stops a server: it takes no more connections, lets requests under way end for as long as `stop_timeout_ms`, then ends their runs as
 * muster_close() does, and closes. Blocks until that is done and its threads are gone. In a forked child it does nothing.
 * MUSTER_E_WOULD_DEADLOCK from a callback; harmless on NULL and on a stopped server. Since 0.1.0. */
MUSTER_API muster_status muster_server_stop(muster_server *MUSTER_NULLABLE server);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_H */
