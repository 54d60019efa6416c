/* SPDX-License-Identifier: Apache-2.0
 *
 * load FOLDER ROUNDS LIBRARY EMPTY - a process that opens the library with dlopen, opens a plane on a small store and lists its agents, against one
 * that opens an empty library which needs the same others. Each measurement is a process of its own.
 */
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

typedef struct measurement {
  double nanoseconds;
  double resident_bytes;
} measurement;

static double resident_bytes(void) {
  long pages = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) die("statm", NULL);
  fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* The child: prints what it measured. */
static int child(const char *library, const char *store) {
  muster_status (*open)(const char *, const muster_host *, muster **, muster_error **);
  muster_status (*list)(muster *, int32_t, int32_t, char **, size_t *, muster_error **);
  void (*release)(void *);
  muster_status (*close)(muster *);
  muster *plane = NULL;
  char *text = NULL;
  double start = now();
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) die(library, dlerror());
  *(void **)&open = dlsym(handle, "muster_open");
  if (open != NULL) {
    *(void **)&list = dlsym(handle, "muster_agents_list");
    *(void **)&release = dlsym(handle, "muster_free");
    *(void **)&close = dlsym(handle, "muster_close");
    if (open(store, NULL, &plane, NULL) != MUSTER_OK || list(plane, 0, 0, &text, NULL, NULL) != MUSTER_OK) die("child", library);
  }
  printf("%.0f %.0f\n", now() - start, resident_bytes());
  if (open != NULL) {
    release(text);
    close(plane);
  }
  return 0;
}

static measurement run_child(const char *program, const char *library, const char *store) {
  measurement found = {0, 0};
  char command[4096];
  snprintf(command, sizeof command, "'%s' child '%s' '%s'", program, library, store);
  FILE *output = popen(command, "r");
  if (output == NULL || fscanf(output, "%lf %lf", &found.nanoseconds, &found.resident_bytes) != 2) die("child", command);
  if (pclose(output) != 0) die("child", command);
  return found;
}

int main(int count, char **arguments) {
  static figure time, memory;
  char store[1024];
  if (count == 4 && strcmp(arguments[1], "child") == 0) return child(arguments[2], arguments[3]);
  if (count != 5) die("load", "FOLDER ROUNDS LIBRARY EMPTY");
  int rounds = atoi(arguments[2]);
  snprintf(store, sizeof store, "%s/load.db", arguments[1]);
  for (int round = -1; round < rounds; round++) {
    measurement ours = run_child(arguments[0], arguments[3], store), floor = run_child(arguments[0], arguments[4], store);
    if (round < 0) continue; /* the first one makes the store */
    add_round(&time, ours.nanoseconds, floor.nanoseconds);
    add_round(&memory, ours.resident_bytes, floor.resident_bytes);
  }
  print_figure("dlopen, open, first call", &time, 1e6, "ms", 0);
  print_figure("resident memory after it", &memory, 1048576, "MiB", 0);
  return 0;
}
