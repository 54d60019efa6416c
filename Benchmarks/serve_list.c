/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_list FOLDER ROUNDS SECONDS - GET /v1/agents, a page of 20, from a server process, against nginx with one worker that sends the same bytes
 * from a file. `wrk -t1 -c64` asks both in turns. Tells what the server has in memory, too.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "serve.h"

enum { AGENTS = 100 };

static const char target[] = "/v1/agents";

/* ---- the processes ---- */

typedef struct server {
  pid_t process;
  int port;
  char key[128];
} server;

/* The child: serves until its standard input ends. */
static void serve_until_end(const char *store, int ready) {
  service own = {0};
  char line[256], byte;
  muster_error *error = NULL;
  need(muster_open(store, NULL, &own.plane, &error), error, "open");
  start_service(&own);
  int length = snprintf(line, sizeof line, "%d %s\n", own.port, own.key);
  if (write(ready, line, (size_t)length) != length) die("server", "nobody reads");
  while (read(STDIN_FILENO, &byte, 1) > 0) {}
  muster_server_stop(own.server);
  muster_close(own.plane);
  exit(0);
}

/* `input`: closing it ends the server. */
static server start_ours(const char *store, int *input) {
  server ours = {0};
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) die("pipe", NULL);
  ours.process = fork();
  if (ours.process == 0) {
    dup2(in[0], STDIN_FILENO);
    close(in[1]);
    serve_until_end(store, out[1]);
  }
  close(in[0]);
  close(out[1]);
  FILE *lines = fdopen(out[0], "r");
  if (lines == NULL || fscanf(lines, "%d %127s", &ours.port, ours.key) != 2) die("server", "it did not start");
  fclose(lines);
  *input = in[1];
  return ours;
}

/* nginx as it serves a file best: kept open, sendfile, no log. */
static server start_nginx(const char *folder) {
  char path[1024];
  server nginx = {.port = free_port()};
  snprintf(path, sizeof path, "%s/nginx.conf", folder);
  FILE *file = fopen(path, "w");
  if (file == NULL) die(path, NULL);
  fprintf(file,
          "daemon off; master_process off; worker_processes 1; pid %s/nginx.pid; error_log stderr crit;\n"
          "events { worker_connections 1024; }\n"
          "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/json;\n"
          "client_body_temp_path %s/body; proxy_temp_path %s/proxy; fastcgi_temp_path %s/fastcgi; uwsgi_temp_path %s/uwsgi;\n"
          "scgi_temp_path %s/scgi; open_file_cache max=16; open_file_cache_valid 1h;\n"
          "server { listen 127.0.0.1:%d; location = /v1/agents { alias %s/page.json; } } }\n",
          folder, folder, folder, folder, folder, folder, nginx.port, folder);
  fclose(file);
  nginx.process = fork();
  if (nginx.process == 0) {
    execlp("nginx", "nginx", "-p", folder, "-e", "stderr", "-c", path, (char *)NULL);
    _exit(127);
  }
  return nginx;
}

/* ---- asking ---- */

static FILE *run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static FILE *run(const char *format, ...) {
  char command[4096];
  va_list values;
  va_start(values, format);
  vsnprintf(command, sizeof command, format, values);
  va_end(values);
  FILE *output = popen(command, "r");
  if (output == NULL) die("popen", command);
  return output;
}

/* Writes an answer's body to a file; false when there was none. */
static bool fetch(const server *server, const char *path) {
  FILE *output = run("curl -sf -o '%s' -H 'x-api-key: %s' 'http://127.0.0.1:%d%s'", path, server->key, server->port, target);
  return pclose(output) == 0;
}

/* Nanoseconds for each request, and of the server's processor time. */
static double ask(const server *server, int connections, int seconds, double *processor) {
  char line[512], problem[512] = "";
  double rate = 0, requests = 0, before = processor_time(server->process);
  FILE *output = run("wrk -t1 -c%d -d%ds -H 'x-api-key: %s' 'http://127.0.0.1:%d%s' 2>&1", connections, seconds, server->key, server->port, target);
  while (fgets(line, sizeof line, output) != NULL) {
    sscanf(line, " Requests/sec: %lf", &rate);
    sscanf(line, " %lf requests in", &requests);
    if (strstr(line, "Non-2xx") != NULL || strstr(line, "Socket errors") != NULL) snprintf(problem, sizeof problem, "%s", line);
  }
  if (pclose(output) != 0 || rate <= 0 || requests <= 0 || problem[0] != 0) die("wrk", problem[0] != 0 ? problem : NULL);
  *processor = (processor_time(server->process) - before) / requests;
  return 1e9 / rate;
}

int main(int count, char **arguments) {
  static figure page, processor, idle, busy;
  char store[1024], path[1024], other[1024];
  muster *plane = NULL;
  muster_error *error = NULL;
  int input;
  if (count != 4) die("serve_list", "FOLDER ROUNDS SECONDS");
  int rounds = atoi(arguments[2]), seconds = atoi(arguments[3]);
  signal(SIGPIPE, SIG_IGN);
  snprintf(store, sizeof store, "%s/serve-list.db", arguments[1]);
  snprintf(path, sizeof path, "%s/page.json", arguments[1]);
  snprintf(other, sizeof other, "%s/page-of-nginx.json", arguments[1]);
  /* Made in a process of its own: the server starts with what it needs for serving alone. */
  pid_t maker = fork();
  if (maker == 0) {
    need(muster_open(store, NULL, &plane, &error), error, "open");
    for (int index = 0; index < AGENTS; index++)
      need(muster_agent_create(plane, agent_body(), NULL, NULL, &error), error, "agents.create");
    muster_close(plane);
    exit(0);
  }
  int status = 0;
  if (waitpid(maker, &status, 0) != maker || status != 0) die("agents", NULL);

  server ours = start_ours(store, &input);
  double at_rest = resident_bytes(ours.process);
  if (!fetch(&ours, path)) die("server", "no page");
  server nginx = start_nginx(arguments[1]);
  snprintf(nginx.key, sizeof nginx.key, "%s", ours.key);
  for (int tries = 0; !fetch(&nginx, other); tries++) {
    if (tries == 100 || waitpid(nginx.process, NULL, WNOHANG) != 0) die("nginx", "it did not start");
    usleep(50000);
  }
  FILE *same = run("cmp '%s' '%s'", path, other);
  if (pclose(same) != 0) die("nginx", "it serves something else");
  add_round(&idle, at_rest, resident_bytes(nginx.process));
  for (int round = -1; round < rounds; round++) {
    double of_ours, of_nginx;
    double taken = ask(&ours, 64, seconds, &of_ours), floor = ask(&nginx, 64, seconds, &of_nginx);
    if (round < 0) continue;
    add_round(&page, taken, floor);
    add_round(&processor, of_ours, of_nginx);
  }
  add_round(&busy, resident_bytes(ours.process), resident_bytes(nginx.process));
  print_figure("GET /v1/agents, 64 connections", &page, 1e3, "us", 1 / 0.7);
  print_figure("processor time for it", &processor, 1e3, "us", 0);
  print_figure("resident memory, idle server", &idle, 1048576, "MiB", 0);
  print_figure("resident memory after that load", &busy, 1048576, "MiB", 0);
  kill(nginx.process, SIGTERM);
  close(input);
  waitpid(nginx.process, NULL, 0);
  if (waitpid(ours.process, &status, 0) != ours.process || status != 0) die("server", "it did not end well");
  return 0;
}
