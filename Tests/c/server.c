/* The REST service on a socket, as a guest: what it is told, where it listens, how it ends, and what a forked child has of
 * it. argv[1]: an empty folder. Needs the mock. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "plane.h"

static int entries(const char *path) {
  int count = 0;
  DIR *folder = opendir(path);
  if (!CHECK(folder != NULL)) return -1;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static char *key_of(muster *plane) {
  json_t *made = call(plane, "keys.create", "{\"body\":{\"name\":\"test\"}}");
  char *key = strdup(text_at(made, "key"));
  json_decref(made);
  return key;
}

static muster_server *serve(muster *plane, const char *options) {
  muster_server *server = NULL;
  muster_error *error = NULL;
  if (!CHECK_INTEGER(MUSTER_OK, muster_serve(plane, options, &server, &error))) {
    report(options, error);
    exit(1);
  }
  CHECK(server != NULL && error == NULL);
  return server;
}

static char *url_of(muster_server *server) {
  char *url = NULL;
  size_t length = 0;
  CHECK_INTEGER(MUSTER_OK, muster_server_url(server, &url, &length, NULL));
  CHECK_INTEGER(strlen(url), length);
  return url;
}

/* Connects to "http://HOST:PORT" or "unix:PATH"; -1 when nobody is there. */
static int try_connect(const char *url) {
  int descriptor;
  if (strncmp(url, "unix:", 5) == 0) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, url + 5, sizeof address.sun_path - 1);
    descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
  } else if (strncmp(url, "http://[::1]:", 13) == 0) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(url + 13))};
    address.sin6_addr = in6addr_loopback;
    descriptor = socket(AF_INET6, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
  } else {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
  }
  close(descriptor);
  return -1;
}

static void ask(int descriptor, const char *method, const char *target, const char *key, const char *body) {
  char text[2048];
  int count = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: test\r\nx-api-key: %s\r\nContent-Length: %zu\r\n\r\n%s", method,
                       target, key != NULL ? key : "", body != NULL ? strlen(body) : 0, body != NULL ? body : "");
  CHECK_INTEGER(count, send(descriptor, text, (size_t)count, MSG_NOSIGNAL));
}

/* Reads until the head and the body of an answer are there; gives its status, 0 when the connection ends before. */
static int answer(int descriptor, char *text, size_t size) {
  size_t count = 0;
  text[0] = 0;
  while (count < size - 1) {
    char *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "Content-Length:");
    if (body != NULL && (length == NULL || count >= (size_t)(body + 4 - text) + (size_t)atoi(length + 15))) break;
    struct pollfd wait = {descriptor, POLLIN, 0};
    if (poll(&wait, 1, 20000) != 1) return -1;
    ssize_t got = recv(descriptor, text + count, size - 1 - count, 0);
    if (got <= 0) return 0;
    text[count += (size_t)got] = 0;
  }
  return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : -1;
}

static int status_of(const char *url, const char *method, const char *target, const char *key, const char *body) {
  char text[16384];
  int descriptor = try_connect(url);
  if (descriptor < 0) return -1;
  ask(descriptor, method, target, key, body);
  int status = answer(descriptor, text, sizeof text);
  close(descriptor);
  return status;
}

/* ---- what it is told ---- */

static void it_serves_what_muster_http_answers(muster *plane, const char *key) {
  muster_server *server = serve(plane, NULL);
  char *url = url_of(server);
  CHECK(strncmp(url, "http://127.0.0.1:", 17) == 0);
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  CHECK_INTEGER(200, status_of(url, "GET", "/metrics", NULL, NULL));
  CHECK_INTEGER(405, status_of(url, "POST", "/metrics", NULL, "{}"));
  CHECK_INTEGER(401, status_of(url, "GET", "/v1/agents", NULL, NULL));
  CHECK_INTEGER(200, status_of(url, "GET", "/v1/agents", key, NULL));
  CHECK_INTEGER(201, status_of(url, "POST", "/v1/agents", key, "{\"name\":\"over a socket\"}"));
  CHECK_INTEGER(404, status_of(url, "GET", "/v1/agents/none", key, NULL));
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  CHECK_INTEGER(-1, try_connect(url));
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(NULL));
  muster_free(url);
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_server_url(server, &url, NULL, NULL));
  CHECK(url == NULL);
}

