// A disk in memory for SQLite, which knows what was synced, and can fail.
#define _GNU_SOURCE
#include "machine.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { files_most = 16, sector = 512, region_bytes = 32768, regions_most = 8, slots = SQLITE_SHM_NLOCK };

typedef struct content { unsigned char *bytes; int64_t size, room; } content;
typedef struct handle handle;

typedef struct disk_file {
  /// Without the process that opened it; empty when there is no such file.
  char name[40];
  /// As it is, as it was when it was synced last, and which sectors differ.
  content now, synced;
  unsigned char *changed;
  int64_t changed_room, first_changed, end_changed;
  void *regions[regions_most];
  handle *handles;
} disk_file;

struct handle {
  sqlite3_file base;
  disk_file *file;
  int process, lock;
  unsigned shared, exclusive;
  bool deletes, has_map;
  handle *next;
};

static disk_file files[files_most];
static content kept;
static int64_t writes, fail_at, fail_count, failures;
static simulate_fault fault;

// ---- contents ----

static void resize(content *one, int64_t size) {
  if (size > one->room) {
    int64_t room = one->room < 65536 ? 65536 : one->room;
    while (room < size) room *= 2;
    one->bytes = realloc(one->bytes, (size_t)room);
    if (!one->bytes) abort();
    one->room = room;
  }
  if (size > one->size) memset(one->bytes + one->size, 0, (size_t)(size - one->size));
  one->size = size;
}

static void copy(content *to, const content *from) {
  resize(to, from->size);
  if (from->size > 0) memcpy(to->bytes, from->bytes, (size_t)from->size);
}

static void mark(disk_file *file, int64_t offset, int64_t end) {
  int64_t last = (end + sector - 1) / sector;
  if (last > file->changed_room) {
    int64_t room = last * 2;
    file->changed = realloc(file->changed, (size_t)room);
    if (!file->changed) abort();
    memset(file->changed + file->changed_room, 0, (size_t)(room - file->changed_room));
    file->changed_room = room;
  }
  int64_t first = offset / sector;
  memset(file->changed + first, 1, (size_t)(last - first));
  if (file->end_changed == 0 || first < file->first_changed) file->first_changed = first;
  if (last > file->end_changed) file->end_changed = last;
}

static void copy_sector(content *to, const content *from, int64_t index) {
  int64_t start = index * sector, end = start + sector;
  if (end > to->size) end = to->size;
  int64_t known = end < from->size ? end : from->size;
  if (known > start) memcpy(to->bytes + start, from->bytes + start, (size_t)(known - start));
  if (known < start) known = start;
  if (end > known) memset(to->bytes + known, 0, (size_t)(end - known));
}

static void sync_all(disk_file *file) {
  resize(&file->synced, file->now.size);
  for (int64_t index = file->first_changed; index < file->end_changed; index++) {
    if (!file->changed[index]) continue;
    if (index * sector < file->now.size) copy_sector(&file->synced, &file->now, index);
    file->changed[index] = 0;
  }
  file->first_changed = file->end_changed = 0;
}

/// What a disk may have made of what nobody had synced: each sector as it was or as it became.
static void lose_power(disk_file *file) {
  if (machine_random(2) == 0 && file->synced.size < file->now.size) resize(&file->now, file->synced.size);
  uint64_t manner = machine_random(3);
  for (int64_t index = file->first_changed; index < file->end_changed; index++) {
    if (!file->changed[index]) continue;
    bool goes_back = manner == 0 || (manner == 1 && machine_random(2) == 0);
    if (goes_back && index * sector < file->now.size) copy_sector(&file->now, &file->synced, index);
  }
  mark(file, 0, file->now.size);
  sync_all(file);
}

static void forget_regions(disk_file *file) {
  for (int index = 0; index < regions_most; index++) {
    free(file->regions[index]);
    file->regions[index] = NULL;
  }
}

static void clear(disk_file *file) {
  file->name[0] = 0;
  file->now.size = file->synced.size = 0;
  if (file->end_changed > 0) memset(file->changed, 0, (size_t)file->end_changed);
  file->first_changed = file->end_changed = 0;
  forget_regions(file);
  file->handles = NULL;
}

static disk_file *find(const char *name) {
  for (int index = 0; index < files_most; index++)
    if (files[index].name[0] && strcmp(files[index].name, name) == 0) return &files[index];
  return NULL;
}

static disk_file *make(const char *name) {
  for (int index = 0; index < files_most; index++) {
    if (files[index].name[0] || files[index].handles) continue;
    snprintf(files[index].name, sizeof files[index].name, "%s", name);
    return &files[index];
  }
  abort();
}

/// `/7/store.db` is `store.db`, as process 7 names it.
static const char *plain(const char *path) {
  const char *slash = path[0] == '/' ? strchr(path + 1, '/') : NULL;
  return slash ? slash + 1 : path;
}

void disk_begin(void) {
  writes = failures = 0;
  fault = simulate_no_fault;
  if (kept.size == 0) return;
  disk_file *file = make("store.db");
  copy(&file->now, &kept);
  copy(&file->synced, &kept);
}

