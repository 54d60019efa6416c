/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.c - a library for LD_PRELOAD that counts system calls on the files of a store and makes chosen ones fail, or
 * kills the process around them. See faults.h. The library under test has no part in it.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS = FAULT_RECV + 1, KINDS = 4 };
enum action { NONE, FAIL, KILL_BEFORE, KILL_HALF, KILL_AFTER, LOSE };

static long counts[CALLS][KINDS];
static struct {
  enum action action;
  int error, call, files;
  bool forever;
} fault;
static long left;
static int struck;
static long long capacity;
static size_t most_received = SIZE_MAX;
static char store[4096];
static bool keeps_synced;
static uintptr_t sqlite_begin, sqlite_end;

extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static void die(void) {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) {
  }
}

/* ---- which file ---- */

/* The kind of a file of the store by its name; 0 for any other file. */
static int kind_of_name(const char *name) {
  size_t length = strlen(store);
  if (length == 0 || strncmp(name, store, length) != 0) {
    return 0;
  }
  name += length;
  return *name == 0                     ? FAULT_DB
         : strcmp(name, "-wal") == 0    ? FAULT_WAL
         : strcmp(name, "-shm") == 0    ? FAULT_SHM
         : strcmp(name, "-lock") == 0   ? FAULT_LOCK
                                        : 0;
}

static int kind_of(int descriptor) {
  char link[64], name[4200];
  ssize_t length;
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  length = syscall(SYS_readlinkat, AT_FDCWD, link, name, sizeof name - 1);
  errno = saved;
  if (length <= 0) {
    return 0;
  }
  name[length] = 0;
  return kind_of_name(name);
}

/* ---- the fault ---- */

/* Counts a call and says what is to befall it. */
static enum action befalls(int call, int files) {
  int kind;
  for (kind = 0; kind < KINDS; kind++) {
    if (files & (1 << kind)) {
      __atomic_fetch_add(&counts[call][kind], 1, __ATOMIC_RELAXED);
    }
  }
  if (fault.action == NONE || fault.call != call || (fault.files & files) == 0) {
    return NONE;
  }
  long now = __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST);
  if (now > 0 || (now < 0 && !fault.forever)) {
    return NONE;
  }
  __atomic_fetch_add(&struck, 1, __ATOMIC_SEQ_CST);
  if (fault.action == KILL_BEFORE) {
    die();
  }
  return fault.action;
}

static int number_of(const char *name) {
  static const struct {
    const char *name;
    int number;
  } errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC},             {"EMFILE", EMFILE},
                {"ENOMEM", ENOMEM}, {"ECONNREFUSED", ECONNREFUSED}, {"ECONNRESET", ECONNRESET}};
  for (size_t index = 0; index < sizeof errors / sizeof *errors; index++) {
    if (strcmp(errors[index].name, name) == 0) {
      return errors[index].number;
    }
  }
  return 0;
}

static int index_of(const char *const *names, const char *name) {
  for (int index = 0; names[index] != NULL; index++) {
    if (strcmp(names[index], name) == 0) {
      return index;
    }
  }
  return -1;
}

void fault_set(const char *text) {
  static const char *const calls[] = {"open", "read", "write", "sync", "truncate", "memory", "connect", "recv", NULL};
  static const char *const kinds[] = {"db", "wal", "shm", "lock", "any", NULL};
  static const char *const kills[] = {"kill-before", "kill-half", "kill-after", "lose", NULL};
  char action[32] = "", call[32] = "", file[32] = "", tail[32] = "";
  long count = 0;
  int kind, kill;
  fault.action = NONE;
  capacity = 0;
  struck = 0;
  if (text == NULL || sscanf(text, "full:%lld", &capacity) == 1) {
    return;
  }
  sscanf(text, "%31[^:]:%31[^:]:%31[^:]:%ld:%31s", action, call, file, &count, tail);
  kill = index_of(kills, action);
  kind = index_of(kinds, file);
  fault.error = number_of(action);
  fault.call = index_of(calls, call);
  fault.files = kind < KINDS ? 1 << kind : FAULT_ANY;
  fault.forever = strcmp(tail, "forever") == 0;
  if (count < 1 || fault.call < 0 || kind < 0 || (kill < 0 && fault.error == 0)) {
    fprintf(stderr, "faults: not a fault: %s\n", text);
    abort();
  }
  left = count;
  __atomic_store_n(&fault.action, kill < 0 ? FAIL : KILL_BEFORE + kill, __ATOMIC_SEQ_CST);
}

