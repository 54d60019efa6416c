/* SPDX-License-Identifier: Apache-2.0
 *
 * conformance_match.h - saved values in arguments and patterns, and patterns against answers.
 */
#ifndef MUSTER_CONFORMANCE_MATCH_H
#define MUSTER_CONFORMANCE_MATCH_H

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a path or of a reason; both are cut when longer. */
enum { MATCH_TEXT = 2048 };

/* ---- Saved values ---- */

/* Puts saved values in place of each "${name}" of a text. A new reference, or NULL with the reason in `why`. */
static inline json_t *substitute_text(const char *text, size_t length, json_t *saved, char *why) {
  const char *end = text + length, *at = text;
  json_t *result;
  char *built = NULL;
  size_t used = 0;
  FILE *out = open_memstream(&built, &used);
  if (out == NULL) {
    abort();
  }
  while (at < end) {
    const char *close = end - at > 3 && at[0] == '$' && at[1] == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
    if (close == NULL) {
      fputc(*at++, out);
      continue;
    }
    json_t *value = json_object_getn(saved, at + 2, (size_t)(close - at - 2));
    if (value == NULL) {
      snprintf(why, MATCH_TEXT, "no value was saved for %.*s", (int)(close - at + 1), at);
      fclose(out);
      free(built);
      return NULL;
    }
    if (at == text && close + 1 == end) { /* the whole text: the type is kept */
      fclose(out);
      free(built);
      return json_deep_copy(value);
    }
    if (json_is_string(value)) {
      fwrite(json_string_value(value), 1, json_string_length(value), out);
    } else {
      json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT);
    }
    at = close + 1;
  }
  fclose(out);
  result = json_stringn(built, used);
  free(built);
  return result;
}

/* The same in a whole value. A new reference, or NULL with the reason in `why`. */
static inline json_t *substitute(json_t *value, json_t *saved, char *why) {
  if (json_is_string(value)) {
    return substitute_text(json_string_value(value), json_string_length(value), saved, why);
  }
  if (json_is_array(value)) {
    json_t *copy = json_array(), *item;
    size_t index;
    json_array_foreach(value, index, item) {
      json_t *changed = substitute(item, saved, why);
      if (changed == NULL) {
        json_decref(copy);
        return NULL;
      }
      json_array_append_new(copy, changed);
    }
    return copy;
  }
  if (json_is_object(value)) {
    json_t *copy = json_object(), *item;
    const char *key;
    json_object_foreach(value, key, item) {
      json_t *changed = substitute(item, saved, why);
      if (changed == NULL) {
        json_decref(copy);
        return NULL;
      }
      json_object_set_new(copy, key, changed);
    }
    return copy;
  }
  return json_incref(value);
}

/* The value at a JSON pointer, borrowed; NULL when there is none. */
static inline json_t *at_pointer(json_t *value, const char *pointer) {
  while (value != NULL && pointer != NULL && *pointer == '/') {
    char key[MATCH_TEXT];
    size_t used = 0;
    for (pointer++; *pointer != 0 && *pointer != '/' && used < sizeof key - 1; pointer++) {
      key[used++] = *pointer;
      if (*pointer == '~' && (pointer[1] == '0' || pointer[1] == '1')) {
        key[used - 1] = *++pointer == '0' ? '~' : '/';
      }
    }
    key[used] = 0;
    value = json_is_array(value) && isdigit((unsigned char)key[0]) ? json_array_get(value, strtoul(key, NULL, 10))
                                                                   : json_object_get(value, key);
  }
  return pointer != NULL && *pointer == 0 ? value : NULL;
}

/* ---- Patterns ---- */

/* Whether a text has the form of `form`, where x is a lower-case hexadecimal digit, 9 a digit, and the rest itself. */
static inline int has_form(const char *text, const char *form) {
  for (; *form != 0; form++, text++) {
    int good = *form == 'x'   ? isdigit((unsigned char)*text) || (*text >= 'a' && *text <= 'f')
               : *form == '9' ? isdigit((unsigned char)*text)
                              : *text == *form;
    if (!good) {
      return 0;
    }
  }
  return *text == 0;
}

