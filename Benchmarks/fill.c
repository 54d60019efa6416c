/* SPDX-License-Identifier: Apache-2.0
 *
 * fill STORE COUNT - makes a store with COUNT agents of about 4 KB, through the interface, from 64 threads.
 */
#include "bench.h"

enum { THREADS = 64 };

static muster *plane;
static long each;

static void *create(void *unused) {
  (void)unused;
  for (long index = 0; index < each; index++) {
    muster_error *error = NULL;
    need(muster_agent_create(plane, agent_body(), NULL, NULL, &error), error, "agents.create");
  }
  return NULL;
}

int main(int count, char **arguments) {
  pthread_t threads[THREADS];
  muster_error *error = NULL;
  if (count != 3) die("fill", "STORE COUNT");
  each = (atol(arguments[2]) + THREADS - 1) / THREADS;
  need(muster_open(arguments[1], NULL, &plane, &error), error, "open");
  double start = now();
  for (int index = 0; index < THREADS; index++) {
    if (pthread_create(&threads[index], NULL, create, NULL) != 0) die("fill", "no thread");
  }
  for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
  double took = now() - start;
  fprintf(stderr, "made %ld agents from %d threads in %.1f s\n", each * THREADS, THREADS, took / 1e9);
  muster_close(plane);
  return 0;
}
