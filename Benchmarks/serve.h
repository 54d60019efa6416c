/* SPDX-License-Identifier: Apache-2.0
 *
 * serve.h - what the benchmarks of the REST service share: a plane with agents, a key and a server, a free port, and what /proc tells of a process.
 */
#ifndef MUSTER_BENCH_SERVE_H
#define MUSTER_BENCH_SERVE_H

#include <arpa/inet.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

typedef struct service {
  muster *plane;
  muster_server *server;
  int port;
  char key[128];
} service;

/* The text of a member of an answer, which is freed. */
static inline void take_member(char *text, const char *name, char *value, size_t size) {
  json_t *answer = json_loads(text, 0, NULL);
  const char *found = json_string_value(json_object_get(answer, name));
  if (found == NULL) die(name, text);
  snprintf(value, size, "%s", found);
  json_decref(answer);
  muster_free(text);
}

/* A port of this machine that nobody listens on. */
static inline int free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(probe, (struct sockaddr *)&address, size) != 0) die("port", NULL);
  getsockname(probe, (struct sockaddr *)&address, &size);
  close(probe);
  return ntohs(address.sin_port);
}

/* Makes a key, and listens without rate limits. */
static inline void start_service(service *service) {
  muster_error *error = NULL;
  char *text = NULL;
  need(muster_call(service->plane, "keys.create", "{\"body\":{\"name\":\"benchmark\"}}", 0, &text, NULL, &error), error, "keys.create");
  take_member(text, "key", service->key, sizeof service->key);
  need(muster_serve(service->plane, "{\"rate_limit\":\"off\"}", &service->server, &error), error, "serve");
  need(muster_server_url(service->server, &text, NULL, &error), error, "url");
  service->port = atoi(strrchr(text, ':') + 1);
  muster_free(text);
}

/* What a process has in memory. */
static inline double resident_bytes(pid_t process) {
  char path[64];
  long pages = 0, resident = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", (int)process);
  FILE *file = fopen(path, "r");
  if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) die("statm", NULL);
  fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* The processor time that a process has used, in nanoseconds; the kernel counts in hundredths of a second. */
static inline double processor_time(pid_t process) {
  char path[64], line[2048];
  unsigned long user = 0, system = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
  FILE *file = fopen(path, "r");
  if (file == NULL || fgets(line, sizeof line, file) == NULL) die("stat", NULL);
  fclose(file);
  if (sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) die("stat", line);
  return (double)(user + system) * 1e9 / (double)sysconf(_SC_CLK_TCK);
}

#endif
