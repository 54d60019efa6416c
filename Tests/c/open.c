/* Opening: every wrong configuration, host and store file gives a status, and a file that is not ours stays as it is.
 * argv[1]: an empty folder. */
#define _POSIX_C_SOURCE 200809L
#include <sqlite3.h>
#include <sys/stat.h>

#include "plane.h"

static int released;
static void release(void *user_data) {
  CHECK(user_data == &released);
  released++;
}

/* Opens with a host whose release function is counted: it runs once, at the latest when the plane is closed. */
static void expect(muster_status wanted, const char *config, const char *named) {
  muster_host host = MUSTER_HOST_INIT;
  muster *plane = (muster *)&released;
  muster_error *error = NULL;
  muster_status status;
  host.user_data = &released;
  host.release = release;
  released = 0;
  status = muster_open(config, &host, &plane, &error);
  if (!CHECK_INTEGER(wanted, status)) {
    fprintf(stderr, "  %s\n", config != NULL ? config : "(null)");
    report("  message", error);
  }
  if (status != MUSTER_OK) {
    CHECK(plane == NULL);
    CHECK(error != NULL);
    CHECK_INTEGER(status, muster_error_status(error));
    if (named != NULL && !CHECK(strstr(muster_error_message(error), named) != NULL)) {
      fprintf(stderr, "  %s: the message lacks \"%s\": %s\n", config, named, muster_error_message(error));
    }
    muster_error_free(error);
  } else {
    CHECK_INTEGER(0, released);
    CHECK(error == NULL);
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  }
  CHECK_INTEGER(1, released);
}

static void configurations(void) {
  static const struct {
    muster_status status;
    const char *config, *named;
  } rows[] = {
      {MUSTER_OK, ":memory:", NULL},
      {MUSTER_OK, "{\"store\":\":memory:\"}", NULL},
      {MUSTER_OK, " \n\t{\"store\":\":memory:\"}", NULL},
      {MUSTER_OK, "{\"store\":\":memory:\",\"durability\":\"normal\",\"busy_timeout_ms\":0,\"network\":\"open\"}",
       NULL},
      {MUSTER_OK, "{\"store\":\":memory:\",\"limits\":{\"call_timeout_ms\":86400000},\"user_id\":\"u\"}", NULL},
      {MUSTER_OK, "{\"store\":\":memory:\",\"organization_id\":\"o\",\"busy_timeout_ms\":600000}", NULL},
      {MUSTER_E_MISUSE, NULL, NULL},
      {MUSTER_E_MISUSE, "", NULL},
      {MUSTER_E_UTF8, "a\xff.db", NULL},
      {MUSTER_E_UTF8, "{\"store\":\"\xff\"}", NULL},
      {MUSTER_E_JSON, "{", NULL},
      {MUSTER_E_JSON, "{\"store\":\":memory:\"", NULL},
      {MUSTER_E_JSON, "{\"store\":\":memory:\"} x", NULL},
      {MUSTER_E_JSON, "{\"store\":\"\\u0000\"}", NULL},
      {MUSTER_E_MISUSE, "{}", "store"},
      {MUSTER_E_MISUSE, "{\"store\":7}", "store"},
      {MUSTER_E_MISUSE, "{\"store\":\"\"}", "store"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"colour\":1}", "colour"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"durability\":\"maybe\"}", "durability"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"busy_timeout_ms\":-1}", "busy_timeout_ms"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"busy_timeout_ms\":600001}", "busy_timeout_ms"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"busy_timeout_ms\":1.5}", "busy_timeout_ms"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"busy_timeout_ms\":\"5\"}", "busy_timeout_ms"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"organization_id\":\"\"}", "organization_id"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"user_id\":\"\"}", "user_id"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"user_id\":7}", "user_id"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"default_model\":\"gpt\"}", "default_model"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"default_model\":{\"nane\":\"x\"}}", "nane"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"default_model\":{\"name\":7}}", "name"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"limits\":{\"call_timeout_ms\":0}}", "call_timeout_ms"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"limits\":{\"call_timeout_ms\":86400001}}", "call_timeout_ms"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"limits\":{\"tokens\":1}}", "tokens"},
      {MUSTER_OK, "{\"store\":\":memory:\",\"network\":\"public\"}", NULL},
      {MUSTER_OK, "{\"store\":\":memory:\",\"network\":[\"loopback\",\"example.org:8080\"]}", NULL},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"network\":\"closed\"}", "network"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"network\":[\"http://example.org\"]}", "http://example.org"},
      {MUSTER_E_UNSUPPORTED, "{\"store\":\":memory:\",\"api_key\":\"k\"}", "api_key"},
      {MUSTER_E_UNSUPPORTED, "{\"store\":\":memory:\",\"workspace_root\":\"/\"}", "workspace_root"},
      {MUSTER_E_UNSUPPORTED, "{\"store\":\":memory:\",\"secrets_key\":\"k\"}", "secrets_key"},
      {MUSTER_E_MISUSE, "{\"store\":\":memory:\",\"threads\":65}", "threads"},
      {MUSTER_E_UNSUPPORTED, "postgres://localhost/agents", NULL},
      {MUSTER_E_UNSUPPORTED, "ftp://example.org", NULL},
      {MUSTER_OK, "https://example.org/base", NULL},
      {MUSTER_OK, "{\"store\":\"https://example.org\",\"api_key\":\"k\",\"limits\":{\"call_timeout_ms\":1}}", NULL},
      {MUSTER_E_UNSUPPORTED, "{\"store\":\"https://example.org\",\"user_id\":\"u\"}", "user_id"},
      {MUSTER_E_MISUSE, "{\"store\":\"https://example.org\",\"api_key\":\"a b\"}", "key"},
      {MUSTER_E_MISUSE, "https://anna:word@example.org", "user name"},
      {MUSTER_E_MISUSE, "http://", NULL},
  };
  for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
    expect(rows[index].status, rows[index].config, rows[index].named);
  }
  static const char head[] = "{\"store\":\":memory:\",\"user_id\":\"";
  for (size_t length = 255; length <= 256; length++) {
    char config[sizeof head + 256 + 2];
    memcpy(config, head, sizeof head - 1);
    memset(config + sizeof head - 1, 'u', length);
    memcpy(config + sizeof head - 1 + length, "\"}", 3);
    expect(length == 255 ? MUSTER_OK : MUSTER_E_MISUSE, config, "user_id");
  }
}

