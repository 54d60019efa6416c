/* SPDX-License-Identifier: Apache-2.0
 *
 * bench.h - what the benchmarks share: time, ratios, agents of a known size, a plain SQLite connection.
 *
 * Each program measures us and a floor in turns, so that whatever else the machine does meets both, and prints one line a figure:
 *   NAME | UNIT | median of ours | median of the floor | least, median and greatest ratio of a round | bound (0: none)
 */
#ifndef MUSTER_BENCH_H
#define MUSTER_BENCH_H

#include <muster.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAXIMUM_ROUNDS = 200 };

/* The rounds of one figure, in nanoseconds. */
typedef struct figure {
  double ours[MAXIMUM_ROUNDS];
  double floor[MAXIMUM_ROUNDS];
  int rounds;
} figure;

static inline double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static inline void die(const char *what, const char *why) {
  fprintf(stderr, "benchmark: %s: %s\n", what, why != NULL ? why : "failed");
  exit(2);
}

/* Ends the program when a call failed. */
static inline void need(muster_status status, muster_error *error, const char *what) {
  if (status != MUSTER_OK) die(what, error != NULL ? muster_error_message(error) : muster_status_name(status));
}

static inline void add_round(figure *figure, double ours, double floor) {
  if (figure->rounds < MAXIMUM_ROUNDS) {
    figure->ours[figure->rounds] = ours;
    figure->floor[figure->rounds++] = floor;
  }
}

static inline int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static inline double median(const double *values, int count) {
  double sorted[MAXIMUM_ROUNDS];
  memcpy(sorted, values, sizeof(double) * (size_t)count);
  qsort(sorted, (size_t)count, sizeof(double), compare_doubles);
  return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Prints a figure. `divisor` turns nanoseconds into `unit`; a bound of 0 is for orientation. */
static inline void print_figure(const char *name, const figure *figure, double divisor, const char *unit, double bound) {
  double ratios[MAXIMUM_ROUNDS], least = 1e300, greatest = 0;
  if (figure->rounds == 0) die(name, "no rounds");
  for (int index = 0; index < figure->rounds; index++) {
    ratios[index] = figure->ours[index] / figure->floor[index];
    if (ratios[index] < least) least = ratios[index];
    if (ratios[index] > greatest) greatest = ratios[index];
  }
  printf("%s|%s|%.4g|%.4g|%.2f|%.2f|%.2f|%.2f\n", name, unit, median(figure->ours, figure->rounds) / divisor,
         median(figure->floor, figure->rounds) / divisor, least, median(ratios, figure->rounds), greatest, bound);
  fflush(stdout);
}

/* The body of an agent whose stored document has about 4 KB. */
static inline const char *agent_body(void) {
  static char body[2048];
  if (body[0] == 0) {
    size_t length = (size_t)sprintf(body, "{\"name\":\"Agent of the benchmark\",\"instructions\":{\"general\":\"");
    while (length < 1500) length += (size_t)sprintf(body + length, "Answer what is asked, in short sentences. ");
    sprintf(body + length, "\"}}");
  }
  return body;
}

/* ---- SQLite, as a careful C program uses it ---- */

static inline void sql_check(sqlite3 *database, int code) {
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) die("sqlite", sqlite3_errmsg(database));
}

static inline void sql_run(sqlite3 *database, const char *sql) {
  sql_check(database, sqlite3_exec(database, sql, NULL, NULL, NULL));
}

static inline sqlite3 *sql_open(const char *path, int flags) {
  sqlite3 *database = NULL;
  int code = sqlite3_open_v2(path, &database, flags | SQLITE_OPEN_NOMUTEX, NULL);
  if (code != SQLITE_OK) die(path, database != NULL ? sqlite3_errmsg(database) : NULL);
  sqlite3_busy_timeout(database, 10000);
  return database;
}

static inline sqlite3_stmt *sql_prepare(sqlite3 *database, const char *sql) {
  sqlite3_stmt *statement = NULL;
  sql_check(database, sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
  return statement;
}

/* Runs a statement that gives no rows. */
static inline void sql_step(sqlite3 *database, sqlite3_stmt *statement) {
  int code = sqlite3_step(statement);
  sql_check(database, code);
  sqlite3_reset(statement);
}

#endif
