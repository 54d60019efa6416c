#define _GNU_SOURCE
#include "CPlatform.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/syscall.h>

struct platform_mutex { pthread_mutex_t value; };
struct platform_condition { pthread_cond_t value; };

platform_mutex *platform_mutex_new(void) {
  platform_mutex *mutex = malloc(sizeof *mutex);
  if (!mutex) return NULL;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&mutex->value, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return mutex;
}

void platform_mutex_free(platform_mutex *mutex) { pthread_mutex_destroy(&mutex->value); free(mutex); }
void platform_mutex_lock(platform_mutex *mutex) { pthread_mutex_lock(&mutex->value); }
void platform_mutex_unlock(platform_mutex *mutex) { pthread_mutex_unlock(&mutex->value); }

platform_condition *platform_condition_new(void) {
  platform_condition *condition = malloc(sizeof *condition);
  if (!condition) return NULL;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition->value, &attributes);
  pthread_condattr_destroy(&attributes);
  return condition;
}

void platform_condition_free(platform_condition *condition) { pthread_cond_destroy(&condition->value); free(condition); }
void platform_condition_signal(platform_condition *condition) { pthread_cond_signal(&condition->value); }
void platform_condition_broadcast(platform_condition *condition) { pthread_cond_broadcast(&condition->value); }

bool platform_condition_wait(platform_condition *condition, platform_mutex *mutex, int64_t deadline) {
  if (deadline < 0) return pthread_cond_wait(&condition->value, &mutex->value) == 0;
  struct timespec time = {deadline / 1000000000, deadline % 1000000000};
  return pthread_cond_timedwait(&condition->value, &mutex->value, &time) == 0;
}

enum { kept_most = 16 };

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int inside, forking;
  platform_mutex *kept[kept_most];
  int kept_count;
  void (*prepare)(void), (*parent)(void), (*child)(void);
} gate = {.mutex = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP, .changed = PTHREAD_COND_INITIALIZER};
static _Thread_local int inside_depth;
static uint32_t fork_generation;

void platform_inside_enter(void) {
  if (inside_depth++ > 0) return;
  pthread_mutex_lock(&gate.mutex);
  while (gate.forking > 0) pthread_cond_wait(&gate.changed, &gate.mutex);
  gate.inside++;
  pthread_mutex_unlock(&gate.mutex);
}

void platform_inside_leave(void) {
  if (--inside_depth > 0) return;
  pthread_mutex_lock(&gate.mutex);
  gate.inside--;
  if (gate.forking > 0) pthread_cond_broadcast(&gate.changed);
  pthread_mutex_unlock(&gate.mutex);
}

int platform_inside_suspend(void) {
  int depth = inside_depth;
  if (depth > 0) {
    inside_depth = 1;
    platform_inside_leave();
  }
  return depth;
}

void platform_inside_resume(int depth) {
  if (depth == 0) return;
  platform_inside_enter();
  inside_depth = depth;
}

// One bit a descriptor; pages that are never touched cost nothing.
enum { closed_most = 1 << 20 };
static _Atomic uint64_t closed_in_child[closed_most / 64];

void platform_fork_close_add(int descriptor) {
  if (descriptor >= 0 && descriptor < closed_most)
    atomic_fetch_or(&closed_in_child[descriptor / 64], (uint64_t)1 << descriptor % 64);
}

void platform_fork_close_remove(int descriptor) {
  if (descriptor >= 0 && descriptor < closed_most)
    atomic_fetch_and(&closed_in_child[descriptor / 64], ~((uint64_t)1 << descriptor % 64));
}

static void close_in_child(void) {
  for (int word = 0; word < closed_most / 64; word++)
    for (uint64_t bits = atomic_exchange(&closed_in_child[word], 0); bits != 0; bits &= bits - 1)
      close(word * 64 + __builtin_ctzll(bits));
}

static void fork_prepare(void) {
  pthread_mutex_lock(&gate.mutex);
  gate.forking++;
  // A thread that forks from inside waits for the others only.
  while (gate.inside > (inside_depth > 0)) pthread_cond_wait(&gate.changed, &gate.mutex);
  for (int index = 0; index < gate.kept_count; index++) pthread_mutex_lock(&gate.kept[index]->value);
  gate.prepare();
}

