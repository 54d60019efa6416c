/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_ready_ours STORE PORT - opens a plane and serves it until it is killed.
 */
#include <unistd.h>

#include "bench.h"

int main(int count, char **arguments) {
  char options[64];
  muster *plane = NULL;
  muster_server *server = NULL;
  muster_error *error = NULL;
  if (count != 3) die("serve_ready_ours", "STORE PORT");
  snprintf(options, sizeof options, "{\"listen\":\"127.0.0.1:%s\"}", arguments[2]);
  need(muster_open(arguments[1], NULL, &plane, &error), error, "open");
  need(muster_serve(plane, options, &server, &error), error, "serve");
  for (;;) pause();
}
