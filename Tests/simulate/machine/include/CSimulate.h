// A machine of one thread on which the library runs as it is: its threads are fibers, its clock goes on when nobody has anything to do,
// its disk is memory, and whatever could be otherwise is decided by one number. The linker puts the functions of this folder in the
// place of those of CPlatform (`--wrap`, see Package.swift), so that nothing of it is in the library.
#ifndef CSIMULATE_H
#define CSIMULATE_H

#include <stdbool.h>
#include <stdint.h>

// ---- a schedule ----

typedef struct simulate_manner {
  uint64_t seed;
  /// Of 65,536: how often a fiber is left at a lock, where it could go on; how often one wakes up that waits for nothing; how often the
  /// clock goes on although somebody has something to do.
  uint32_t preemption, spuriousness, haste;
  /// Whether every step is told on standard output.
  bool is_told;
} simulate_manner;

/// Begins a schedule: no fibers, an empty disk, a clock that stands at the same moment every time.
void simulate_begin(simulate_manner manner);
/// Ends it: fibers that are left are dropped.
void simulate_end(void);

/// From now on the clock goes on only when nobody has anything to do.
void simulate_calm(void);

typedef enum simulate_step_outcome {
  simulate_stepped,
  /// Every fiber has ended.
  simulate_over,
  /// Every fiber waits for another one, for ever.
  simulate_stuck,
  /// The disk has come to the write at which the process dies, or the power goes.
  simulate_died,
} simulate_step_outcome;

/// Lets one of those fibers go on that can, up to the next place where another one could.
simulate_step_outcome simulate_step(void);
/// The process of the fiber that went on last.
int simulate_last_process(void);
int64_t simulate_steps(void);
/// A number that says which steps there were so far.
uint64_t simulate_digest(void);
int64_t simulate_now_nanoseconds(void);
/// Writes on standard output what every fiber waits for.
void simulate_tell_fibers(void);
/// Tells a line, if the schedule is told.
void simulate_tell(const char *_Nonnull line);
bool simulate_is_told(void);

// ---- fibers ----

/// Starts a fiber of a process; 0 is the world around them.
void simulate_spawn(const char *_Nonnull name, int process, void (*_Nonnull body)(void *_Nullable), void *_Nullable argument);
/// Waits; other fibers go on.
void simulate_sleep(int64_t nanoseconds);
/// Lets others go on, if the dice say so.
void simulate_pause(void);
/// A fiber's place to wait at, which `simulate_wake` ends; a wake before it is not lost. False when the time was over.
bool simulate_wait(int *_Nonnull place, int64_t nanoseconds);
void simulate_wake(int *_Nonnull place);
/// The process of the running fiber.
int simulate_process(void);
/// Ends a process in the middle of whatever its fibers do: they never go on. `has_power`: what was written is there afterwards; else
/// what was not synced may be gone.
void simulate_kill(int process, bool has_power);
/// How many fibers of a process there are.
int simulate_fibers(int process);

// ---- the disk ----

/// Makes the disk the one that SQLite uses. Once.
void simulate_disk_install(void);
/// Keeps what the disk has as that with which every schedule begins.
void simulate_disk_keep(void);
/// How often anything was written or synced in this schedule.
int64_t simulate_disk_writes(void);

typedef enum simulate_fault {
  simulate_no_fault,
  /// The process dies.
  simulate_dies,
  /// The disk is full.
  simulate_full,
  /// It cannot be written.
  simulate_unwritable,
  /// It cannot be synced.
  simulate_unsyncable,
} simulate_fault;
/// Has the disk fail from its write number `at` on, `count` times.
void simulate_disk_fail(simulate_fault fault, int64_t at, int64_t count);
/// How often it has failed.
int64_t simulate_disk_failures(void);

// ---- the program ----

/// Begins the program anew if it was not begun so that its hash tables are the same every time.
void simulate_settle(char *_Nullable *_Nonnull arguments);
/// Numbers that the program and its children share; zeros.
int64_t *_Nonnull simulate_share(int count);
/// Starts a child; 0 in the child.
int simulate_fork(void);
/// Ends the program by a signal, SIGPROF, unless it is called again before that took so many seconds of the processor.
void simulate_live_on(int seconds);
/// Waits for a child; gives its number. `ending`: 0 when it ended by itself, else the number of the signal that ended it, or -1.
int simulate_await(int *_Nonnull ending);
void simulate_exit(int status);

#endif
