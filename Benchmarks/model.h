/* SPDX-License-Identifier: Apache-2.0
 *
 * model.h - a model on the loopback that always answers the same: start_model() gives its port. It calls the first tool that a request offers, once,
 * with two numbers.
 */
#ifndef MUSTER_BENCH_MODEL_H
#define MUSTER_BENCH_MODEL_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static const char model_answer[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"fixed\",\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":\"Hello from the model.\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,"
    "\"completion_tokens\":5,\"total_tokens\":17}}";

static const char model_call[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"fixed\",\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"%.64s\","
    "\"arguments\":\"{\\\"a\\\": 19, \\\"b\\\": 23}\"}}]},\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":12,"
    "\"completion_tokens\":5,\"total_tokens\":17}}";

/* The longest request, its head included. */
enum { MODEL_MOST = 1 << 18 };

/* The bodies of the last two requests, for who asks one after the other. */
static char model_asked[2][MODEL_MOST];

/* Writes the answer to a request into `reply`, and gives its length. */
static int write_reply(char *reply, size_t size, const char *body, size_t body_length) {
  static const char offered[] = "\"function\":{\"name\":\"", role[] = "\"role\":\"";
  char text[1024];
  const char *tool = memmem(body, body_length, offered, sizeof offered - 1), *last = body, *next;
  // Earlier turns have results of tools, too: what counts is who has spoken last.
  while ((next = memmem(last, (size_t)(body + body_length - last), role, sizeof role - 1)) != NULL) last = next + sizeof role - 1;
  bool is_second = strncmp(last, "tool\"", 5) == 0;
  if (tool == NULL || is_second) {
    memcpy(text, model_answer, sizeof model_answer);
  } else {
    char name[65];
    tool += sizeof offered - 1;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(tool, "\""), tool);
    snprintf(text, sizeof text, model_call, name);
  }
  memcpy(model_asked[is_second], body, body_length);
  model_asked[is_second][body_length] = 0;
  return snprintf(reply, size, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
}

/* One connection: a thread of its own. */
static void *answer_for_ever(void *argument) {
  int connection = (int)(intptr_t)argument;
  char request[MODEL_MOST], reply[2048];
  size_t have = 0;
  for (;;) {
    char *end;
    request[have] = 0;
    while ((end = strstr(request, "\r\n\r\n")) == NULL) {
      ssize_t got = have < sizeof request - 1 ? read(connection, request + have, sizeof request - 1 - have) : 0;
      if (got <= 0) goto closed;
      have += (size_t)got;
      request[have] = 0;
    }
    const char *field = strcasestr(request, "\r\ncontent-length:");
    size_t wanted = (size_t)(end - request) + 4 + (field != NULL && field < end ? strtoul(field + 17, NULL, 10) : 0);
    if (wanted >= sizeof request) break;
    while (have < wanted) {
      ssize_t got = read(connection, request + have, sizeof request - 1 - have);
      if (got <= 0) goto closed;
      have += (size_t)got;
    }
    const char *body = end + 4;
    int length = write_reply(reply, sizeof reply, body, (size_t)(request + wanted - body));
    memmove(request, request + wanted, have - wanted);
    have -= wanted;
    if (write(connection, reply, (size_t)length) != length) break;
  }
closed:
  close(connection);
  return NULL;
}

static void *listen_for_ever(void *argument) {
  int listener = (int)(intptr_t)argument;
  for (;;) {
    pthread_t thread;
    int connection = accept(listener, NULL, NULL), yes = 1;
    if (connection < 0) continue;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (pthread_create(&thread, NULL, answer_for_ever, (void *)(intptr_t)connection) == 0) pthread_detach(thread);
  }
  return NULL;
}

static int start_model(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pthread_t thread;
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0) die("server", "cannot listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  if (pthread_create(&thread, NULL, listen_for_ever, (void *)(intptr_t)listener) != 0) die("server", "no thread");
  pthread_detach(thread);
  return ntohs(address.sin_port);
}

#endif
