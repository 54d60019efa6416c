/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_invoke FOLDER ROUNDS COUNT - POST /v1/agents/ID/invoke over 1, 32 and 256 kept connections, against muster_agent_invoke() from as many
 * threads of the same process, on the same plane; the model is a loopback server with a fixed answer. COUNT invokes a round.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>

#include "model.h"
#include "serve.h"

enum { MOST = 256 };

static const char body[] = "{\"input\":{\"text\":\"What is the capital of France?\"}}";
static service own;
static char agent[64];

/* ---- the floor: threads that call ---- */

static long each;

static void *call(void *unused) {
  (void)unused;
  for (long index = 0; index < each; index++) {
    char *text = NULL;
    muster_error *error = NULL;
    need(muster_agent_invoke(own.plane, agent, NULL, body, -1, &text, NULL, &error), error, "agents.invoke");
    if (strstr(text, "\"status\":\"completed\"") == NULL) die("agents.invoke", text);
    muster_free(text);
  }
  return NULL;
}

static void call_all(int width) {
  pthread_t threads[MOST];
  for (int index = 0; index < width; index++)
    if (pthread_create(&threads[index], NULL, call, NULL) != 0) die("floor", "no thread");
  for (int index = 0; index < width; index++) pthread_join(threads[index], NULL);
}

/* ---- ours: one thread with as many connections ---- */

typedef struct connection {
  int descriptor;
  long left;
  size_t have;
  char answer[65536];
} connection;

static connection connections[MOST];
static char request[4096];
static size_t request_length;

static void ask(connection *connection) {
  if (write(connection->descriptor, request, request_length) != (ssize_t)request_length) die("request", "not sent");
  connection->left--;
  connection->have = 0;
}

/* Reads what has come; true when that is the whole answer. */
static bool is_answered(connection *connection) {
  ssize_t got = read(connection->descriptor, connection->answer + connection->have, sizeof connection->answer - 1 - connection->have);
  if (got <= 0) die("answer", "the connection was closed");
  connection->have += (size_t)got;
  connection->answer[connection->have] = 0;
  const char *end = strstr(connection->answer, "\r\n\r\n");
  if (end == NULL) return false;
  const char *field = strcasestr(connection->answer, "\r\ncontent-length:");
  if (field == NULL || field > end) die("answer", "without a length");
  if (connection->have < (size_t)(end - connection->answer) + 4 + strtoul(field + 17, NULL, 10)) return false;
  if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0 || strstr(end, "\"status\":\"completed\"") == NULL)
    die("answer", connection->answer);
  return true;
}

static void connect_all(int width) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)own.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int yes = 1;
  for (int index = 0; index < width; index++) {
    connections[index].descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connections[index].descriptor, (struct sockaddr *)&address, sizeof address) != 0) die("connect", NULL);
    setsockopt(connections[index].descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
}

static void ask_all(int width) {
  struct epoll_event events[MOST];
  int poll = epoll_create1(EPOLL_CLOEXEC), open = width;
  for (int index = 0; index < width; index++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[index]};
    epoll_ctl(poll, EPOLL_CTL_ADD, connections[index].descriptor, &event);
    connections[index].left = each;
    ask(&connections[index]);
  }
  while (open > 0) {
    int count = epoll_wait(poll, events, MOST, -1);
    for (int index = 0; index < count; index++) {
      connection *connection = events[index].data.ptr;
      if (!is_answered(connection)) continue;
      if (connection->left > 0) {
        ask(connection);
      } else {
        open--;
      }
    }
  }
  close(poll);
}

static void measure(int width, int rounds, long total) {
  static figure figures[3];
  char name[64];
  figure *figure = &figures[width == 1 ? 0 : width == 32 ? 1 : 2];
  each = (total + width - 1) / width;
  connect_all(width);
  for (int round = -1; round < rounds; round++) { /* round -1 warms up */
    double start = now();
    ask_all(width);
    double middle = now();
    call_all(width);
    if (round >= 0) add_round(figure, (middle - start) / (double)(each * width), (now() - middle) / (double)(each * width));
  }
  for (int index = 0; index < width; index++) close(connections[index].descriptor);
  snprintf(name, sizeof name, "invoke over REST, %d connection%s", width, width == 1 ? "" : "s");
  print_figure(name, figure, 1e3, "us", 1 / 0.6);
}

int main(int count, char **arguments) {
  char config[2048];
  char *text = NULL;
  muster_error *error = NULL;
  if (count != 4) die("serve_invoke", "FOLDER ROUNDS COUNT");
  snprintf(config, sizeof config,
           "{\"store\":\"%s/serve-invoke.db\",\"default_model\":{\"provider\":\"openai_compatible\",\"name\":\"fixed\","
           "\"api_base\":\"http://127.0.0.1:%d/v1\"}}",
           arguments[1], start_model());
  need(muster_open(config, NULL, &own.plane, &error), error, "open");
  need(muster_agent_create(own.plane, agent_body(), &text, NULL, &error), error, "agents.create");
  take_member(text, "id", agent, sizeof agent);
  start_service(&own);
  request_length = (size_t)snprintf(request, sizeof request,
                                    "POST /v1/agents/%s/invoke HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: %s\r\n"
                                    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                    agent, own.key, sizeof body - 1, body);
  measure(1, atoi(arguments[2]), atol(arguments[3]));
  measure(32, atoi(arguments[2]), atol(arguments[3]));
  measure(MOST, atoi(arguments[2]), atol(arguments[3]));
  muster_server_stop(own.server);
  muster_close(own.plane);
  return 0;
}
