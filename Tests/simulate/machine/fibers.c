// Threads, locks, conditions and the clock, as CPlatform has them, on one thread.
#define _GNU_SOURCE
#include "machine.h"

#include "CPlatform.h"

#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { fibers_most = 512, stack_bytes = 512 * 1024, held_most = 16 };

typedef enum fiber_state { unused, ready, blocked, finished } fiber_state;

struct fiber {
  fiber_state state;
  int number, process;
  char name[24];
  // The context for the first time, the place for all others: to change to that needs no call of the kernel.
  ucontext_t context;
  jmp_buf place_in_code;
  bool has_begun;
  void *stack;
  void (*body)(void *);
  void *argument;
  // What it waits for; the deadline is negative for none.
  const char *waiting;
  const void *place;
  int64_t deadline;
  bool was_late;
  platform_mutex *held[held_most];
  int held_count;
  // What a thread keeps for itself.
  int inside, callbacks;
  void *frame;
};

struct platform_mutex { fiber *owner; bool is_locked; };
struct platform_condition { int unused; };

simulate_manner machine_manner;

static fiber fibers[fibers_most];
static int fibers_used, last_number, last_process;
static fiber *current, outside;
static jmp_buf machine_place;
static void *spare_stacks[fibers_most];
static int spare_count;
static uint64_t dice_state, bytes_state, digest;
static int64_t now, steps;
static bool has_died;

// ---- dice ----

static uint64_t next(uint64_t *state) {
  uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return mixed ^ mixed >> 31;
}

uint64_t machine_random(uint64_t bound) { return next(&dice_state) % bound; }
bool machine_dice(uint32_t of_65536) { return of_65536 > 0 && (next(&dice_state) & 0xffff) < of_65536; }
bool machine_is_running(void) { return current != NULL; }

// ---- schedules ----

static void drop(fiber *gone) {
  for (int index = 0; index < gone->held_count; index++) {
    gone->held[index]->owner = NULL;
    gone->held[index]->is_locked = false;
  }
  if (gone->stack) spare_stacks[spare_count++] = gone->stack;
  memset(gone, 0, sizeof *gone);
}

void simulate_begin(simulate_manner manner) {
  machine_manner = manner;
  dice_state = manner.seed;
  bytes_state = ~manner.seed;
  digest = 0xcbf29ce484222325u;
  now = 1000000000;
  steps = 0;
  last_number = 0;
  has_died = false;
  disk_begin();
  files_begin();
}

void simulate_end(void) {
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state != unused) drop(&fibers[index]);
  fibers_used = 0;
  disk_end();
}

void simulate_calm(void) { machine_manner.haste = 0; }

int64_t simulate_steps(void) { return steps; }
uint64_t simulate_digest(void) { return digest; }
int64_t simulate_now_nanoseconds(void) { return now; }
bool simulate_is_told(void) { return machine_manner.is_told; }
int simulate_process(void) { return current ? current->process : 0; }

int simulate_last_process(void) { return last_process; }

int simulate_fibers(int process) {
  int count = 0;
  for (int index = 0; index < fibers_used; index++) {
    fiber *one = &fibers[index];
    if (one->process == process && (one->state == ready || one->state == blocked)) count++;
  }
  return count;
}

static void tell_moment(void) {
  printf("%8lld %12.6f ", (long long)steps, (double)(now - 1000000000) / 1e9);
}

void simulate_tell(const char *line) {
  if (!machine_manner.is_told) return;
  tell_moment();
  printf("%s\n", line);
}

void simulate_tell_fibers(void) {
  for (int index = 0; index < fibers_used; index++) {
    fiber *one = &fibers[index];
    if (one->state != ready && one->state != blocked) continue;
    printf("  fiber %d %s of process %d: %s", one->number, one->name, one->process,
           one->state == ready ? "can go on" : one->waiting);
    if (one->held_count > 0) printf(", holds %d locks", one->held_count);
    printf("\n");
  }
}

/// Goes back to the machine, which decides who goes on.
static void leave(void) {
  if (_setjmp(current->place_in_code) == 0) _longjmp(machine_place, 1);
}

static void block(const char *waiting, const void *place, int64_t deadline) {
  current->state = blocked;
  current->waiting = waiting;
  current->place = place;
  current->deadline = deadline;
  current->was_late = false;
  leave();
  current->place = NULL;
}

static void unblock(fiber *one) { one->state = ready; }

void simulate_pause(void) {
  if (current && machine_dice(machine_manner.preemption)) leave();
}

void machine_die_here(void) {
  has_died = true;
  current->state = blocked;
  current->waiting = "nothing any more";
  current->place = NULL;
  current->deadline = -1;
  leave();
}

