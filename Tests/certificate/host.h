/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h - what worker.c and scenario.c share: opening a plane on the mock model server, and calls with jansson values.
 */
#ifndef HOST_H
#define HOST_H

#include <muster_jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Opens a store whose agents use the mock's model `model` at MODEL_BASE. DURABILITY, if it is set, is the plane's. */
static inline muster_status open_plane(const char *path, const char *model, muster **plane, muster_error **error) {
  const char *base = getenv("MODEL_BASE"), *durability = getenv("DURABILITY");
  json_t *config =
      json_pack("{s:s, s:i, s:s, s:{s:s, s:s, s:s}}", "store", path, "busy_timeout_ms", 60000, "durability",
                durability != NULL ? durability : "full", "default_model", "provider", "openai_compatible", "name",
                model, "api_base", base != NULL ? base : "http://127.0.0.1:1/v1");
  char *text = json_dumps(config, JSON_COMPACT);
  muster_status status = muster_open(text, NULL, plane, error);
  free(text);
  json_decref(config);
  return status;
}

static inline const char *text_at(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

static inline long long integer_at(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

static inline long long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

#endif
