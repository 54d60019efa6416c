/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.h - what the tests of queues share: calls that are submitted, and what came of each.
 */
#ifndef MUSTER_TEST_QUEUE_H
#define MUSTER_TEST_QUEUE_H

#include "mock.h"

enum { MOST_LETTERS = 48, MOST_IDS = 128, PATIENCE_MS = 60000 };

/* A submitted call, and what came of it. Its address travels as `user_data`. */
struct submitted {
  muster_ticket ticket;
  int events, finals;
  /* The kinds of events in their order: c created, u updated, x chunks (one letter for several), f finished, a for
   * anything that has no type. */
  char letters[MOST_LETTERS];
  char task[64];
  char last_id[64];
  /* The pieces of the answer of this turn, joined; and how many pieces there were. */
  char *text;
  size_t length, chunks;
  int64_t sequence;
  /* Of the final event. `end`: its JSON, or NULL. */
  muster_status status;
  int32_t http_status;
  json_t *end;
  char *message;
  json_t *document;
  /* All events, as they came, and the ids of those that have one. */
  json_t *all;
  char ids[MOST_IDS][32];
  /* How much text was there behind each of them. */
  size_t lengths[MOST_IDS];
  int id_count;
};

static inline void forget(struct submitted *call) {
  free(call->text);
  free(call->message);
  json_decref(call->end);
  json_decref(call->document);
  json_decref(call->all);
  memset(call, 0, sizeof *call);
}

static inline muster_queue *open_queue(muster *plane) {
  muster_queue *queue = NULL;
  muster_error *error = NULL;
  if (!CHECK_INTEGER(MUSTER_OK, muster_queue_open(plane, &queue, &error)) || !CHECK(queue != NULL)) {
    report("muster_queue_open", error);
    exit(1);
  }
  CHECK(error == NULL);
  return queue;
}

/* Submits a call; gives what the function gave. */
static inline muster_status submit(muster *plane, muster_queue *queue, const char *operation, const char *args,
                                   struct submitted *call) {
  muster_error *error = NULL;
  muster_status status = muster_submit(plane, queue, operation, args, call, &call->ticket, &error);
  CHECK_INTEGER(status == MUSTER_OK ? MUSTER_E_BAD_HANDLE : status, muster_error_status(error));
  CHECK((call->ticket != 0) == (status == MUSTER_OK));
  muster_error_free(error);
  return status;
}

static inline void must_submit(muster *plane, muster_queue *queue, const char *operation, const char *args,
                               struct submitted *call) {
  if (!CHECK_INTEGER(MUSTER_OK, submit(plane, queue, operation, args, call))) {
    fprintf(stderr, "  %s %s\n", operation, args != NULL ? args : "");
  }
}

/* {"agent_id":…,"body":{"input":{"text":text},"id":thread?},"context":{…}} with `more` laid over it; the caller frees. */
static inline char *invocation(const char *agent, const char *text, const char *thread, const char *more) {
  json_t *args = json_pack("{s:s, s:{s:{s:s}, s:s*}}", "agent_id", agent, "body", "input", "text", text, "id", thread);
  json_t *extra = more != NULL ? json_loads(more, 0, NULL) : NULL;
  char *result;
  if (more != NULL) {
    CHECK(extra != NULL);
    json_object_update(args, extra);
    json_decref(extra);
  }
  result = json_dumps(args, JSON_COMPACT);
  json_decref(args);
  return result;
}

/* Submits an invoke in the form of `operation`. */
static inline void submit_invoke(muster *plane, muster_queue *queue, const char *operation, const char *agent,
                                 const char *text, const char *more, struct submitted *call) {
  char *args = invocation(agent, text, NULL, more);
  must_submit(plane, queue, operation, args, call);
  free(args);
}

static inline void add_letter(struct submitted *call, char letter) {
  size_t length = strlen(call->letters);
  if (letter == 'x' && length > 0 && call->letters[length - 1] == 'x') {
    return;
  }
  if (CHECK(length + 1 < sizeof call->letters)) {
    call->letters[length] = letter;
  }
}

/* Takes in an event that is one of a task. Checks its envelope. */
static inline void take_task_event(struct submitted *call, const char *type, const json_t *event, int64_t sequence) {
  const char *task = text_at(event, "task_id"), *id = text_at(event, "id");
  json_t *data = member(event, "data");
  CHECK(task != NULL && id != NULL && text_at(event, "time") != NULL && text_at(event, "organization_id") != NULL);
  if (task == NULL || id == NULL) {
    return;
  }
  CHECK(call->task[0] == 0 || strcmp(call->task, task) == 0);
  snprintf(call->task, sizeof call->task, "%s", task);
  CHECK(strcmp(call->last_id, id) != 0);
  snprintf(call->last_id, sizeof call->last_id, "%s", id);
  CHECK_INTEGER(atoll(id), sequence);
  /* Sequences never go back. */
  CHECK(sequence >= call->sequence && sequence > 0);
  call->sequence = sequence;
  if (strcmp(type, "chunk") == 0) {
    size_t length = json_string_length(data);
    CHECK(json_is_string(data) && length > 0);
    call->text = realloc(call->text, call->length + length + 1);
    if (call->text == NULL) {
      abort();
    }
    memcpy(call->text + call->length, json_string_value(data), length);
    call->length += length;
    call->text[call->length] = 0;
    call->chunks++;
    add_letter(call, 'x');
  } else {
    CHECK_TEXT(task, text_at(data, "id"));
    if (strcmp(type, "task_created") == 0) {
      CHECK_TEXT("pending", text_at(data, "status"));
      call->length = 0;
      add_letter(call, 'c');
    } else if (strcmp(type, "task_updated") == 0) {
      CHECK_TEXT("executing", text_at(data, "status"));
      add_letter(call, 'u');
    } else if (CHECK_TEXT("task_finished", type)) {
      add_letter(call, 'f');
    }
  }
  if (call->id_count < MOST_IDS) {
    call->lengths[call->id_count] = call->length;
    snprintf(call->ids[call->id_count++], sizeof call->ids[0], "%s", id);
  }
}

