/* Runs the cases of Tests/conformance through muster_call(), through muster_call_j(), through a plane that is a client of
 * a server, and through muster_http(): conformance FOLDER CASE.json... FOLDER is an empty folder for stores; MODEL_BASE is
 * the address of the mock. The format is described beside the cases. */
#define _POSIX_C_SOURCE 200809L
#include <muster_jansson.h>

#include "conformance_http.h"
#include "conformance_match.h"
#include "plane.h"

enum { CALL, CALL_JANSSON, REMOTE, HTTP, FACES };
static const char *const faces[] = {"muster_call", "muster_call_j", "a server", "muster_http"};

struct place {
  const char *file, *name, *operation;
  size_t step;
};

static int fail(const struct place *place, const char *path, const char *why) {
  fprintf(stderr, "%s: %s, step %zu (%s), at %s: %s\n", place->file, place->name, place->step, place->operation,
          path[0] != 0 ? path : "the root", why);
  return 0;
}

/* {"store":path,"default_model":{...}} with the keys of the case laid over it, as text; the caller frees. */
static char *config_text(const char *path, json_t *extra, json_t *saved) {
  /* API callers may reach the mock, which is on this machine. */
  json_t *config = json_pack("{s:s, s:s, s:{s:s, s:s, s:O}}", "store", path, "network", "open", "default_model",
                             "provider", "openai_compatible", "name", "echo", "api_base", member(saved, "MODEL_BASE"));
  char *text;
  json_object_update(config, extra);
  text = json_dumps(config, JSON_COMPACT);
  json_decref(config);
  return text;
}

/* Makes the call through one of the faces that are planes. `answer` receives the answer or the error document. */
static muster_status make_call(muster *plane, const char *operation, json_t *args, int face, json_t **answer,
                               int32_t *http_status) {
  muster_error *error = NULL;
  muster_status status;
  *answer = NULL;
  if (face != CALL_JANSSON) {
    char *text = args != NULL ? json_dumps(args, JSON_COMPACT) : NULL, *json = NULL;
    size_t length = 0;
    status = muster_call(plane, operation, text, 0, &json, &length, &error);
    if (status == MUSTER_OK) {
      *answer = json_loadb(json, length, JSON_DECODE_ANY, NULL);
    }
    muster_free(json);
    free(text);
  } else {
    status = muster_call_j(plane, operation, args, 0, answer, &error);
  }
  *http_status = muster_error_http_status(error);
  if (status != MUSTER_OK) {
    *answer = json_loads(muster_error_json(error, NULL), 0, NULL);
  }
  muster_error_free(error);
  return status;
}

/* Serves a plane, and opens one that is a client of it, with a key of its own. */
static muster *reach(muster *plane, muster_error **error) {
  muster_server *server = NULL;
  muster *remote = NULL;
  char *made = NULL, *url = NULL;
  if (muster_call(plane, "keys.create", "{\"body\":{\"name\":\"face\",\"can_manage_keys\":true}}", 0, &made, NULL, error)
          == MUSTER_OK
      && muster_serve(plane, "{\"allow_network\":[\"loopback\"]}", &server, error) == MUSTER_OK
      && muster_server_url(server, &url, NULL, error) == MUSTER_OK) {
    json_t *key = json_loads(made, 0, NULL);
    json_t *config = json_pack("{s:s, s:O}", "store", url, "api_key", member(key, "key"));
    char *text = json_dumps(config, JSON_COMPACT);
    if (muster_open(text, NULL, &remote, error) != MUSTER_OK) {
      remote = NULL;
    }
    free(text);
    json_decref(config);
    json_decref(key);
  }
  muster_free(made);
  muster_free(url);
  return remote;
}

static int save_values(json_t *save, json_t *answer, json_t *saved, const struct place *place) {
  const char *name;
  json_t *pointer;
  json_object_foreach(save, name, pointer) {
    json_t *value = at_pointer(answer, json_string_value(pointer));
    if (value == NULL) {
      return fail(place, json_string_value(pointer), "nothing there to save");
    }
    json_object_set(saved, name, value);
  }
  return 1;
}