static void wrong_options_are_refused_and_named(muster *plane, const char *folder) {
  static const struct { const char *options, *named; } wrong[] = {
      {"{\"port\":1}", "port"}, {"{\"listen\":\"8080\"}", "listen"}, {"{\"listen\":\"example.com:80\"}", "listen"},
      {"{\"listen\":\"1.2.3.4:99999\"}", "listen"}, {"{\"listen\":\"::1:80\"}", "listen"}, {"{\"listen\":\"unix:\"}", "listen"},
      {"{\"listen\":7}", "listen"}, {"{\"rate_limit\":\"100\"}", "rate_limit"}, {"{\"rate_limit\":\"0/5\"}", "rate_limit"},
      {"{\"rate_limit\":100}", "rate_limit"}, {"{\"allow_network\":\"private\"}", "allow_network"},
      {"{\"allow_network\":[\"a b\"]}", "allow_network"}, {"{\"max_body_bytes\":0}", "max_body_bytes"},
      {"{\"max_body_bytes\":67108865}", "max_body_bytes"}, {"{\"max_header_bytes\":100}", "max_header_bytes"},
      {"{\"max_connections\":0}", "max_connections"}, {"{\"workers\":0}", "workers"}, {"{\"idle_timeout_ms\":1}", "idle_timeout_ms"},
      {"{\"header_timeout_ms\":1}", "header_timeout_ms"}, {"{\"stop_timeout_ms\":-1}", "stop_timeout_ms"},
      {"{\"heartbeat_ms\":999}", "heartbeat_ms"}, {"{\"heartbeat_ms\":60001}", "heartbeat_ms"},
      {"{\"tls_cert\":\"/does/not/exist\",\"tls_key\":\"/does/not/exist\"}", "tls_cert"}, {"[]", "object"},
  };
  muster_server *server = NULL;
  muster_error *error = NULL;
  for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
    CHECK_INTEGER(MUSTER_E_MISUSE, muster_serve(plane, wrong[index].options, &server, &error));
    if (!CHECK(server == NULL && strstr(muster_error_message(error), wrong[index].named) != NULL))
      fprintf(stderr, "%s: %s\n", wrong[index].options, muster_error_message(error));
    muster_error_free(error);
  }
  char *path = path_in(folder, "no.pem"), options[512];
  FILE *file = fopen(path, "w");
  CHECK(fputs("this is no certificate\n", file) >= 0);
  fclose(file);
  snprintf(options, sizeof options, "{\"tls_cert\":\"%s\",\"tls_key\":\"%s\"}", path, path);
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_serve(plane, options, &server, NULL));
  snprintf(options, sizeof options, "{\"tls_cert\":\"%s\"}", path);
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_serve(plane, options, &server, NULL));
  free(path);
  CHECK_INTEGER(MUSTER_E_JSON, muster_serve(plane, "{", &server, NULL));
  CHECK_INTEGER(MUSTER_E_MISUSE, muster_serve(plane, NULL, NULL, NULL));
  CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_serve(NULL, NULL, &server, NULL));
  CHECK_INTEGER(MUSTER_E_NETWORK, muster_serve(plane, "{\"listen\":\"192.0.2.1:0\"}", &server, NULL));
}

static void an_address_is_served_once(muster *plane) {
  muster_server *first = serve(plane, NULL), *second = NULL;
  char *url = url_of(first), options[128];
  snprintf(options, sizeof options, "{\"listen\":\"127.0.0.1:%s\"}", strrchr(url, ':') + 1);
  CHECK_INTEGER(MUSTER_E_NETWORK, muster_serve(plane, options, &second, NULL));
  muster_server_stop(first);
  second = serve(plane, options);
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  muster_server_stop(second);
  muster_free(url);
}

static void ipv6_is_served(muster *plane) {
  muster_server *server = NULL;
  if (muster_serve(plane, "{\"listen\":\"[::1]:0\"}", &server, NULL) != MUSTER_OK) return; /* a machine without it */
  char *url = url_of(server);
  CHECK(strncmp(url, "http://[::1]:", 13) == 0);
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  muster_server_stop(server);
  muster_free(url);
}