static void fork_parent(void) {
  gate.parent();
  for (int index = gate.kept_count; index-- > 0;) pthread_mutex_unlock(&gate.kept[index]->value);
  gate.forking--;
  pthread_cond_broadcast(&gate.changed);
  pthread_mutex_unlock(&gate.mutex);
}

static void fork_child(void) {
  fork_generation++;
  close_in_child();
  gate.child();
  for (int index = gate.kept_count; index-- > 0;) pthread_mutex_unlock(&gate.kept[index]->value);
  // Made anew: the threads that waited here are not in this process, and a broadcast would wait for them to leave. The mutex is this
  // thread's, which took it in fork_prepare.
  gate.changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
  gate.inside = inside_depth > 0;
  gate.forking = 0;
  pthread_mutex_unlock(&gate.mutex);
}

int platform_fork_watch(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  pthread_mutex_lock(&gate.mutex);
  int result = 0;
  if (!gate.prepare) {
    gate.prepare = prepare;
    gate.parent = parent;
    gate.child = child;
    result = pthread_atfork(fork_prepare, fork_parent, fork_child);
    if (result != 0) gate.prepare = NULL;
  }
  pthread_mutex_unlock(&gate.mutex);
  return result;
}

bool platform_fork_keep(platform_mutex *mutex) {
  pthread_mutex_lock(&gate.mutex);
  bool has_room = gate.kept_count < kept_most;
  if (has_room) gate.kept[gate.kept_count++] = mutex;
  pthread_mutex_unlock(&gate.mutex);
  return has_room;
}

uint32_t platform_fork_generation(void) { return fork_generation; }

struct thread_start { void (*body)(void *); void *argument; };

static void *thread_main(void *pointer) {
  struct thread_start start = *(struct thread_start *)pointer;
  free(pointer);
  start.body(start.argument);
  return NULL;
}

static int start_thread(const char *name, int state, void (*body)(void *), void *argument, pthread_t *thread) {
  struct thread_start *start = malloc(sizeof *start);
  if (!start) return ENOMEM;
  start->body = body;
  start->argument = argument;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 512 * 1024);
  pthread_attr_setdetachstate(&attributes, state);
  // The signals are the host's: none may be delivered to a thread of ours.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int result = pthread_create(thread, &attributes, thread_main, start);
  if (result == 0) pthread_setname_np(*thread, name);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (result != 0) free(start);
  return result;
}

int platform_thread_start(const char *name, void (*body)(void *), void *argument) {
  pthread_t thread;
  return start_thread(name, PTHREAD_CREATE_DETACHED, body, argument, &thread);
}

int platform_thread_start_joined(const char *name, void (*body)(void *), void *argument, uint64_t *thread) {
  pthread_t started;
  int result = start_thread(name, PTHREAD_CREATE_JOINABLE, body, argument, &started);
  if (result == 0) *thread = (uint64_t)started;
  return result;
}

void platform_thread_join(uint64_t thread) { pthread_join((pthread_t)thread, NULL); }
void platform_thread_detach(uint64_t thread) { pthread_detach((pthread_t)thread); }
bool platform_thread_is_current(uint64_t thread) { return pthread_equal((pthread_t)thread, pthread_self()) != 0; }

static _Thread_local int callback_depth;
int platform_callback_depth(void) { return callback_depth; }
void platform_callback_enter(void) { callback_depth += 1; }
void platform_callback_leave(void) { callback_depth -= 1; }

static _Thread_local void *thread_frame;
void *platform_thread_frame(void) { return thread_frame; }
void platform_thread_frame_set(void *frame) { thread_frame = frame; }

int64_t platform_clock_monotonic_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t platform_clock_realtime_microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