static int find_ready(fiber **found) {
  int count = 0;
  for (int index = 0; index < fibers_used; index++) {
    fiber *one = &fibers[index];
    if (one->state == blocked && one->deadline >= 0 && one->deadline <= now) {
      one->was_late = true;
      unblock(one);
    } else if (one->state == blocked && one->place && one->deadline != -2 && machine_dice(machine_manner.spuriousness)) {
      unblock(one);
    }
    if (one->state == ready) found[count++] = one;
  }
  return count;
}

/// The earliest deadline of a fiber; negative when there is none.
static int64_t next_deadline(void) {
  int64_t earliest = -1;
  for (int index = 0; index < fibers_used; index++) {
    fiber *one = &fibers[index];
    if (one->state == blocked && one->deadline >= 0 && (earliest < 0 || one->deadline < earliest)) earliest = one->deadline;
  }
  return earliest;
}

simulate_step_outcome simulate_step(void) {
  static fiber *found[fibers_most];
  now += (int64_t)machine_random(2000) + 1;
  int count = find_ready(found);
  if (count == 0 || machine_dice(machine_manner.haste)) {
    int64_t moment = next_deadline();
    if (moment > now) now = moment;
    if (moment >= 0) count = find_ready(found);
  }
  if (count == 0) {
    for (int index = 0; index < fibers_used; index++)
      if (fibers[index].state == blocked) return simulate_stuck;
    return simulate_over;
  }
  current = found[count == 1 ? 0 : machine_random((uint64_t)count)];
  steps++;
  digest = (digest ^ (uint64_t)current->number) * 0x100000001b3u;
  digest = (digest ^ (uint64_t)now) * 0x100000001b3u;
  if (machine_manner.is_told) {
    tell_moment();
    printf("| %d %s\n", current->number, current->name);
  }
  if (_setjmp(machine_place) == 0) {
    if (current->has_begun) _longjmp(current->place_in_code, 1);
    current->has_begun = true;
    setcontext(&current->context);
  }
  fiber *ran = current;
  current = NULL;
  last_process = ran->process;
  if (ran->state == finished) drop(ran);
  if (!has_died) return simulate_stepped;
  has_died = false;
  return simulate_died;
}

void simulate_kill(int process, bool has_power) {
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state != unused && fibers[index].process == process) drop(&fibers[index]);
  files_process_died(process);
  disk_process_died(process, has_power);
}

// ---- fibers ----

static void *new_stack(void) {
  if (spare_count > 0) return spare_stacks[--spare_count];
  char *stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) abort();
  // What grows beyond it is found.
  mprotect(stack, 4096, PROT_NONE);
  return stack;
}

static void fiber_main(void) {
  current->body(current->argument);
  current->state = finished;
  leave();
}

static fiber *start(const char *name, int process, void (*body)(void *), void *argument) {
  fiber *made = NULL;
  for (int index = 0; index < fibers_used && !made; index++)
    if (fibers[index].state == unused) made = &fibers[index];
  if (!made) {
    if (fibers_used == fibers_most) abort();
    made = &fibers[fibers_used++];
  }
  memset(made, 0, sizeof *made);
  made->state = ready;
  made->number = ++last_number;
  made->process = process;
  snprintf(made->name, sizeof made->name, "%s", name);
  made->body = body;
  made->argument = argument;
  made->stack = new_stack();
  getcontext(&made->context);
  made->context.uc_stack.ss_sp = made->stack;
  made->context.uc_stack.ss_size = stack_bytes;
  made->context.uc_link = NULL;
  makecontext(&made->context, fiber_main, 0);
  return made;
}

void simulate_spawn(const char *name, int process, void (*body)(void *), void *argument) {
  start(name, process, body, argument);
}

void simulate_sleep(int64_t nanoseconds) {
  if (current) block("the time", NULL, now + (nanoseconds > 0 ? nanoseconds : 0));
}

bool simulate_wait(int *place, int64_t nanoseconds) {
  if (!current) return false;
  if (*place == 0) block("news", place, nanoseconds < 0 ? -1 : now + nanoseconds);
  bool has_news = *place > 0;
  *place = 0;
  return has_news;
}

void simulate_wake(int *place) {
  *place = 1;
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state == blocked && fibers[index].place == place) unblock(&fibers[index]);
}

int __wrap_usleep(unsigned int microseconds) {
  simulate_sleep((int64_t)microseconds * 1000);
  return 0;
}

int __wrap_platform_thread_start_joined(const char *name, void (*body)(void *), void *argument, uint64_t *thread) {
  *thread = (uint64_t)start(name, simulate_process(), body, argument)->number;
  simulate_pause();
  return 0;
}