/* ---- Unix sockets ---- */

static void a_unix_socket_belongs_to_its_user(muster *plane, const char *folder) {
  char *path = path_in(folder, "socket"), options[512];
  snprintf(options, sizeof options, "{\"listen\":\"unix:%s\"}", path);
  muster_server *server = serve(plane, options), *second = NULL;
  char *url = url_of(server);
  struct stat found;
  CHECK_INTEGER(0, stat(path, &found));
  CHECK(S_ISSOCK(found.st_mode));
  CHECK_INTEGER(0600, found.st_mode & 0777);
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  /* One that answers is left alone. */
  CHECK_INTEGER(MUSTER_E_NETWORK, muster_serve(plane, options, &second, NULL));
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  muster_server_stop(server);
  CHECK(lstat(path, &found) != 0 && errno == ENOENT);
  /* One that a dead server left is replaced. */
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int left = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_INTEGER(0, bind(left, (struct sockaddr *)&address, sizeof address));
  close(left);
  server = serve(plane, options);
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  muster_server_stop(server);
  /* What is no socket is nobody's to remove. */
  fclose(fopen(path, "w"));
  CHECK_INTEGER(MUSTER_E_NETWORK, muster_serve(plane, options, &second, NULL));
  CHECK_INTEGER(0, stat(path, &found));
  muster_free(url);
  free(path);
}

/* ---- how it ends ---- */

struct caller { const char *url, *key; char target[256]; int status; double seconds; };

static void *invoke(void *context) {
  struct caller *caller = context;
  double began = seconds_now();
  caller->status = status_of(caller->url, "POST", caller->target, caller->key, "{\"input\":{\"text\":\"hello\"}}");
  caller->seconds = seconds_now() - began;
  return NULL;
}

static pthread_t start_invoke(struct caller *caller, muster *plane, const char *url, const char *key, const char *model) {
  pthread_t thread;
  char *agent = create_agent(plane, "agent", model);
  caller->url = url;
  caller->key = key;
  snprintf(caller->target, sizeof caller->target, "/v1/agents/%s/invoke", agent);
  free(agent);
  CHECK_INTEGER(0, pthread_create(&thread, NULL, invoke, caller));
  sleep_ms(300);
  return thread;
}

static void the_last_task_ended(muster *plane, const char *status) {
  json_t *tasks = call(plane, "tasks.list", "{\"per_page\":1}");
  CHECK_TEXT(status, text_at(json_array_get(member(tasks, "items"), 0), "status"));
  json_decref(tasks);
}

static void stopping_lets_requests_end(muster *plane, const char *key) {
  muster_server *server = serve(plane, NULL);
  char *url = url_of(server);
  struct caller caller;
  pthread_t thread = start_invoke(&caller, plane, url, key, "slow:1200");
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  pthread_join(thread, NULL);
  CHECK_INTEGER(200, caller.status);
  the_last_task_ended(plane, "completed");
  muster_free(url);
}

static void stopping_interrupts_what_takes_too_long(muster *plane, const char *key) {
  muster_server *server = serve(plane, "{\"stop_timeout_ms\":300}");
  char *url = url_of(server);
  struct caller caller;
  pthread_t thread = start_invoke(&caller, plane, url, key, "slow:20000");
  double began = seconds_now();
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  CHECK(seconds_now() - began < 5);
  pthread_join(thread, NULL);
  CHECK_INTEGER(503, caller.status);
  the_last_task_ended(plane, "error");
  muster_free(url);
}

static void a_caller_who_leaves_does_not_end_the_run(muster *plane, const char *key) {
  muster_server *server = serve(plane, NULL);
  char *url = url_of(server), target[256];
  char *agent = create_agent(plane, "left", "slow:700");
  snprintf(target, sizeof target, "/v1/agents/%s/invoke", agent);
  int descriptor = try_connect(url);
  ask(descriptor, "POST", target, key, "{\"input\":{\"text\":\"hello\"}}");
  sleep_ms(200);
  close(descriptor);
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  the_last_task_ended(plane, "completed");
  free(agent);
  muster_free(url);
}

