/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_ready FOLDER ROUNDS SERVER EMPTY - from starting a process until it answers GET /health with 200: SERVER STORE PORT opens a plane on a store
 * that is there and serves it, EMPTY PORT is the least that libmicrohttpd needs to answer. Every measurement is a process of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "serve.h"

extern char **environ;

/* One try; false when nobody listens yet. */
static bool is_healthy(int port) {
  static const char request[] = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  char answer[1024];
  int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
    if (errno != ECONNREFUSED) die("connect", strerror(errno));
    close(connection);
    return false;
  }
  if (write(connection, request, sizeof request - 1) != (ssize_t)sizeof request - 1) die("health", "not sent");
  ssize_t got = read(connection, answer, sizeof answer - 1);
  if (got < 13 || strncmp(answer, "HTTP/1.1 200 ", 13) != 0) die("health", "no 200");
  close(connection);
  return true;
}

/* Nanoseconds until the program answers. */
static double start_and_wait(const char *program, const char *store, double *resident) {
  char port_text[16];
  int port = free_port(), status = 0;
  pid_t process;
  snprintf(port_text, sizeof port_text, "%d", port);
  char *with_store[] = {(char *)program, (char *)store, port_text, NULL};
  char *without[] = {(char *)program, port_text, NULL};
  double start = now();
  if (posix_spawn(&process, program, NULL, NULL, store != NULL ? with_store : without, environ) != 0) die(program, "it does not start");
  while (!is_healthy(port)) {
    usleep(100);
    if (waitpid(process, &status, WNOHANG) != 0 || now() - start > 30e9) die(program, "it does not answer");
  }
  double taken = now() - start;
  *resident = resident_bytes(process);
  kill(process, SIGTERM);
  waitpid(process, &status, 0);
  return taken;
}

int main(int count, char **arguments) {
  static figure ready, resident;
  char store[1024];
  if (count != 5) die("serve_ready", "FOLDER ROUNDS SERVER EMPTY");
  int rounds = atoi(arguments[2]);
  snprintf(store, sizeof store, "%s/serve-ready.db", arguments[1]);
  for (int round = -1; round < rounds; round++) {
    double of_ours, of_empty;
    double ours = start_and_wait(arguments[3], store, &of_ours), empty = start_and_wait(arguments[4], NULL, &of_empty);
    if (round < 0) continue; /* the first one makes the store */
    add_round(&ready, ours, empty);
    add_round(&resident, of_ours, of_empty);
  }
  print_figure("ready to serve", &ready, 1e6, "ms", 2);
  print_figure("resident memory when ready", &resident, 1048576, "MiB", 0);
  return 0;
}
