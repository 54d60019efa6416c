/* SPDX-License-Identifier: Apache-2.0
 *
 * conformance_http.h - makes the calls of conformance cases through muster_http(), as requests with a key.
 */
#ifndef MUSTER_CONFORMANCE_HTTP_H
#define MUSTER_CONFORMANCE_HTTP_H

#include "plane.h"

/* The declaration of an operation; NULL when there is none. */
static json_t *declaration(const char *name) {
  static json_t *information;
  json_t *operation;
  size_t index;
  if (information == NULL) {
    information = json_loads(muster_build_info(), 0, NULL);
  }
  json_array_foreach(member(information, "operations"), index, operation) {
    if (strcmp(text_at(operation, "name"), name) == 0) {
      return operation;
    }
  }
  return NULL;
}

/* A text that grows; what does not fit is a mistake of the case. */
struct target {
  char text[8192];
  size_t length;
};

static void add_byte(struct target *target, char byte) {
  if (target->length + 1 < sizeof target->text) {
    target->text[target->length++] = byte;
    target->text[target->length] = 0;
  }
}

static void add_encoded(struct target *target, const char *text) {
  static const char digits[] = "0123456789ABCDEF";
  for (; *text != 0; text++) {
    unsigned char byte = (unsigned char)*text;
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
        byte == '_' || byte == '.') {
      add_byte(target, *text);
    } else {
      add_byte(target, '%');
      add_byte(target, digits[byte >> 4]);
      add_byte(target, digits[byte & 15]);
    }
  }
}

/* Writes the path with its parameters; 0 when one is missing or no text. */
static int add_path(struct target *target, const char *path, json_t *args) {
  while (*path != 0) {
    const char *end = strchr(path, '}');
    char name[64];
    json_t *value;
    if (*path != '{' || end == NULL) {
      add_byte(target, *path++);
      continue;
    }
    snprintf(name, sizeof name, "%.*s", (int)(end - path - 1), path + 1);
    value = member(args, name);
    if (!json_is_string(value) || json_string_length(value) == 0) {
      return 0;
    }
    add_encoded(target, json_string_value(value));
    path = end + 1;
  }
  return 1;
}

static int is_in_path(const char *path, const char *name) {
  char pattern[80];
  snprintf(pattern, sizeof pattern, "{%s}", name);
  return strstr(path, pattern) != NULL;
}

/* Writes the target of a call; 0 when it cannot be put into a request. */
static int make_target(struct target *target, json_t *operation, json_t *args) {
  const char *path = text_at(operation, "path"), *name;
  char separator = '?';
  json_t *value;
  target->length = 0;
  target->text[0] = 0;
  if (path == NULL || path[0] == 0 || !add_path(target, path, args)) {
    return 0;
  }
  json_object_foreach(args, name, value) {
    char *text;
    if (is_in_path(path, name) || strcmp(name, "body") == 0 || strcmp(name, "context") == 0 || json_is_null(value)) {
      continue;
    }
    if (json_is_object(value) || json_is_array(value)) {
      return 0;
    }
    add_byte(target, separator);
    separator = '&';
    add_encoded(target, name);
    add_byte(target, '=');
    text = json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
    add_encoded(target, text);
    free(text);
  }
  return 1;
}

/* A key to a plane that manages keys; the caller frees. */
static char *make_key(muster *plane) {
  json_t *made = call(plane, "keys.create", "{\"body\":{\"name\":\"conformance\",\"can_manage_keys\":true}}");
  char *key = made != NULL ? strdup(text_at(made, "key")) : NULL;
  json_decref(made);
  return key;
}

/* The events of a stream, as muster_call() gives them: an array of what its frames carry. */
static json_t *frames(const char *text, size_t length) {
  json_t *events = json_array();
  const char *line = text, *end = text + length;
  while (line < end) {
    const char *next = memchr(line, '\n', (size_t)(end - line));
    size_t size = (size_t)((next != NULL ? next : end) - line);
    if (size > 6 && memcmp(line, "data: ", 6) == 0) {
      json_array_append_new(events, json_loadb(line + 6, size - 6, JSON_DECODE_ANY, NULL));
    }
    line += size + 1;
  }
  return events;
}

/* Makes the call as a request. 0 when it cannot be put into one; else `answer` receives the body, null when it has none,
 * and `http_status` the status. */
static int request(muster *plane, const char *key, const char *name, json_t *args, json_t **answer,
                   int32_t *http_status) {
  struct target target;
  json_t *operation = declaration(name), *headers = json_pack("{s:s}", "x-api-key", key), *idempotency;
  char *body, *header_text, *answered = NULL;
  void *text = NULL;
  size_t length = 0;
  muster_status status;
  *answer = NULL;
  *http_status = 0;
  if (operation == NULL || !make_target(&target, operation, args)) {
    json_decref(headers);
    return 0;
  }
  idempotency = member(member(args, "context"), "idempotency_key");
  if (idempotency != NULL) {
    json_object_set(headers, "Idempotency-Key", idempotency);
  }
  header_text = json_dumps(headers, JSON_COMPACT);
  body = member(args, "body") != NULL ? json_dumps(member(args, "body"), JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  status = muster_http(plane, text_at(operation, "method"), target.text, header_text, body,
                       body != NULL ? strlen(body) : 0, http_status, &answered, &text, &length, NULL);
  CHECK_INTEGER(MUSTER_OK, status);
  *answer = answered != NULL && strstr(answered, "text/event-stream") != NULL ? frames(text, length)
            : length > 0 ? json_loadb(text, length, JSON_DECODE_ANY, NULL) : json_null();
  muster_free(text);
  muster_free(answered);
  free(body);
  free(header_text);
  json_decref(headers);
  return 1;
}

#endif