static void deep_and_large_configurations(void) {
  char *text = malloc(MUSTER_MAX_REQUEST_BYTES + 2);
  if (text == NULL) {
    abort();
  }
  memset(text, '[', 100000);
  memcpy(text, "{\"a\":", 5);
  text[100000] = 0;
  expect(MUSTER_E_LIMIT, text, NULL);
  memset(text, 'a', MUSTER_MAX_REQUEST_BYTES + 1);
  text[MUSTER_MAX_REQUEST_BYTES + 1] = 0;
  expect(MUSTER_E_LIMIT, text, NULL);
  memcpy(text, "{", 1);
  expect(MUSTER_E_LIMIT, text, NULL);
  free(text);
}

static int32_t key(void *user_data, const char *key_id, uint8_t *bytes) {
  (void)user_data, (void)key_id, (void)bytes;
  return 1;
}

static void hosts(void) {
  muster *plane = NULL;
  muster_error *error = NULL;
  muster_host host = MUSTER_HOST_INIT;
  static const size_t sizes[] = {0, 1, sizeof(size_t), sizeof(muster_host) - 1, SIZE_MAX};

  CHECK_INTEGER(MUSTER_OK, muster_open(":memory:", &host, &plane, &error));
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));

  /* A size that no version has: the structure cannot be read, so its release function cannot be trusted either. */
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
    host.struct_size = sizes[index];
    CHECK_INTEGER(MUSTER_E_MISUSE, muster_open(":memory:", &host, &plane, &error));
    CHECK(plane == NULL);
    CHECK(strstr(muster_error_message(error), "struct_size") != NULL);
    muster_error_free(error);
  }

  host = (muster_host)MUSTER_HOST_INIT;
  host.secrets_key = key;
  host.release = release;
  host.user_data = &released;
  released = 0;
  CHECK_INTEGER(MUSTER_E_UNSUPPORTED, muster_open(":memory:", &host, &plane, NULL));
  CHECK_INTEGER(1, released);
}

