/* SPDX-License-Identifier: Apache-2.0
 *
 * group.h - group commit, as a careful C program does it: one connection; the caller that finds it idle commits for those who wait.
 */
#ifndef MUSTER_BENCH_GROUP_H
#define MUSTER_BENCH_GROUP_H

#include "bench.h"

enum { GROUP_CALLERS = 128, GROUP_LARGEST = 256 };

typedef struct group_job {
  /* Runs the statements of the job. */
  void (*work)(void *argument);
  void *argument;
  bool is_done;
  bool is_leader;
  pthread_cond_t changed;
} group_job;

typedef struct group {
  sqlite3 *database;
  sqlite3_stmt *begin, *commit, *savepoint, *release;
  pthread_mutex_t lock;
  group_job *queue[GROUP_CALLERS];
  int queued;
  bool has_leader;
} group;

/* `database` is used by nobody else from now on. */
static inline void group_open(group *group, sqlite3 *database) {
  group->database = database;
  group->begin = sql_prepare(database, "BEGIN IMMEDIATE");
  group->commit = sql_prepare(database, "COMMIT");
  group->savepoint = sql_prepare(database, "SAVEPOINT job");
  group->release = sql_prepare(database, "RELEASE job");
  pthread_mutex_init(&group->lock, NULL);
  group->queued = 0;
  group->has_leader = false;
}

/* Called and left with the lock held. */
static inline void group_lead(group *group) {
  group_job *batch[GROUP_LARGEST];
  int count = group->queued < GROUP_LARGEST ? group->queued : GROUP_LARGEST;
  memcpy(batch, group->queue, sizeof(group_job *) * (size_t)count);
  group->queued -= count;
  memmove(group->queue, group->queue + count, sizeof(group_job *) * (size_t)group->queued);
  pthread_mutex_unlock(&group->lock);
  sql_step(group->database, group->begin);
  for (int index = 0; index < count; index++) {
    if (count > 1) sql_step(group->database, group->savepoint);
    batch[index]->work(batch[index]->argument);
    if (count > 1) sql_step(group->database, group->release);
  }
  sql_step(group->database, group->commit);
  pthread_mutex_lock(&group->lock);
  for (int index = 0; index < count; index++) {
    batch[index]->is_done = true;
    pthread_cond_signal(&batch[index]->changed);
  }
  if (group->queued > 0) {
    group->queue[0]->is_leader = true;
    pthread_cond_signal(&group->queue[0]->changed);
  } else {
    group->has_leader = false;
  }
}

/* Runs `work` in a transaction, with what others have to write, and returns when it is on disk. */
static inline void group_run(group *group, void (*work)(void *argument), void *argument) {
  group_job job = {work, argument, false, false, PTHREAD_COND_INITIALIZER};
  pthread_mutex_lock(&group->lock);
  group->queue[group->queued++] = &job;
  if (!group->has_leader) {
    group->has_leader = true;
    job.is_leader = true;
  }
  while (!job.is_done && !job.is_leader) pthread_cond_wait(&job.changed, &group->lock);
  if (!job.is_done) group_lead(group);
  pthread_mutex_unlock(&group->lock);
  pthread_cond_destroy(&job.changed);
}

#endif