void disk_end(void) {
  for (int index = 0; index < files_most; index++) clear(&files[index]);
}

void simulate_disk_keep(void) {
  disk_file *file = find("store.db");
  if (file) copy(&kept, &file->now);
}

int64_t simulate_disk_writes(void) { return writes; }
int64_t simulate_disk_failures(void) { return failures; }

void simulate_disk_fail(simulate_fault which, int64_t at, int64_t count) {
  fault = which;
  fail_at = at;
  fail_count = count;
}

void disk_process_died(int process, bool has_power) {
  for (int index = 0; index < files_most; index++) {
    disk_file *file = &files[index];
    handle **at = &file->handles;
    while (*at) {
      if ((*at)->process == process) *at = (*at)->next; else at = &(*at)->next;
    }
    if (!file->handles) forget_regions(file);
    if (file->name[0] && !has_power) lose_power(file);
  }
}

/// Counts a write; gives what becomes of it.
static int count_write(bool is_sync) {
  writes++;
  // Others may go on while the disk is at work.
  simulate_pause();
  if (fault == simulate_no_fault || writes < fail_at || fail_count == 0) return SQLITE_OK;
  if (fault == simulate_unsyncable && !is_sync) return SQLITE_OK;
  if (fault == simulate_dies && !machine_is_running()) return SQLITE_OK;
  fail_count--;
  failures++;
  switch (fault) {
  case simulate_dies: return SQLITE_ABORT;
  case simulate_full: return SQLITE_FULL;
  case simulate_unwritable: return SQLITE_IOERR_WRITE;
  case simulate_unsyncable: return SQLITE_IOERR_FSYNC;
  default: return SQLITE_OK;
  }
}

// ---- files ----

static int close_file(sqlite3_file *base) {
  handle *one = (handle *)base;
  disk_file *file = one->file;
  for (handle **at = &file->handles; *at; at = &(*at)->next) {
    if (*at != one) continue;
    *at = one->next;
    break;
  }
  bool has_map = false;
  for (handle *other = file->handles; other; other = other->next) has_map = has_map || other->has_map;
  if (!has_map) forget_regions(file);
  if (one->deletes) clear(file);
  return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *buffer, int count, sqlite3_int64 offset) {
  const content *from = &((handle *)base)->file->now;
  int64_t there = from->size - offset;
  if (there > count) there = count;
  if (there < 0) there = 0;
  if (there > 0) memcpy(buffer, from->bytes + offset, (size_t)there);
  if (there == count) return SQLITE_OK;
  memset((char *)buffer + there, 0, (size_t)(count - there));
  return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
  disk_file *file = ((handle *)base)->file;
  int result = count_write(false);
  // Whoever dies in the middle of a write has written a part of it.
  int written = result == SQLITE_ABORT ? (int)machine_random((uint64_t)count + 1) : result == SQLITE_OK ? count : 0;
  if (written > 0) {
    if (offset + written > file->now.size) resize(&file->now, offset + written);
    memcpy(file->now.bytes + offset, bytes, (size_t)written);
    mark(file, offset, offset + written);
  }
  if (result == SQLITE_ABORT) machine_die_here();
  return result;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size) {
  disk_file *file = ((handle *)base)->file;
  if (size < file->now.size) file->now.size = size;
  return SQLITE_OK;
}

static int sync_file(sqlite3_file *base, int flags) {
  (void)flags;
  int result = count_write(true);
  if (result == SQLITE_ABORT) {
    if (machine_random(2) == 0) sync_all(((handle *)base)->file);
    machine_die_here();
  }
  if (result == SQLITE_OK) sync_all(((handle *)base)->file);
  return result;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
  *size = ((handle *)base)->file->now.size;
  return SQLITE_OK;
}

static int lock_file(sqlite3_file *base, int wanted) {
  handle *one = (handle *)base;
  if (one->lock >= wanted) return SQLITE_OK;
  for (handle *other = one->file->handles; other; other = other->next) {
    if (other == one) continue;
    if (wanted == SQLITE_LOCK_SHARED ? other->lock >= SQLITE_LOCK_PENDING : other->lock >= SQLITE_LOCK_RESERVED)
      return SQLITE_BUSY;
  }
  if (wanted == SQLITE_LOCK_EXCLUSIVE) {
    one->lock = SQLITE_LOCK_PENDING;
    for (handle *other = one->file->handles; other; other = other->next)
      if (other != one && other->lock >= SQLITE_LOCK_SHARED) return SQLITE_BUSY;
  }
  one->lock = wanted;
  return SQLITE_OK;
}

static int unlock_file(sqlite3_file *base, int wanted) {
  handle *one = (handle *)base;
  if (one->lock > wanted) one->lock = wanted;
  return SQLITE_OK;
}

static int is_reserved(sqlite3_file *base, int *answer) {
  *answer = 0;
  for (handle *other = ((handle *)base)->file->handles; other; other = other->next)
    if (other->lock >= SQLITE_LOCK_RESERVED) *answer = 1;
  return SQLITE_OK;
}

static int control(sqlite3_file *base, int what, void *argument) {
  (void)base, (void)what, (void)argument;
  return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base) {
  (void)base;
  return 4096;
}

