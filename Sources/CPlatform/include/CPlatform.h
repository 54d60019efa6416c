// What the rooms need of the C library and cannot import as it is: variadic functions, macros, and structures whose layout is the
// platform's business. Everything here is a thin wrapper; policy lives in Swift.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// ---- locks: one allocation each, so that their address never moves ----
typedef struct platform_mutex platform_mutex;
typedef struct platform_condition platform_condition;

platform_mutex *_Nullable platform_mutex_new(void);
void platform_mutex_free(platform_mutex *_Nonnull mutex);
void platform_mutex_lock(platform_mutex *_Nonnull mutex);
/// False when somebody holds it.
void platform_mutex_unlock(platform_mutex *_Nonnull mutex);

platform_condition *_Nullable platform_condition_new(void);
void platform_condition_free(platform_condition *_Nonnull condition);
void platform_condition_signal(platform_condition *_Nonnull condition);
void platform_condition_broadcast(platform_condition *_Nonnull condition);
/// Waits until signalled or until the monotonic clock reads `deadline` nanoseconds; negative: no deadline. False: timed out.
bool platform_condition_wait(platform_condition *_Nonnull condition, platform_mutex *_Nonnull mutex, int64_t deadline);

// ---- forks ----
// Code that takes locks of other libraries (SQLite, OpenSSL) runs inside: fork() waits until no thread of this process is inside, and
// keeps others out until it is over. So a child, in which only the forking thread lives, finds those locks free.

/// Enters; may be nested. Inside, a thread must not wait for one that is about to enter: take locks before.
void platform_inside_enter(void);
void platform_inside_leave(void);
/// Steps out however deep this thread is inside, for a long wait; gives what `platform_inside_resume` needs to go back in.
int platform_inside_suspend(void);
void platform_inside_resume(int depth);

/// Registers handlers for fork(), once; later calls do nothing. `prepare` runs with nobody inside and the kept mutexes held, `parent` and
/// `child` afterwards on their sides, before anybody can enter. 0, or an error number.
int platform_fork_watch(void (*_Nonnull prepare)(void), void (*_Nonnull parent)(void), void (*_Nonnull child)(void));
/// Lets fork() take the mutex, so that a child finds it free and what it guards whole. The mutex lives for ever, and nobody enters while
/// holding it. False when too many are kept.
bool platform_fork_keep(platform_mutex *_Nonnull mutex);
/// Descriptors that a forked child closes before anything else, once forks are watched: sockets that are served by this
/// process alone. To be removed before they are closed.
void platform_fork_close_add(int descriptor);
void platform_fork_close_remove(int descriptor);
/// How often this process is a forked child of one that watched: what was made under another number belongs to the parent.
uint32_t platform_fork_generation(void);

// ---- threads ----
/// Starts a detached thread of ours: all signals blocked, 512 KiB stack, named. 0, or an error number.
int platform_thread_start(const char *_Nonnull name, void (*_Nonnull body)(void *_Nullable), void *_Nullable argument);

/// The same, but not detached: `platform_thread_join` is called once with the number.
int platform_thread_start_joined(const char *_Nonnull name, void (*_Nonnull body)(void *_Nullable), void *_Nullable argument,
                                 uint64_t *_Nonnull thread);
/// Waits until the thread has ended.
void platform_thread_join(uint64_t thread);
/// Instead of joining it: nobody will.
void platform_thread_detach(uint64_t thread);
/// Whether this is the calling thread.
bool platform_thread_is_current(uint64_t thread);

/// How many callbacks of the host this thread is inside of.
int platform_callback_depth(void);
void platform_callback_enter(void);
void platform_callback_leave(void);

/// What this thread is inside of, as it was set; NULL at first.
void *_Nullable platform_thread_frame(void);
void platform_thread_frame_set(void *_Nullable frame);

// ---- a descriptor that is readable while something waits ----
/// Close-on-exec; a forked child closes it before anything else. Negative: minus an error number.
int platform_signal_new(void);
void platform_signal_set(int descriptor);
void platform_signal_clear(int descriptor);
void platform_signal_close(int descriptor);

// ---- clock, randomness, environment ----
int64_t platform_clock_monotonic_nanoseconds(void);
int64_t platform_clock_realtime_microseconds(void);
/// Fills `bytes`; false when the kernel has no randomness to give.
bool platform_random_bytes(void *_Nonnull bytes, size_t count);
const char *_Nullable platform_environment(const char *_Nonnull name);
int32_t platform_process_id(void);

// ---- files ----
/// open() with O_CLOEXEC; -1 and errno.
int platform_file_open(const char *_Nonnull path, int flags, unsigned int mode);
static const int platform_open_read = O_RDONLY;
static const int platform_open_read_write = O_RDWR;
static const int platform_open_create = O_CREAT;
static const int platform_open_exclusive = O_EXCL;

typedef struct platform_file_status {
  uint64_t device, inode;
  int64_t size;
  bool is_regular, is_directory;
} platform_file_status;
/// stat(); 0, or an error number.
int platform_file_stat(const char *_Nonnull path, platform_file_status *_Nonnull status);
int platform_descriptor_stat(int descriptor, platform_file_status *_Nonnull status);

/// Gives a file another name in its file system, which must be free, and makes that durable. 0, or an error number.
int platform_file_publish(const char *_Nonnull from, const char *_Nonnull to);

/// A POSIX record lock (owned by the process) on one byte. `wait`: blocks. 0, or an error number.
int platform_record_lock(int descriptor, int64_t offset, bool wait);
int platform_record_unlock(int descriptor, int64_t offset);
/// A lock owned by the open file description on one byte: the kernel drops it when the process dies. 0, or an error number.
int platform_description_lock(int descriptor, int64_t offset);
int platform_description_unlock(int descriptor, int64_t offset);
/// 1: another description holds the byte. 0: nobody else does. Negative: minus an error number.
int platform_description_is_held(int descriptor, int64_t offset);

/// The last error number of this thread.
int platform_errno(void);
/// The text of an error number, in `buffer`.
void platform_error_text(int number, char *_Nonnull buffer, size_t size);

// ---- calendar ----
/// Seconds since 1970 in UTC to calendar fields and back; proleptic Gregorian.
typedef struct platform_calendar { int64_t year; int32_t month, day, hour, minute, second; } platform_calendar;
platform_calendar platform_calendar_from_seconds(int64_t seconds);
int64_t platform_seconds_from_calendar(platform_calendar calendar);

// ---- numbers ----
/// strtod(). The library never calls setlocale(); a host whose locale has a decimal comma gives wrong reals for comparison only, never
/// changed text: numbers are kept as they were written.
double platform_string_to_double(const char *_Nonnull text);

#endif
