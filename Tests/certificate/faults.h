/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.h - what faults.so offers to a program that is started with it in LD_PRELOAD. Without it the addresses are
 * NULL.
 *
 * A fault is written ACTION:CALL:FILE:N[:forever], for example "EIO:sync:wal:3": it befalls the N-th such call from now
 * on, and with "forever" all that come after it.
 *   ACTION  an error (EIO, ENOSPC, EMFILE, ENOMEM, ECONNREFUSED, ECONNRESET), or kill-before, kill-half (half of the
 *           bytes are written or received), kill-after: the process kills itself with SIGKILL around the call; lose:
 *           a write or sync does nothing and says that it worked (to see whether a loss is noticed)
 *   CALL    open, read, write, sync, truncate (files of the store), memory (allocations of SQLite), connect, recv
 *   FILE    of the store: db, wal, shm, lock, or any
 * "full:BYTES" makes each write that would end behind BYTES of a file fail with ENOSPC, as a full disk does.
 * The environment variable FAULT_STORE names the store's file, FAULT is a fault that is set from the start. With
 * FAULT_POWER set, each sync of the database or the log leaves a copy NAME.synced: what a power cut cannot take any
 * more. FAULT_RECV is the most bytes that one recv gives.
 */
#ifndef FAULTS_H
#define FAULTS_H

enum { FAULT_OPEN, FAULT_READ, FAULT_WRITE, FAULT_SYNC, FAULT_TRUNCATE, FAULT_MEMORY, FAULT_CONNECT, FAULT_RECV };
enum { FAULT_DB = 1, FAULT_WAL = 2, FAULT_SHM = 4, FAULT_LOCK = 8, FAULT_ANY = 15 };

/* Sets the fault; NULL sets none. Aborts on a text that is none. */
void fault_set(const char *text) __attribute__((weak));
/* How often the fault has struck since it was set. */
int fault_struck(void) __attribute__((weak));
/* How many such calls there were since the program began, those that failed included. */
long fault_count(int call, int files) __attribute__((weak));

#endif