static int characteristics(sqlite3_file *base) {
  (void)base;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// ---- the index of a log, which processes share ----

static int map_region(sqlite3_file *base, int number, int size, int extends, void volatile **region) {
  handle *one = (handle *)base;
  *region = NULL;
  if (number >= regions_most || size > region_bytes) return SQLITE_IOERR_SHMMAP;
  one->has_map = true;
  if (!one->file->regions[number] && extends) one->file->regions[number] = calloc(1, region_bytes);
  *region = one->file->regions[number];
  return SQLITE_OK;
}

static int lock_region(sqlite3_file *base, int offset, int count, int flags) {
  handle *one = (handle *)base;
  unsigned mask = ((1u << count) - 1) << offset;
  if (flags & SQLITE_SHM_UNLOCK) {
    one->shared &= ~mask;
    one->exclusive &= ~mask;
    return SQLITE_OK;
  }
  for (handle *other = one->file->handles; other; other = other->next) {
    if (other == one) continue;
    if (other->exclusive & mask) return SQLITE_BUSY;
    if ((flags & SQLITE_SHM_EXCLUSIVE) && (other->shared & mask)) return SQLITE_BUSY;
  }
  if (flags & SQLITE_SHM_SHARED) one->shared |= mask; else one->exclusive |= mask;
  return SQLITE_OK;
}

static void barrier(sqlite3_file *base) { (void)base; }

static int unmap(sqlite3_file *base, int deletes) {
  (void)deletes;
  handle *one = (handle *)base;
  one->has_map = false;
  one->shared = one->exclusive = 0;
  return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = close_file, .xRead = read_file, .xWrite = write_file, .xTruncate = truncate_file,
    .xSync = sync_file, .xFileSize = file_size, .xLock = lock_file, .xUnlock = unlock_file, .xCheckReservedLock = is_reserved,
    .xFileControl = control, .xSectorSize = sector_size, .xDeviceCharacteristics = characteristics, .xShmMap = map_region,
    .xShmLock = lock_region, .xShmBarrier = barrier, .xShmUnmap = unmap};

// ---- the disk itself ----

static int open_file(sqlite3_vfs *disk, const char *path, sqlite3_file *base, int flags, int *given) {
  (void)disk;
  static int64_t unnamed;
  char name[40];
  handle *one = (handle *)base;
  memset(one, 0, sizeof *one);
  if (path) snprintf(name, sizeof name, "%s", plain(path)); else snprintf(name, sizeof name, "unnamed-%lld", (long long)++unnamed);
  disk_file *file = find(name);
  // A store is there as an empty file before SQLite opens it.
  if (!file) file = make(name);
  one->base.pMethods = &methods;
  one->file = file;
  one->process = simulate_process();
  one->deletes = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  one->next = file->handles;
  file->handles = one;
  if (given) *given = flags;
  return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *disk, const char *path, int syncs) {
  (void)disk, (void)syncs;
  disk_file *file = find(plain(path));
  if (!file) return SQLITE_IOERR_DELETE_NOENT;
  clear(file);
  return SQLITE_OK;
}

static int is_there(sqlite3_vfs *disk, const char *path, int flags, int *answer) {
  (void)disk;
  disk_file *file = find(plain(path));
  *answer = file != NULL && (flags != SQLITE_ACCESS_EXISTS || file->now.size > 0);
  return SQLITE_OK;
}

static int full_path(sqlite3_vfs *disk, const char *path, int room, char *full) {
  (void)disk;
  sqlite3_snprintf(room, full, "%s", path);
  return SQLITE_OK;
}

static int randomness(sqlite3_vfs *disk, int count, char *bytes) {
  (void)disk;
  memset(bytes, 7, (size_t)count);
  return count;
}

static int sleep_there(sqlite3_vfs *disk, int microseconds) {
  (void)disk;
  simulate_sleep((int64_t)microseconds * 1000);
  return microseconds;
}

static int current_time(sqlite3_vfs *disk, sqlite3_int64 *time) {
  (void)disk;
  *time = 210866760000000 + simulate_now_nanoseconds() / 1000000;
  return SQLITE_OK;
}

static int current_day(sqlite3_vfs *disk, double *day) {
  sqlite3_int64 time;
  current_time(disk, &time);
  *day = (double)time / 86400000.0;
  return SQLITE_OK;
}

static int last_error(sqlite3_vfs *disk, int room, char *text) {
  (void)disk, (void)room, (void)text;
  return 0;
}

void simulate_disk_install(void) {
  static sqlite3_vfs disk = {
      .iVersion = 2, .szOsFile = sizeof(handle), .mxPathname = 256, .zName = "simulated", .xOpen = open_file, .xDelete = delete_file,
      .xAccess = is_there, .xFullPathname = full_path, .xRandomness = randomness, .xSleep = sleep_there, .xCurrentTime = current_day,
      .xGetLastError = last_error, .xCurrentTimeInt64 = current_time};
  // There is one thread, and nobody asks how much memory is in use.
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3_initialize();
  sqlite3_vfs_register(&disk, 1);
}
