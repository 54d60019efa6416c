/* SPDX-License-Identifier: Apache-2.0
 *
 * floor.h - the C half of `turns`: the floors, and the table.
 */
#ifndef MUSTER_BENCH_FLOOR_H
#define MUSTER_BENCH_FLOOR_H

/* Nanoseconds of the monotonic clock. */
double bench_now(void);
/* Ends the program. */
void bench_die(const char *what) __attribute__((noreturn));
/* Takes down a round of the figure with a number below 8. */
void bench_round(int figure, double ours, double floor);
/* Prints a figure, see bench.h. */
void bench_print(int figure, const char *name, double divisor, const char *unit, double bound);

/* Opens the store of the floor of turns. */
void floor_open(const char *path);
/* Nanoseconds for each turn, when `threads` threads, at most 64, make `each` of them with `commits` durable commits: 2 or 4. */
double floor_turns(int threads, long each, int commits);

/* Nanoseconds for reading the journals of all tasks of a store of ours, task by task, with jansson; `records` receives how many there are. */
double floor_read(const char *path, long *records);

/* Runs `body` on `threads` threads, at most 64, each with its number, and gives the nanoseconds for it. */
double bench_threads(int threads, void (*body)(int number, void *context), void *context);

#endif