static void closing_the_plane_stops_its_servers(const char *folder) {
  char *path = path_in(folder, "closing.db");
  int descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  for (int round = 0; round < 5; round++) {
    muster *plane = open_store(path, "slow:20000");
    char *key = key_of(plane);
    muster_server *first = serve(plane, NULL), *second = serve(plane, NULL);
    char *url = url_of(first), *other = url_of(second);
    struct caller caller;
    pthread_t thread = start_invoke(&caller, plane, url, key, NULL);
    double began = seconds_now();
    CHECK_INTEGER(MUSTER_OK, muster_close(plane));
    CHECK(seconds_now() - began < 5);
    pthread_join(thread, NULL);
    CHECK(caller.status == 503 || caller.status == 0);
    CHECK_INTEGER(-1, try_connect(url));
    CHECK_INTEGER(-1, try_connect(other));
    CHECK_INTEGER(MUSTER_OK, muster_server_stop(first));
    CHECK_INTEGER(MUSTER_E_BAD_HANDLE, muster_server_url(second, NULL, NULL, NULL));
    muster_free(url);
    muster_free(other);
    free(key);
  }
  CHECK_INTEGER(descriptors, entries("/proc/self/fd"));
  CHECK_INTEGER(threads, entries("/proc/self/task"));
  free(path);
}

static void more_than_the_workers_are_told_to_come_again(muster *plane, const char *key) {
  muster_server *server = serve(plane, "{\"workers\":1,\"stop_timeout_ms\":0}");
  char *url = url_of(server), text[4096];
  struct caller caller;
  pthread_t thread = start_invoke(&caller, plane, url, key, "slow:20000");
  int descriptor = try_connect(url);
  ask(descriptor, "GET", "/v1/agents", key, NULL);
  CHECK_INTEGER(503, answer(descriptor, text, sizeof text));
  CHECK(strcasestr(text, "\r\nRetry-After: ") != NULL);
  close(descriptor);
  CHECK_INTEGER(200, status_of(url, "GET", "/health", NULL, NULL));
  muster_server_stop(server);
  pthread_join(thread, NULL);
  muster_free(url);
}

/* ---- callbacks and forks ---- */

struct witness { muster *plane; muster_server *server; int requests, refused; char line[1024]; };

static void log_line(void *user_data, int32_t level, const char *component, const char *message, size_t length) {
  struct witness *witness = user_data;
  (void)level, (void)length;
  if (strcmp(component, "request") != 0) return;
  snprintf(witness->line, sizeof witness->line, "%s", message);
  muster_server *server = NULL;
  witness->refused += muster_server_stop(witness->server) == MUSTER_E_WOULD_DEADLOCK;
  witness->refused += muster_serve(witness->plane, NULL, &server, NULL) == MUSTER_E_WOULD_DEADLOCK;
  __atomic_fetch_add(&witness->requests, 1, __ATOMIC_SEQ_CST);
}

