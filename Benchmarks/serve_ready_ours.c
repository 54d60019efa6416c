/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_ready_ours STORE PORT - opens a plane and serves it until SIGTERM comes. It closes the store then, so that the next one starts without a log to recover.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "bench.h"

int main(int count, char **arguments) {
  char options[64];
  muster *plane = NULL;
  muster_server *server = NULL;
  muster_error *error = NULL;
  sigset_t end;
  int signal;
  if (count != 3) die("serve_ready_ours", "STORE PORT");
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, NULL);
  snprintf(options, sizeof options, "{\"listen\":\"127.0.0.1:%s\"}", arguments[2]);
  need(muster_open(arguments[1], NULL, &plane, &error), error, "open");
  need(muster_serve(plane, options, &server, &error), error, "serve");
  sigwait(&end, &signal);
  muster_server_stop(server);
  muster_close(plane);
  return 0;
}
