// Descriptors and the locks of the kernel on them, as CPlatform has them. A path begins with the number of the process that uses it,
// so that each process of the machine has stores of its own in the one that simulates them.
#define _GNU_SOURCE
#include "machine.h"

#include "CPlatform.h"

enum { descriptors_most = 1024, first_descriptor = 1 << 20, bytes_most = 256 };

/// The process that has a descriptor open; -1: nobody has.
static int openers[descriptors_most];
static int opened;

typedef struct byte_lock { int64_t offset; int holder; bool is_held; } byte_lock;
/// Held by processes, and by descriptors.
static byte_lock records[bytes_most], descriptions[bytes_most];

extern int __real_close(int descriptor);

void files_begin(void) {
  opened = 0;
  memset(records, 0, sizeof records);
  memset(descriptions, 0, sizeof descriptions);
}

static byte_lock *find(byte_lock *locks, int64_t offset) {
  byte_lock *free_one = NULL;
  for (int index = 0; index < bytes_most; index++) {
    if (locks[index].is_held && locks[index].offset == offset) return &locks[index];
    if (!locks[index].is_held && !free_one) free_one = &locks[index];
  }
  if (!free_one) abort();
  free_one->offset = offset;
  return free_one;
}

static void release(byte_lock *locks, int holder) {
  for (int index = 0; index < bytes_most; index++)
    if (locks[index].is_held && locks[index].holder == holder) locks[index].is_held = false;
}

static bool is_ours(int descriptor) { return descriptor >= first_descriptor && descriptor < first_descriptor + opened; }

static void close_ours(int descriptor) {
  openers[descriptor - first_descriptor] = -1;
  release(descriptions, descriptor);
}

void files_process_died(int process) {
  release(records, process);
  for (int index = 0; index < opened; index++)
    if (openers[index] == process) close_ours(first_descriptor + index);
}

int __wrap_close(int descriptor) {
  if (descriptor < first_descriptor) return __real_close(descriptor);
  if (is_ours(descriptor)) close_ours(descriptor);
  return 0;
}

int __wrap_platform_file_open(const char *path, int flags, unsigned int mode) {
  (void)path, (void)flags, (void)mode;
  if (opened == descriptors_most) abort();
  openers[opened] = simulate_process();
  return first_descriptor + opened++;
}

int __wrap_platform_file_stat(const char *path, platform_file_status *status) {
  // Empty, as files are that need not be looked at; one of its own for each process.
  *status = (platform_file_status){.device = 1, .inode = (uint64_t)atoi(path + 1) + 1, .is_regular = true};
  return 0;
}

char *__wrap_realpath(const char *path, char *resolved) { return resolved ? strcpy(resolved, path) : strdup(path); }

int __wrap_platform_record_lock(int descriptor, int64_t offset, bool wait) {
  (void)descriptor;
  int process = simulate_process();
  while (true) {
    byte_lock *lock = find(records, offset);
    if (!lock->is_held || lock->holder == process) {
      lock->is_held = true;
      lock->holder = process;
      return 0;
    }
    if (!wait) return EAGAIN;
    simulate_sleep(20000);
  }
}

int __wrap_platform_record_unlock(int descriptor, int64_t offset) {
  (void)descriptor;
  byte_lock *lock = find(records, offset);
  if (lock->is_held && lock->holder == simulate_process()) lock->is_held = false;
  return 0;
}

int __wrap_platform_description_lock(int descriptor, int64_t offset) {
  byte_lock *lock = find(descriptions, offset);
  if (lock->is_held && lock->holder != descriptor) return EAGAIN;
  lock->is_held = true;
  lock->holder = descriptor;
  return 0;
}

int __wrap_platform_description_unlock(int descriptor, int64_t offset) {
  byte_lock *lock = find(descriptions, offset);
  if (lock->is_held && lock->holder == descriptor) lock->is_held = false;
  return 0;
}

int __wrap_platform_description_is_held(int descriptor, int64_t offset) {
  byte_lock *lock = find(descriptions, offset);
  return lock->is_held && lock->holder != descriptor;
}