/* 1 when the matcher accepts the value, 0 when not, -1 when the text is no matcher. */
static inline int matcher(const char *name, const json_t *value) {
  const char *text = json_string_value(value);
  if (strcmp(name, "$any") == 0) return 1;
  if (strcmp(name, "$string") == 0) return json_is_string(value);
  if (strcmp(name, "$integer") == 0) return json_is_integer(value);
  if (strcmp(name, "$number") == 0) return json_is_number(value);
  if (strcmp(name, "$null") == 0) return json_is_null(value);
  if (strcmp(name, "$uuid") == 0) return text != NULL && has_form(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
  if (strcmp(name, "$time") == 0) return text != NULL && has_form(text, "9999-99-99T99:99:99.999999Z");
  if (strcmp(name, "$nonempty") == 0) {
    return json_string_length(value) > 0 || json_array_size(value) > 0 || json_object_size(value) > 0;
  }
  return -1;
}

/* Equality of values: the order of keys does not count, and 1 equals 1.0. */
static inline int same(const json_t *first, const json_t *second) {
  const char *key;
  json_t *inner;
  size_t index;
  if (json_is_number(first) && json_is_number(second) && json_typeof(first) != json_typeof(second)) {
    return json_number_value(first) == json_number_value(second);
  }
  if (json_is_object(first) && json_is_object(second)) {
    json_object_foreach((json_t *)first, key, inner) {
      if (!same(inner, json_object_get(second, key))) {
        return 0;
      }
    }
    return json_object_size(first) == json_object_size(second);
  }
  if (json_is_array(first) && json_array_size(first) == json_array_size(second)) {
    json_array_foreach(first, index, inner) {
      if (!same(inner, json_array_get(second, index))) {
        return 0;
      }
    }
    return json_is_array(second);
  }
  return json_equal(first, second);
}

static inline int differs(const json_t *pattern, const json_t *value, char *why) {
  char *wanted = json_dumps(pattern, JSON_ENCODE_ANY | JSON_COMPACT),
       *given = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  snprintf(why, MATCH_TEXT, "wanted %.900s, got %.900s", wanted != NULL ? wanted : "",
           given != NULL ? given : "nothing");
  free(wanted);
  free(given);
  return 0;
}

/* Whether `value` matches `pattern`. When not, `path` is the JSON path of the place and `why` the reason. `path` holds
 * the path of `value` at the call, and again after a match. */
static inline int matches(json_t *pattern, json_t *value, char *path, char *why) {
  size_t end = strlen(path), index;
  json_t *inner;
  const char *key;
  if (value == NULL) {
    return differs(pattern, value, why);
  }
  if (json_is_string(pattern)) {
    int accepted = matcher(json_string_value(pattern), value);
    return accepted == 1 || (accepted == -1 && same(pattern, value)) || differs(pattern, value, why);
  }
  if (json_is_object(pattern)) {
    if (json_object_size(pattern) == 1 && (inner = json_object_get(pattern, "$exact")) != NULL) {
      return same(inner, value) || differs(inner, value, why);
    }
    if (!json_is_object(value)) {
      return differs(pattern, value, why);
    }
    json_object_foreach(pattern, key, inner) {
      snprintf(path + end, MATCH_TEXT - end, "/%s", key);
      if (!matches(inner, json_object_get(value, key), path, why)) {
        return 0;
      }
    }
    path[end] = 0;
    return 1;
  }
  if (json_is_array(pattern)) {
    if (json_array_size(pattern) != json_array_size(value) || !json_is_array(value)) {
      return differs(pattern, value, why);
    }
    json_array_foreach(pattern, index, inner) {
      snprintf(path + end, MATCH_TEXT - end, "/%zu", index);
      if (!matches(inner, json_array_get(value, index), path, why)) {
        return 0;
      }
    }
    path[end] = 0;
    return 1;
  }
  return same(pattern, value) || differs(pattern, value, why);
}

#endif
