/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - counts checks. A failed check prints its place and goes on; check_finish() gives the exit code of the
 * program.
 */
#ifndef MUSTER_CHECK_H
#define MUSTER_CHECK_H

#include <stdio.h>
#include <string.h>

/* Checks may run on several threads, so the counters are changed atomically. */
static int check_passed_count, check_failed_count;

static inline int check_note(int good, const char *file, int line, const char *what) {
  if (good) {
    __atomic_fetch_add(&check_passed_count, 1, __ATOMIC_RELAXED);
  } else {
    __atomic_fetch_add(&check_failed_count, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
  }
  return good;
}

static inline int check_integer(long long wanted, long long given, const char *file, int line, const char *what) {
  char text[512];
  snprintf(text, sizeof text, "%s: wanted %lld, got %lld", what, wanted, given);
  return check_note(wanted == given, file, line, text);
}

static inline int check_text(const char *wanted, const char *given, const char *file, int line, const char *what) {
  char text[1024];
  snprintf(text, sizeof text, "%s: wanted \"%s\", got \"%s\"", what, wanted, given != NULL ? given : "(null)");
  return check_note(given != NULL && strcmp(wanted, given) == 0, file, line, text);
}

static inline int check_finish(const char *name) {
  printf("%-16s %d passed, %d failed\n", name, check_passed_count, check_failed_count);
  return check_failed_count == 0 ? 0 : 1;
}

/* Each gives whether the check passed, for tests that cannot go on without it. */
#define CHECK(condition) check_note(!!(condition), __FILE__, __LINE__, #condition)
#define CHECK_INTEGER(wanted, given) check_integer((long long)(wanted), (long long)(given), __FILE__, __LINE__, #given)
#define CHECK_TEXT(wanted, given) check_text(wanted, given, __FILE__, __LINE__, #given)

#endif