int fault_struck(void) { return __atomic_load_n(&struck, __ATOMIC_SEQ_CST); }

long fault_count(int call, int files) {
  long sum = 0;
  for (int kind = 0; kind < KINDS; kind++) {
    if (files & (1 << kind)) {
      sum += __atomic_load_n(&counts[call][kind], __ATOMIC_RELAXED);
    }
  }
  return sum;
}

static int find_sqlite(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  if (info->dlpi_name == NULL || strstr(info->dlpi_name, "libsqlite3") == NULL) {
    return 0;
  }
  for (int index = 0; index < info->dlpi_phnum; index++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[index];
    if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
      sqlite_begin = info->dlpi_addr + header->p_vaddr;
      sqlite_end = sqlite_begin + header->p_memsz;
    }
  }
  return 1;
}

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("FAULT_STORE");
  dl_iterate_phdr(find_sqlite, NULL);
  if (name != NULL) {
    snprintf(store, sizeof store, "%s", name);
  }
  keeps_synced = getenv("FAULT_POWER") != NULL;
  if (getenv("FAULT_RECV") != NULL) {
    most_received = (size_t)atoi(getenv("FAULT_RECV"));
  }
  fault_set(getenv("FAULT"));
}

static int failed(void) {
  errno = fault.error;
  return -1;
}

/* ---- files ---- */

static int opened(int folder, const char *name, int flags, mode_t mode) {
  int kind = kind_of_name(name);
  enum action action = kind != 0 ? befalls(FAULT_OPEN, kind) : NONE;
  int result;
  if (action == FAIL) {
    return failed();
  }
  result = (int)syscall(SYS_openat, folder, name, flags, mode);
  if (action != NONE) {
    die();
  }
  return result;
}

#define MODE_ARGUMENT(flags)             \
  mode_t mode = 0;                       \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest;                        \
    va_start(rest, flags);               \
    mode = va_arg(rest, mode_t);         \
    va_end(rest);                        \
  }