int __wrap_platform_thread_start(const char *name, void (*body)(void *), void *argument) {
  uint64_t thread;
  return __wrap_platform_thread_start_joined(name, body, argument, &thread);
}

static bool lives(uint64_t thread) {
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state != unused && (uint64_t)fibers[index].number == thread) return true;
  return false;
}

void __wrap_platform_thread_join(uint64_t thread) {
  // Looked at again and again: whoever ends tells nobody.
  while (lives(thread)) block("the end of a thread", NULL, now + 10000);
}

void __wrap_platform_thread_detach(uint64_t thread) { (void)thread; }
bool __wrap_platform_thread_is_current(uint64_t thread) { return current && (uint64_t)current->number == thread; }

static fiber *self(void) { return current ? current : &outside; }

int __wrap_platform_callback_depth(void) { return self()->callbacks; }
void __wrap_platform_callback_enter(void) { self()->callbacks++; }
void __wrap_platform_callback_leave(void) { self()->callbacks--; }
void *__wrap_platform_thread_frame(void) { return self()->frame; }
void __wrap_platform_thread_frame_set(void *frame) { self()->frame = frame; }

void __wrap_platform_inside_enter(void) { self()->inside++; }
void __wrap_platform_inside_leave(void) { self()->inside--; }

int __wrap_platform_inside_suspend(void) {
  int depth = self()->inside;
  self()->inside = 0;
  return depth;
}

void __wrap_platform_inside_resume(int depth) { self()->inside = depth; }
int __wrap_platform_fork_watch(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  (void)prepare, (void)parent, (void)child;
  return 0;
}
bool __wrap_platform_fork_keep(platform_mutex *mutex) { return mutex != NULL; }

// ---- locks ----

platform_mutex *__wrap_platform_mutex_new(void) { return calloc(1, sizeof(platform_mutex)); }

void __wrap_platform_mutex_free(platform_mutex *mutex) {
  if (mutex->is_locked) abort();
  free(mutex);
}

static void take(platform_mutex *mutex) {
  while (mutex->is_locked) {
    if (!current || mutex->owner == current) {
      // Nobody could ever give it back: the schedule stands still here, and says so.
      if (!current) abort();
      block("a lock that it holds itself", NULL, -1);
    }
    block("a lock", mutex, -2);
  }
  mutex->is_locked = true;
  mutex->owner = current;
  if (!current) return;
  if (current->held_count == held_most) abort();
  current->held[current->held_count++] = mutex;
}

static void give(platform_mutex *mutex) {
  mutex->is_locked = false;
  mutex->owner = NULL;
  if (!current) return;
  for (int index = current->held_count; index-- > 0;) {
    if (current->held[index] != mutex) continue;
    current->held[index] = current->held[--current->held_count];
    break;
  }
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state == blocked && fibers[index].place == mutex) unblock(&fibers[index]);
}

void __wrap_platform_mutex_lock(platform_mutex *mutex) {
  simulate_pause();
  take(mutex);
}

void __wrap_platform_mutex_unlock(platform_mutex *mutex) {
  give(mutex);
  simulate_pause();
}

platform_condition *__wrap_platform_condition_new(void) { return calloc(1, sizeof(platform_condition)); }
void __wrap_platform_condition_free(platform_condition *condition) { free(condition); }

void __wrap_platform_condition_signal(platform_condition *condition) {
  fiber *waiting[fibers_most];
  int count = 0;
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state == blocked && fibers[index].place == condition) waiting[count++] = &fibers[index];
  if (count > 0) unblock(waiting[count == 1 ? 0 : machine_random((uint64_t)count)]);
}

void __wrap_platform_condition_broadcast(platform_condition *condition) {
  for (int index = 0; index < fibers_used; index++)
    if (fibers[index].state == blocked && fibers[index].place == condition) unblock(&fibers[index]);
}

bool __wrap_platform_condition_wait(platform_condition *condition, platform_mutex *mutex, int64_t deadline) {
  if (!current) abort();
  give(mutex);
  block("a condition", condition, deadline < 0 ? -1 : deadline);
  bool was_late = current->was_late;
  take(mutex);
  return !was_late;
}

// ---- clock, randomness, environment ----

int64_t __wrap_platform_clock_monotonic_nanoseconds(void) { return now; }

int64_t __wrap_platform_clock_realtime_microseconds(void) {
  const int64_t first = 1800000000000000;
  return first + now / 1000;
}

bool __wrap_platform_random_bytes(void *bytes, size_t count) {
  unsigned char *at = bytes;
  for (size_t index = 0; index < count; index++) at[index] = (unsigned char)next(&bytes_state);
  return true;
}

const char *__wrap_platform_environment(const char *name) {
  (void)name;
  return NULL;
}

int32_t __wrap_platform_process_id(void) { return simulate_process() + 1; }
