/* SPDX-License-Identifier: Apache-2.0
 *
 * plane.h - what most of the tests need: a plane on a fresh store, answers as jansson values, time and threads.
 */
#ifndef MUSTER_PLANE_H
#define MUSTER_PLANE_H

#include <jansson.h>
#include <muster.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* Turns an answer into a jansson value and frees the text. Checks that the text is JSON. */
static inline json_t *parse(char *text) {
  json_t *value = text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
  CHECK(value != NULL);
  muster_free(text);
  return value;
}

static inline json_t *member(const json_t *object, const char *key) { return json_object_get(object, key); }

static inline const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static inline json_int_t integer_at(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

/* Prints an error that was not wanted. */
static inline void report(const char *what, const muster_error *error) {
  if (error != NULL) {
    fprintf(stderr, "%s: %s: %s\n", what, muster_status_name(muster_error_status(error)), muster_error_message(error));
  }
}

/* Opens a store whose agents use the mock model `model` at MODEL_BASE (no address when that is not set). */
static inline muster *open_store(const char *path, const char *model) {
  const char *base = getenv("MODEL_BASE");
  muster *plane = NULL;
  muster_error *error = NULL;
  json_t *config =
      json_pack("{s:s, s:{s:s, s:s, s:s}}", "store", path, "default_model", "provider", "openai_compatible", "name",
                model, "api_base", base != NULL ? base : "http://127.0.0.1:1/v1");
  char *text = json_dumps(config, JSON_COMPACT);
  if (!CHECK(text != NULL && muster_open(text, NULL, &plane, &error) == MUSTER_OK)) {
    report(path, error);
    exit(1);
  }
  CHECK(error == NULL);
  free(text);
  json_decref(config);
  return plane;
}

/* Joins a folder and a file name; the caller frees. */
static inline char *path_in(const char *folder, const char *name) {
  size_t size = strlen(folder) + strlen(name) + 2;
  char *path = malloc(size);
  if (path == NULL) {
    abort();
  }
  snprintf(path, size, "%s/%s", folder, name);
  return path;
}

/* Calls an operation that must succeed; gives its answer as a value. */
static inline json_t *call(muster *plane, const char *operation, const char *args) {
  char *text = NULL;
  muster_error *error = NULL;
  if (!CHECK_INTEGER(MUSTER_OK, muster_call(plane, operation, args, 0, &text, NULL, &error))) {
    report(operation, error);
    muster_error_free(error);
    return NULL;
  }
  return parse(text);
}

/* Creates an agent that uses the model `model` (NULL: the plane's own) and gives its id; the caller frees. */
static inline char *create_agent(muster *plane, const char *name, const char *model) {
  muster_error *error = NULL;
  char *text = NULL, *id = NULL;
  json_t *agent, *body = json_pack("{s:s, s:s*, s:s*}", "name", name, "model_name", model, "model_provider",
                                   model != NULL ? "openai_compatible" : NULL);
  char *body_text = json_dumps(body, JSON_COMPACT);
  if (!CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, body_text, &text, NULL, &error))) {
    report("create", error);
    exit(1);
  }
  agent = parse(text);
  if (!CHECK(text_at(agent, "id") != NULL)) {
    exit(1);
  }
  id = strdup(text_at(agent, "id"));
  json_decref(agent);
  json_decref(body);
  free(body_text);
  return id;
}

static inline double seconds_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void sleep_ms(long milliseconds) {
  struct timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
  nanosleep(&time, NULL);
}

#endif
