// The program that runs schedules: several of it, and each the same as the others.
#define _GNU_SOURCE
#include "CSimulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

void simulate_settle(char **arguments) {
  const char *hashing = "SWIFT_DETERMINISTIC_HASHING";
  if (getenv(hashing)) return;
  setenv(hashing, "1", 1);
  execv("/proc/self/exe", arguments);
  perror("MusterSimulate");
  exit(2);
}

int64_t *simulate_share(int count) {
  void *shared = mmap(NULL, (size_t)count * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) abort();
  return shared;
}

int simulate_fork(void) {
  fflush(stdout);
  int child = fork();
  if (child < 0) abort();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What children tell must not run into each other.
  setvbuf(stdout, NULL, _IOLBF, 0);
  return child;
}

void simulate_live_on(int seconds) {
  // Of its own: the machine around it may stand still.
  struct itimerval time = {.it_value = {.tv_sec = seconds}};
  setitimer(ITIMER_PROF, &time, NULL);
}

int simulate_await(int *ending) {
  int status = 0;
  int child = waitpid(-1, &status, 0);
  *ending = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) == 0 ? 0 : -1;
  return child;
}

void simulate_exit(int status) {
  fflush(stdout);
  _exit(status);
}