bool platform_random_bytes(void *bytes, size_t count) {
  unsigned char *at = bytes;
  while (count > 0) {
    ssize_t got = getrandom(at, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    at += got;
    count -= (size_t)got;
  }
  return true;
}

const char *platform_environment(const char *name) { return secure_getenv(name); }
int32_t platform_process_id(void) { return (int32_t)getpid(); }

int platform_file_open(const char *path, int flags, unsigned int mode) { return open(path, flags | O_CLOEXEC, (mode_t)mode); }

static void fill(platform_file_status *status, const struct stat *from) {
  status->device = from->st_dev;
  status->inode = from->st_ino;
  status->size = from->st_size;
  status->is_regular = S_ISREG(from->st_mode);
  status->is_directory = S_ISDIR(from->st_mode);
}

int platform_file_stat(const char *path, platform_file_status *status) {
  struct stat found;
  if (stat(path, &found) != 0) return errno;
  fill(status, &found);
  return 0;
}

int platform_descriptor_stat(int descriptor, platform_file_status *status) {
  struct stat found;
  if (fstat(descriptor, &found) != 0) return errno;
  fill(status, &found);
  return 0;
}

static int lock_byte(int descriptor, int command, short type, int64_t offset) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  while (fcntl(descriptor, command, &lock) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

int platform_record_lock(int descriptor, int64_t offset, bool wait) {
  return lock_byte(descriptor, wait ? F_SETLKW : F_SETLK, F_WRLCK, offset);
}
int platform_record_unlock(int descriptor, int64_t offset) { return lock_byte(descriptor, F_SETLK, F_UNLCK, offset); }
// By number: the function in the C library would raise the oldest version of it that the library runs with.
static int rename_to_free_name(const char *from, const char *to) {
  const unsigned int no_replace = 1;
  if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, no_replace) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (link(from, to) != 0) return errno;
  return unlink(from) == 0 ? 0 : errno;
}

int platform_file_publish(const char *from, const char *to) {
  int failure = rename_to_free_name(from, to);
  if (failure != 0) return failure;
  const char *slash = strrchr(to, '/');
  char *folder = slash == NULL ? strdup(".") : slash == to ? strdup("/") : strndup(to, (size_t)(slash - to));
  if (folder == NULL) return ENOMEM;
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(folder);
  if (descriptor < 0) return errno;
  // Not every file system can sync a folder.
  failure = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  close(descriptor);
  return failure;
}

int platform_description_lock(int descriptor, int64_t offset) { return lock_byte(descriptor, F_OFD_SETLK, F_WRLCK, offset); }
int platform_description_unlock(int descriptor, int64_t offset) { return lock_byte(descriptor, F_OFD_SETLK, F_UNLCK, offset); }

int platform_description_is_held(int descriptor, int64_t offset) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) return -errno;
  return lock.l_type != F_UNLCK;
}

int platform_errno(void) { return errno; }

void platform_error_text(int number, char *buffer, size_t size) {
  const char *text = strerror_r(number, buffer, size);
  if (text != buffer && size > 0) {
    strncpy(buffer, text, size - 1);
    buffer[size - 1] = 0;
  }
}

platform_calendar platform_calendar_from_seconds(int64_t seconds) {
  time_t time = (time_t)seconds;
  struct tm fields;
  platform_calendar result = {1970, 1, 1, 0, 0, 0};
  if (!gmtime_r(&time, &fields)) return result;
  result.year = (int64_t)fields.tm_year + 1900;
  result.month = fields.tm_mon + 1;
  result.day = fields.tm_mday;
  result.hour = fields.tm_hour;
  result.minute = fields.tm_min;
  result.second = fields.tm_sec;
  return result;
}

int64_t platform_seconds_from_calendar(platform_calendar calendar) {
  struct tm fields = {.tm_year = (int)(calendar.year - 1900), .tm_mon = calendar.month - 1, .tm_mday = calendar.day,
                      .tm_hour = calendar.hour, .tm_min = calendar.minute, .tm_sec = calendar.second};
  return (int64_t)timegm(&fields);
}

double platform_string_to_double(const char *text) { return strtod(text, NULL); }

// ---- signals of queues ----

int platform_signal_new(void) {
  int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) return -errno;
  platform_fork_close_add(descriptor);
  return descriptor;
}

void platform_signal_set(int descriptor) {
  uint64_t one = 1;
  while (write(descriptor, &one, sizeof one) < 0 && errno == EINTR) {}
}

void platform_signal_clear(int descriptor) {
  uint64_t count;
  while (read(descriptor, &count, sizeof count) < 0 && errno == EINTR) {}
}

void platform_signal_close(int descriptor) {
  platform_fork_close_remove(descriptor);
  close(descriptor);
}