static void each_request_is_a_line_and_a_callback_stops_nothing(const char *folder) {
  struct witness witness = {0};
  muster_host host = MUSTER_HOST_INIT;
  host.user_data = &witness;
  host.log = log_line;
  char *path = path_in(folder, "log.db");
  CHECK_INTEGER(MUSTER_OK, muster_open(path, &host, &witness.plane, NULL));
  char *key = key_of(witness.plane);
  witness.server = serve(witness.plane, NULL);
  char *url = url_of(witness.server);
  CHECK_INTEGER(404, status_of(url, "GET", "/v1/agents/secret-id?page=secret", key, NULL));
  for (int wait = 0; wait < 200 && __atomic_load_n(&witness.requests, __ATOMIC_SEQ_CST) == 0; wait++) sleep_ms(10);
  CHECK_INTEGER(1, witness.requests);
  CHECK_INTEGER(2, witness.refused);
  json_t *line = json_loads(witness.line, 0, NULL);
  CHECK_TEXT("GET", text_at(line, "method"));
  CHECK_TEXT("/v1/agents/{agent_id}", text_at(line, "route"));
  CHECK_INTEGER(404, integer_at(line, "status"));
  CHECK_TEXT("127.0.0.1", text_at(line, "remote"));
  CHECK(strlen(text_at(line, "request_id")) == 36 && strlen(text_at(line, "key")) == 16);
  CHECK(integer_at(line, "duration_us") > 0 && integer_at(line, "bytes_out") > 0);
  CHECK(strstr(witness.line, "secret") == NULL && strstr(witness.line, key) == NULL);
  json_decref(line);
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(witness.server));
  muster_free(url);
  /* An answer that is given again is told like the first. */
  witness.server = serve(witness.plane, "{\"rate_limit\":\"off\"}");
  url = url_of(witness.server);
  json_t *lines[3];
  char ids[3][64];
  for (int round = 0; round < 3; round++) {
    __atomic_store_n(&witness.requests, 0, __ATOMIC_SEQ_CST);
    char head[16] = "";
    int descriptor = try_connect(url);
    ask(descriptor, round == 2 ? "HEAD" : "GET", "/v1/agents", key, NULL);
    CHECK_INTEGER(12, recv(descriptor, head, 12, MSG_WAITALL));
    CHECK_TEXT("HTTP/1.1 200", head);
    close(descriptor);
    for (int wait = 0; wait < 200 && __atomic_load_n(&witness.requests, __ATOMIC_SEQ_CST) == 0; wait++) sleep_ms(10);
    lines[round] = json_loads(witness.line, 0, NULL);
    CHECK_TEXT(round == 2 ? "HEAD" : "GET", text_at(lines[round], "method"));
    CHECK_INTEGER(round == 2, integer_at(lines[round], "bytes_out") == 0);
    CHECK(integer_at(lines[round], "duration_us") > 0);
    snprintf(ids[round], sizeof ids[round], "%s", text_at(lines[round], "request_id"));
    CHECK(strlen(ids[round]) == 36 && (round == 0 || strcmp(ids[0], ids[round]) != 0));
    for (const char *const *name = (const char *const[]){"time", "request_id", "duration_us", "method", NULL}; *name != NULL; name++)
      json_object_del(lines[round], *name);
  }
  CHECK(json_equal(lines[0], lines[1]));
  for (int round = 0; round < 3; round++) {
    json_object_del(lines[round], "bytes_out");
    CHECK(json_equal(lines[0], lines[round]));
  }
  for (int round = 0; round < 3; round++) json_decref(lines[round]);
  CHECK_INTEGER(MUSTER_OK, muster_close(witness.plane));
  muster_free(url);
  free(key);
  free(path);
}

static void a_child_neither_serves_nor_holds_the_sockets(muster *plane) {
  muster_server *server = serve(plane, NULL);
  char *url = url_of(server), text[4096];
  int descriptor = try_connect(url), to_child[2], to_parent[2];
  char begun;
  ask(descriptor, "GET", "/health", NULL, NULL);
  CHECK_INTEGER(200, answer(descriptor, text, sizeof text));
  CHECK_INTEGER(0, pipe(to_child));
  CHECK_INTEGER(0, pipe(to_parent));
  pid_t child = fork();
  if (child == 0) {
    char *own = NULL, byte;
    alarm(20);
    check_failed_count = 0;
    CHECK_INTEGER(MUSTER_E_FORKED, muster_server_url(server, &own, NULL, NULL));
    CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
    close(descriptor);
    close(to_child[1]);
    CHECK_INTEGER(1, write(to_parent[1], "+", 1));
    CHECK_INTEGER(0, read(to_child[0], &byte, 1));
    _exit(check_failed_count == 0 ? 0 : 1);
  }
  close(to_child[0]);
  /* A child closes what it inherits when it begins to run, which may be later than fork returns here. */
  CHECK_INTEGER(1, read(to_parent[0], &begun, 1));
  close(to_parent[0]);
  close(to_parent[1]);
  /* The parent goes on. */
  ask(descriptor, "GET", "/health", NULL, NULL);
  CHECK_INTEGER(200, answer(descriptor, text, sizeof text));
  CHECK_INTEGER(MUSTER_OK, muster_server_stop(server));
  /* The child lives, but the connection ends and the address is free. */
  CHECK_INTEGER(0, recv(descriptor, text, sizeof text, 0));
  CHECK_INTEGER(-1, try_connect(url));
  close(to_child[1]);
  close(descriptor);
  int status = 0;
  CHECK_INTEGER(child, waitpid(child, &status, 0));
  CHECK_INTEGER(0, status);
  muster_free(url);
}