static char *contents(const char *path, long *size) {
  FILE *file = fopen(path, "rb");
  char *bytes;
  if (!CHECK(file != NULL)) {
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  bytes = malloc((size_t)*size + 1);
  CHECK(bytes != NULL && fread(bytes, 1, (size_t)*size, file) == (size_t)*size);
  fclose(file);
  return bytes;
}

static void write_file(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

/* Opening must fail and leave the file byte for byte, without a journal beside it. */
static void stays_untouched(const char *path, const char *what) {
  static const char *const endings[] = {"-wal", "-shm", "-journal"};
  long before_size, after_size;
  char *before = contents(path, &before_size), *after;
  struct stat first, second;
  stat(path, &first);
  expect(MUSTER_E_STORE, path, NULL);
  stat(path, &second);
  after = contents(path, &after_size);
  if (!CHECK(before_size == after_size && memcmp(before, after, (size_t)before_size) == 0)) {
    fprintf(stderr, "  %s was changed\n", what);
  }
  CHECK(first.st_mode == second.st_mode);
  CHECK(first.st_mtim.tv_sec == second.st_mtim.tv_sec && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec);
  for (size_t index = 0; index < 3; index++) {
    char other[4096];
    snprintf(other, sizeof other, "%s%s", path, endings[index]);
    if (!CHECK(access(other, F_OK) != 0)) {
      fprintf(stderr, "  left behind: %s\n", other);
    }
  }
  free(before);
  free(after);
}

static void files_that_are_not_ours(const char *folder) {
  char *text = path_in(folder, "notes.txt"), *database = path_in(folder, "foreign.db"),
       *newer = path_in(folder, "newer.db");
  sqlite3 *foreign = NULL;
  long size;
  char *bytes;
  write_file(text, "These are notes, not a database.\n", 33);
  stays_untouched(text, "a text file");

  CHECK_INTEGER(SQLITE_OK, sqlite3_open(database, &foreign));
  CHECK_INTEGER(SQLITE_OK, sqlite3_exec(foreign, "CREATE TABLE agents(id)", NULL, NULL, NULL));
  CHECK_INTEGER(SQLITE_OK, sqlite3_close(foreign));
  stays_untouched(database, "a foreign database");

  /* The version of a store is at byte 60 of its header, big-endian. */
  CHECK_INTEGER(MUSTER_OK, muster_close(open_store(newer, "echo")));
  bytes = contents(newer, &size);
  CHECK(size > 100);
  memcpy(bytes + 60, "\x00\x0f\x42\x40", 4);
  write_file(newer, bytes, (size_t)size);
  free(bytes);
  stays_untouched(newer, "a newer store");
  free(text);
  free(database);
  free(newer);
}

static void paths_that_cannot_be_opened(const char *folder) {
  char *file = path_in(folder, "notes.txt"), *below = path_in(file, "a.db"), *missing = path_in(folder, "missing/a.db");
  char *closed = path_in(folder, "closed.db"), *long_path = malloc(10001);
  expect(MUSTER_E_STORE, folder, NULL);
  expect(MUSTER_E_STORE, below, NULL);
  expect(MUSTER_E_STORE, missing, NULL);
  CHECK(access(missing, F_OK) != 0);
  memset(long_path, 'p', 10000);
  long_path[10000] = 0;
  expect(MUSTER_E_STORE, long_path, NULL);
  if (geteuid() != 0) { /* root may read everything */
    CHECK_INTEGER(MUSTER_OK, muster_close(open_store(closed, "echo")));
    CHECK_INTEGER(0, chmod(closed, 0));
    expect(MUSTER_E_STORE, closed, NULL);
  }
  free(file);
  free(below);
  free(missing);
  free(closed);
  free(long_path);
}

static void a_new_file_is_private(const char *folder) {
  char *path = path_in(folder, "private.db"), *empty = path_in(folder, "empty.db");
  struct stat about;
  mode_t mask = umask(0);
  CHECK_INTEGER(MUSTER_OK, muster_close(open_store(path, "echo")));
  umask(mask);
  CHECK_INTEGER(0, stat(path, &about));
  CHECK_INTEGER(0600, about.st_mode & 0777);
  /* An empty file, as mktemp makes it, is a new store. */
  write_file(empty, "", 0);
  expect(MUSTER_OK, empty, NULL);
  free(path);
  free(empty);
}

/* A damaged store gives errors, or what can still be read; it never ends the process. */
static void damaged_stores(const char *folder) {
  char *path = path_in(folder, "damaged.db");
  muster *plane = open_store(path, "echo");
  long size;
  char *bytes, *copy;
  for (int number = 0; number < 30; number++) {
    free(create_agent(plane, "Agent of a store that will be damaged", NULL));
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  bytes = contents(path, &size);
  copy = malloc((size_t)size);
  srand(7);
  for (int round = 0; round < 60; round++) {
    memcpy(copy, bytes, (size_t)size);
    for (int flip = 0; flip < 200; flip++) {
      copy[100 + (long)(((double)rand() / ((double)RAND_MAX + 1)) * (double)(size - 100))] = (char)rand();
    }
    write_file(path, copy, round % 3 == 0 ? (size_t)size / 2 : (size_t)size);
    plane = NULL;
    muster_status status = muster_open(path, NULL, &plane, NULL);
    CHECK(status == MUSTER_OK || status == MUSTER_E_STORE);
    if (status == MUSTER_OK) {
      status = muster_agents_list_full(plane, 1, 50, NULL, NULL, NULL);
      CHECK(status != MUSTER_E_MISUSE && status != MUSTER_E_BAD_HANDLE);
      status = muster_agent_create(plane, "{\"name\":\"New\"}", NULL, NULL, NULL);
      CHECK(status != MUSTER_E_MISUSE && status != MUSTER_E_BAD_HANDLE);
      CHECK_INTEGER(MUSTER_OK, muster_close(plane));
    }
  }
  free(bytes);
  free(copy);
  free(path);
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  configurations();
  deep_and_large_configurations();
  hosts();
  files_that_are_not_ours(folder);
  paths_that_cannot_be_opened(folder);
  a_new_file_is_private(folder);
  damaged_stores(folder);
  return check_finish("open");
}
