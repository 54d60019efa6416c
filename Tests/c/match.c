/* The conformance runner itself: patterns reject what they should, and saved values keep their type. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "conformance_match.h"

static int accepts(const char *pattern, const char *value, const char *where) {
  char path[MATCH_TEXT] = "", why[MATCH_TEXT] = "";
  json_t *first = json_loads(pattern, JSON_DECODE_ANY, NULL), *second = json_loads(value, JSON_DECODE_ANY, NULL);
  int good = matches(first, second, path, why);
  CHECK(first != NULL && second != NULL);
  if (!good) {
    CHECK(strlen(why) > 0);
    CHECK_TEXT(where, path);
  }
  json_decref(first);
  json_decref(second);
  return good;
}

static void patterns(void) {
  CHECK(accepts("{\"a\":1}", "{\"b\":2,\"a\":1}", ""));
  CHECK(!accepts("{\"a\":1}", "{\"a\":2}", "/a"));
  CHECK(!accepts("{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}", "/a/b/1"));
  CHECK(!accepts("{\"a\":\"$any\"}", "{}", "/a"));
  CHECK(accepts("{\"a\":\"$any\"}", "{\"a\":null}", ""));
  CHECK(accepts("{\"$exact\":{\"a\":1}}", "{\"a\":1}", ""));
  CHECK(!accepts("{\"$exact\":{\"a\":1}}", "{\"a\":1,\"b\":2}", ""));
  CHECK(accepts("{\"$exact\":{\"a\":[1,{\"b\":2}],\"c\":3}}", "{\"c\":3.0,\"a\":[1.0,{\"b\":2}]}", ""));
  CHECK(!accepts("{\"$exact\":{\"a\":[1,{\"b\":2}]}}", "{\"a\":[1,{\"b\":2,\"c\":3}]}", ""));
  CHECK(!accepts("{\"$exact\":[]}", "{}", "") && !accepts("{\"$exact\":{\"a\":null}}", "{}", ""));
  CHECK(accepts("1", "1.0", "") && !accepts("1", "true", "") && !accepts("0", "false", "") && !accepts("1", "1.5", ""));
  CHECK(!accepts("[1]", "[1,2]", ""));
  CHECK(!accepts("[1,2]", "[1]", ""));
  CHECK(!accepts("[]", "{}", ""));
  CHECK(!accepts("{}", "[]", ""));
  CHECK(!accepts("null", "0", ""));
  CHECK(accepts("\"$string\"", "\"\"", "") && !accepts("\"$string\"", "7", ""));
  CHECK(accepts("\"$integer\"", "7", "") && !accepts("\"$integer\"", "7.5", ""));
  CHECK(accepts("\"$number\"", "7.5", "") && !accepts("\"$number\"", "\"7\"", ""));
  CHECK(accepts("\"$null\"", "null", "") && !accepts("\"$null\"", "false", ""));
  CHECK(accepts("\"$nonempty\"", "\"a\"", "") && !accepts("\"$nonempty\"", "\"\"", ""));
  CHECK(accepts("\"$nonempty\"", "[0]", "") && !accepts("\"$nonempty\"", "[]", "") &&
        !accepts("\"$nonempty\"", "{}", ""));
  CHECK(accepts("\"$uuid\"", "\"0198c0de-0000-7000-8000-0123456789ab\"", ""));
  CHECK(!accepts("\"$uuid\"", "\"0198C0DE-0000-7000-8000-0123456789ab\"", "") &&
        !accepts("\"$uuid\"", "\"0198c0de\"", ""));
  CHECK(accepts("\"$time\"", "\"2026-02-05T18:54:51.388334Z\"", ""));
  CHECK(!accepts("\"$time\"", "\"2026-02-05T18:54:51Z\"", "") &&
        !accepts("\"$time\"", "\"2026-02-05T18:54:51.388334Z \"", ""));
  CHECK(!accepts("\"text\"", "\"other\"", "") && accepts("\"$text\"", "\"$text\"", ""));
}

static void saved_values(void) {
  char why[MATCH_TEXT] = "";
  json_t *saved = json_pack("{s:s, s:i}", "id", "abc", "n", 7);
  json_t *value = json_pack("{s:s, s:s, s:[s], s:s, s:i}", "whole", "${n}", "inside", "a${id}b${n}", "in", "${id}",
                            "none", "$ {id} ${", "number", 5);
  json_t *result = substitute(value, saved, why);
  CHECK_INTEGER(7, json_integer_value(json_object_get(result, "whole")));
  CHECK_TEXT("aabcb7", json_string_value(json_object_get(result, "inside")));
  CHECK_TEXT("abc", json_string_value(json_array_get(json_object_get(result, "in"), 0)));
  CHECK_TEXT("$ {id} ${", json_string_value(json_object_get(result, "none")));
  CHECK_INTEGER(5, json_integer_value(json_object_get(result, "number")));
  json_decref(result);
  json_decref(value);
  value = json_string("x ${missing}");
  CHECK(substitute(value, saved, why) == NULL);
  CHECK(strstr(why, "${missing}") != NULL);
  json_decref(value);
  json_decref(saved);
}

static void pointers(void) {
  json_t *value = json_pack("{s:[{s:i}], s:i}", "a", "b", 7, "x/y~", 8);
  CHECK_INTEGER(7, json_integer_value(at_pointer(value, "/a/0/b")));
  CHECK_INTEGER(8, json_integer_value(at_pointer(value, "/x~1y~0")));
  CHECK(at_pointer(value, "") == value);
  CHECK(at_pointer(value, "/a/1") == NULL && at_pointer(value, "/nothing/there") == NULL &&
        at_pointer(value, "a") == NULL);
  json_decref(value);
}

int main(void) {
  patterns();
  saved_values();
  pointers();
  return check_finish("match");
}