/* `key`: for requests; NULL for calls. */
static int run_step(muster *plane, const char *key, json_t *step, json_t *saved, int face, const struct place *place) {
  const char *wanted = text_at(step, "status") != NULL ? text_at(step, "status") : "OK";
  char why[MATCH_TEXT], path[MATCH_TEXT] = "";
  json_t *args = NULL, *pattern = NULL, *answer = NULL;
  int32_t http_status = 0;
  muster_status status;
  int good = 1;
  if (member(step, "args") != NULL && (args = substitute(member(step, "args"), saved, why)) == NULL) {
    return fail(place, "args", why);
  }
  if (member(step, "answer") != NULL && (pattern = substitute(member(step, "answer"), saved, why)) == NULL) {
    json_decref(args);
    return fail(place, "answer", why);
  }
  if (face == HTTP) {
    if (!request(plane, key, place->operation, args, &answer, &http_status)) {
      /* No step below can need an answer that there cannot be. */
      json_decref(args);
      json_decref(pattern);
      return member(step, "save") == NULL ? 1 : fail(place, "save", "cannot be put into a request");
    }
    /* A request knows no status but that of HTTP. */
    status = (http_status < 400) == (strcmp(wanted, "OK") == 0) ? MUSTER_OK : MUSTER_E_INTERNAL;
  } else {
    status = make_call(plane, place->operation, args, face, &answer, &http_status);
  }
  if (face == HTTP ? status != MUSTER_OK : strcmp(wanted, muster_status_name(status)) != 0) {
    char *text = json_dumps(answer, JSON_ENCODE_ANY);
    snprintf(why, sizeof why, "wanted status %s, got %s, HTTP status %d: %s", wanted, muster_status_name(status),
             (int)http_status, text != NULL ? text : "");
    free(text);
    good = fail(place, "status", why);
  } else if (member(step, "http_status") != NULL && integer_at(step, "http_status") != http_status) {
    snprintf(why, sizeof why, "wanted HTTP status %d, got %d", (int)integer_at(step, "http_status"), (int)http_status);
    good = fail(place, "http_status", why);
  } else if (answer == NULL) {
    good = fail(place, "", "the answer is not JSON");
  } else if (pattern != NULL && !matches(pattern, answer, path, why)) {
    good = fail(place, path, why);
  } else {
    good = save_values(member(step, "save"), answer, saved, place);
  }
  json_decref(args);
  json_decref(pattern);
  json_decref(answer);
  return good;
}

static int run_case(const char *file, json_t *one, const char *folder, int face) {
  static int stores;
  struct place place = {file, text_at(one, "name"), "muster_open", 0};
  char name[32], why[MATCH_TEXT], *path, *config, *key = NULL;
  json_t *saved = json_pack("{s:s}", "MODEL_BASE", getenv("MODEL_BASE") != NULL ? getenv("MODEL_BASE") : ""), *extra,
         *step;
  muster *plane = NULL, *origin = NULL;
  muster_error *error = NULL;
  size_t index;
  int good = 1;
  if (place.name == NULL || !json_is_array(member(one, "steps"))) {
    json_decref(saved);
    return fail(&place, "", "a case needs a name and steps");
  }
  extra = member(one, "config") != NULL ? substitute(member(one, "config"), saved, why) : json_object();
  snprintf(name, sizeof name, "case-%d.db", stores++);
  path = path_in(folder, name);
  config = extra != NULL ? config_text(path, extra, saved) : NULL;
  if (config == NULL) {
    good = fail(&place, "config", why);
  } else if (muster_open(config, NULL, &plane, &error) != MUSTER_OK) {
    good = fail(&place, "config", muster_error_message(error));
    muster_error_free(error);
  }
  if (good && face == REMOTE) {
    origin = plane;
    plane = reach(origin, &error);
    if (plane == NULL) {
      good = fail(&place, "remote", muster_error_message(error));
      muster_error_free(error);
    }
  }
  if (good && face == HTTP) {
    key = make_key(plane);
  }
  json_array_foreach(member(one, "steps"), index, step) {
    place.step = index + 1;
    place.operation = text_at(step, "call") != NULL ? text_at(step, "call") : "";
    /* The first failure ends the case: what follows would build on it. */
    good = good && run_step(plane, key, step, saved, face, &place);
  }
  muster_close(plane);
  /* Ends the server, too. */
  muster_close(origin);
  free(key);
  free(config);
  free(path);
  json_decref(extra);
  json_decref(saved);
  return good;
}

int main(int argc, char **argv) {
  int passed = 0, failed = 0;
  for (int index = 2; index < argc; index++) {
    json_error_t problem;
    json_t *file = json_load_file(argv[index], JSON_REJECT_DUPLICATES, &problem), *cases, *one;
    size_t number;
    if (file == NULL) {
      fprintf(stderr, "%s:%d: %s\n", argv[index], problem.line, problem.text);
      failed++;
      continue;
    }
    /* A file holds one case, or an array of them. */
    cases = json_is_array(file) ? json_incref(file) : json_pack("[O]", file);
    json_array_foreach(cases, number, one) {
      for (int face = 0; face < FACES; face++) {
        if (face >= REMOTE && text_at(one, "caller") != NULL) {
          continue;
        }
        if (run_case(argv[index], one, argv[1], face)) {
          passed++;
        } else {
          fprintf(stderr, "  (through %s)\n", faces[face]);
          failed++;
        }
      }
    }
    json_decref(cases);
    json_decref(file);
  }
  if (argc < 3) {
    fprintf(stderr, "usage: conformance FOLDER CASE.json...\n");
    failed++;
  }
  printf("%-16s %d passed, %d failed\n", "conformance", passed, failed);
  return failed == 0 ? 0 : 1;
}