int open(const char *name, int flags, ...) {
  MODE_ARGUMENT(flags)
  return opened(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) {
  MODE_ARGUMENT(flags)
  return opened(AT_FDCWD, name, flags, mode);
}

/* A write at an offset, or at the file's own position when the offset is negative. */
static ssize_t written(int descriptor, const void *bytes, size_t size, off_t offset) {
  int kind = kind_of(descriptor);
  enum action action = kind != 0 ? befalls(FAULT_WRITE, kind) : NONE;
  ssize_t result;
  if (action == FAIL) {
    return failed();
  }
  if (action == LOSE) {
    return (ssize_t)size;
  }
  if (kind != 0 && capacity > 0 && offset + (long long)size > capacity) {
    __atomic_fetch_add(&struck, 1, __ATOMIC_SEQ_CST);
    errno = ENOSPC;
    return -1;
  }
  if (action == KILL_HALF) {
    size /= 2;
  }
  result = offset < 0 ? syscall(SYS_write, descriptor, bytes, size)
                      : syscall(SYS_pwrite64, descriptor, bytes, size, offset);
  if (action != NONE) {
    die();
  }
  return result;
}

ssize_t write(int descriptor, const void *bytes, size_t size) { return written(descriptor, bytes, size, -1); }

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
  return written(descriptor, bytes, size, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t offset) {
  return written(descriptor, bytes, size, offset);
}

static ssize_t was_read(int descriptor, void *bytes, size_t size, off_t offset) {
  int kind = kind_of(descriptor);
  enum action action = kind != 0 ? befalls(FAULT_READ, kind) : NONE;
  ssize_t result;
  if (action == FAIL) {
    return failed();
  }
  result = syscall(SYS_pread64, descriptor, bytes, size, offset);
  if (action != NONE) {
    die();
  }
  return result;
}

ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) {
  return was_read(descriptor, bytes, size, offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t size, off_t offset) {
  return was_read(descriptor, bytes, size, offset);
}

/* Copies a file that was just synced; whole or not at all, the process may be killed meanwhile. */
static void keep_synced(int descriptor, int kind) {
  char name[4200], made[4200];
  off_t offset = 0;
  ssize_t copied = 1;
  int copy;
  snprintf(name, sizeof name, "%.4000s%s.synced", store, kind == FAULT_WAL ? "-wal" : "");
  snprintf(made, sizeof made, "%.4100s.new", name);
  copy = (int)syscall(SYS_openat, AT_FDCWD, made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  while (copied > 0) {
    copied = syscall(SYS_copy_file_range, descriptor, &offset, copy, NULL, 1 << 30, 0);
  }
  if (copied < 0 || rename(made, name) != 0) {
    fprintf(stderr, "faults: %s cannot be copied\n", name);
    abort();
  }
  syscall(SYS_close, copy);
}

static int changed(int call, long number, int descriptor, off_t size) {
  int kind = kind_of(descriptor);
  enum action action = kind != 0 ? befalls(call, kind) : NONE;
  int result;
  if (action == FAIL) {
    return failed();
  }
  if (action == LOSE) {
    return 0;
  }
  result = (int)syscall(number, descriptor, size);
  if (keeps_synced && result == 0 && call == FAULT_SYNC && (kind & (FAULT_DB | FAULT_WAL)) != 0) {
    keep_synced(descriptor, kind);
  }
  if (action != NONE) {
    die();
  }
  return result;
}

int fdatasync(int descriptor) { return changed(FAULT_SYNC, SYS_fdatasync, descriptor, 0); }
int fsync(int descriptor) { return changed(FAULT_SYNC, SYS_fsync, descriptor, 0); }
int ftruncate(int descriptor, off_t size) { return changed(FAULT_TRUNCATE, SYS_ftruncate, descriptor, size); }
int ftruncate64(int descriptor, off_t size) { return changed(FAULT_TRUNCATE, SYS_ftruncate, descriptor, size); }

/* ---- memory of SQLite: told by who calls ---- */

static bool has_memory(void *caller) {
  uintptr_t address = (uintptr_t)caller;
  if (address < sqlite_begin || address >= sqlite_end || befalls(FAULT_MEMORY, FAULT_ANY) == NONE) {
    return true;
  }
  errno = ENOMEM;
  return false;
}

void *malloc(size_t size) { return has_memory(__builtin_return_address(0)) ? __libc_malloc(size) : NULL; }

void *realloc(void *memory, size_t size) {
  return has_memory(__builtin_return_address(0)) ? __libc_realloc(memory, size) : NULL;
}

/* ---- network ---- */

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
  enum action action = address->sa_family == AF_INET ? befalls(FAULT_CONNECT, FAULT_ANY) : NONE;
  int result;
  if (action == FAIL) {
    return failed();
  }
  result = (int)syscall(SYS_connect, descriptor, address, length);
  if (action != NONE) {
    die();
  }
  return result;
}

ssize_t recv(int descriptor, void *bytes, size_t size, int flags) {
  enum action action = befalls(FAULT_RECV, FAULT_ANY);
  ssize_t result;
  if (size > most_received) {
    size = most_received;
  }
  if (action == FAIL) {
    return failed();
  }
  result = syscall(SYS_recvfrom, descriptor, bytes, action == KILL_HALF && size > 1 ? 1 : size, flags, NULL, NULL);
  if (action != NONE) {
    die();
  }
  return result;
}
