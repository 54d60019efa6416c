/* SPDX-License-Identifier: Apache-2.0
 *
 * child.h - what the tests that fork share.
 */
#ifndef MUSTER_TEST_CHILD_H
#define MUSTER_TEST_CHILD_H

#include <sys/wait.h>
#include <unistd.h>

#include "plane.h"

/* Waits for a child: how it ended, 1000 and the signal if one ended it. */
static inline int exit_code(pid_t child) {
  int status = 0;
  CHECK_INTEGER(child, waitpid(child, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* What a child begins with: a limit for its life, and checks of its own. */
static inline void begin_child(unsigned seconds) {
  alarm(seconds);
  check_failed_count = 0;
}

static inline void end_child(void) { _exit(check_failed_count == 0 ? 0 : 1); }

#endif