/* Takes in an event of the call, and checks what holds for every event. */
static inline void take(struct submitted *call, const muster_event *event) {
  json_t *value = event->json != NULL ? json_loadb(event->json, event->json_len, JSON_DECODE_ANY, NULL) : NULL;
  const char *type = text_at(value, "type");
  CHECK_INTEGER(call->ticket, event->ticket);
  CHECK_INTEGER(0, call->finals);
  CHECK(event->kind == MUSTER_EVENT_DATA || event->kind == MUSTER_EVENT_FINAL);
  CHECK((value != NULL) == (event->json != NULL));
  CHECK(event->json == NULL || strlen(event->json) == event->json_len);
  CHECK(event->json != NULL || event->json_len == 0);
  call->events++;
  if (type != NULL && member(value, "data") != NULL) {
    take_task_event(call, type, value, event->sequence);
  } else {
    CHECK_INTEGER(0, event->sequence);
    if (value != NULL) {
      add_letter(call, 'a');
    }
  }
  if (call->all == NULL) {
    call->all = json_array();
  }
  json_array_append_new(call->all, value != NULL ? json_incref(value) : json_null());
  if (event->kind == MUSTER_EVENT_FINAL) {
    call->finals++;
    call->status = event->status;
    CHECK_INTEGER(event->status == MUSTER_OK ? MUSTER_E_BAD_HANDLE : event->status, muster_error_status(event->error));
    call->http_status = muster_error_http_status(event->error);
    call->message = strdup(muster_error_message(event->error));
    call->document = event->error != NULL ? json_loads(muster_error_json(event->error, NULL), 0, NULL) : NULL;
    call->end = value != NULL ? json_incref(value) : NULL;
    CHECK(event->status != MUSTER_OK || event->json != NULL);
  } else {
    CHECK_INTEGER(MUSTER_OK, event->status);
    CHECK(event->error == NULL && event->json != NULL);
  }
  json_decref(value);
}

/* Reads one event; the status of the read. */
static inline muster_status read_one(muster_queue *queue, int64_t timeout_ms) {
  muster_event event = MUSTER_EVENT_INIT;
  muster_status status = muster_queue_next(queue, timeout_ms, &event);
  if (status == MUSTER_OK) {
    if (CHECK(event.user_data != NULL)) {
      take(event.user_data, &event);
    }
    muster_event_clear(&event);
  }
  return status;
}

/* Reads until each of the calls has its end. */
static inline void read_ends(muster_queue *queue, struct submitted *calls, size_t count) {
  for (size_t index = 0; index < count; index++) {
    /* One that was refused has none. */
    while (CHECK(calls[index].ticket != 0) && calls[index].finals == 0) {
      if (!CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS))) {
        fprintf(stderr, "  call %zu of %zu has no end; events: %s\n", index, count, calls[index].letters);
        return;
      }
    }
  }
}

/* Reads until the call has so many pieces of text. */
static inline void read_chunks(muster_queue *queue, struct submitted *call, size_t chunks) {
  while (CHECK(call->ticket != 0) && call->chunks < chunks && call->finals == 0) {
    if (!CHECK_INTEGER(MUSTER_OK, read_one(queue, PATIENCE_MS))) {
      return;
    }
  }
  CHECK(call->chunks >= chunks);
}

static inline void check_nothing_waits(muster_queue *queue) {
  CHECK_INTEGER(MUSTER_E_TIMEOUT, read_one(queue, 50));
}

/* The task in the final event: as an event, or as the answer. */
static inline json_t *task_at_end(const struct submitted *call) {
  return member(call->end, "data") != NULL ? member(call->end, "data") : call->end;
}

static inline void check_ended(const struct submitted *call, const char *status) {
  CHECK_INTEGER(1, call->finals);
  if (!CHECK_TEXT(status, text_at(task_at_end(call), "status"))) {
    fprintf(stderr, "  %s %s: %s\n", call->letters, muster_status_name(call->status), call->message);
  }
}

/* How many streams the mock is sending; -1 when it cannot be asked. */
static inline int mock_streams(void) {
  json_t *observed = ask_mock("GET /observed");
  int streams = observed != NULL ? (int)integer_at(observed, "streams") : -1;
  json_decref(observed);
  return streams;
}

/* The mock saw its clients go away: within seconds it sends no stream any more. */
static inline void check_mock_is_idle(void) {
  int streams = 1;
  for (int round = 0; round < 500 && (streams = mock_streams()) != 0; round++) {
    sleep_ms(20);
  }
  CHECK_INTEGER(0, streams);
}

/* Waits until the task has ended, and gives it. */
static inline json_t *wait_for_end(muster *plane, const char *task) {
  char args[128];
  snprintf(args, sizeof args, "{\"task_id\":\"%s\"}", task);
  for (int round = 0; round < 1500; round++) {
    json_t *found = call(plane, "tasks.get", args);
    if (found == NULL || json_is_string(member(found, "finished_at"))) {
      return found;
    }
    json_decref(found);
    sleep_ms(20);
  }
  CHECK(!"the task ends");
  return NULL;
}

#endif