static void *ask_for_ever(void *context) {
  struct caller *caller = context;
  while (!__atomic_load_n(&caller->status, __ATOMIC_SEQ_CST))
    if (status_of(caller->url, "GET", "/v1/agents", caller->key, NULL) == -1) break;
  return NULL;
}

static void forks_under_load_leave_children_that_can_serve(muster *plane, const char *key, const char *folder) {
  muster_server *server = serve(plane, "{\"rate_limit\":\"off\"}");
  char *url = url_of(server), *path = path_in(folder, "forked.db");
  struct caller callers[3];
  pthread_t threads[3];
  for (int index = 0; index < 3; index++) {
    callers[index] = (struct caller){.url = url, .key = key};
    CHECK_INTEGER(0, pthread_create(&threads[index], NULL, ask_for_ever, &callers[index]));
  }
  for (int round = 0; round < 20; round++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      check_failed_count = 0;
      muster *own = open_store(path, "echo");
      muster_server *mine = serve(own, NULL);
      char *address = url_of(mine);
      CHECK_INTEGER(200, status_of(address, "GET", "/health", NULL, NULL));
      CHECK_INTEGER(MUSTER_OK, muster_close(own));
      _exit(check_failed_count == 0 ? 0 : 1);
    }
    int status = 0;
    CHECK_INTEGER(child, waitpid(child, &status, 0));
    CHECK_INTEGER(0, status);
  }
  for (int index = 0; index < 3; index++) {
    __atomic_store_n(&callers[index].status, 1, __ATOMIC_SEQ_CST);
    pthread_join(threads[index], NULL);
  }
  muster_server_stop(server);
  muster_free(url);
  free(path);
}

static void a_process_may_exit_while_it_serves(const char *folder) {
  char *path = path_in(folder, "exit.db");
  for (int round = 0; round < 10; round++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(30);
      muster *plane = open_store(path, "slow:20000");
      char *key = key_of(plane), *url = url_of(serve(plane, "{\"rate_limit\":\"off\"}"));
      struct caller invoker, asker = {.url = url, .key = key};
      pthread_t thread;
      pthread_detach(start_invoke(&invoker, plane, url, key, NULL));
      pthread_create(&thread, NULL, ask_for_ever, &asker);
      pthread_detach(thread);
      sleep_ms(50);
      exit(7);
    }
    int status = 0;
    CHECK_INTEGER(child, waitpid(child, &status, 0));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  free(path);
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  signal(SIGPIPE, SIG_DFL);
  const char *folder = arguments[1];
  char *path = path_in(folder, "agents.db");
  muster *plane = open_store(path, "echo");
  char *key = key_of(plane);
  it_serves_what_muster_http_answers(plane, key);
  wrong_options_are_refused_and_named(plane, folder);
  an_address_is_served_once(plane);
  ipv6_is_served(plane);
  a_unix_socket_belongs_to_its_user(plane, folder);
  stopping_lets_requests_end(plane, key);
  stopping_interrupts_what_takes_too_long(plane, key);
  a_caller_who_leaves_does_not_end_the_run(plane, key);
  more_than_the_workers_are_told_to_come_again(plane, key);
  each_request_is_a_line_and_a_callback_stops_nothing(folder);
  /* valgrind counts as lost in a child what threads held that the child does not have. */
  if (getenv("TEST_WITHOUT_FORKS") == NULL) {
    a_child_neither_serves_nor_holds_the_sockets(plane);
    forks_under_load_leave_children_that_can_serve(plane, key, folder);
  }
  CHECK_INTEGER(MUSTER_OK, muster_close(plane));
  closing_the_plane_stops_its_servers(folder);
  a_process_may_exit_while_it_serves(folder);
  free(key);
  free(path);
  return check_finish("server");
}
