#define _GNU_SOURCE
#include "CCrypto.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct {
  unsigned char *(*sha256)(const unsigned char *, size_t, unsigned char *);
  // The same in three steps, which need no look-up of an algorithm and no memory: half the time for what is short, and
  // nothing that OpenSSL takes apart when the process ends. NULL in a libcrypto without what is deprecated.
  int (*sha256_begin)(void *), (*sha256_add)(void *, const void *, size_t), (*sha256_end)(unsigned char *, void *);
  int (*memory_compare)(const void *, const void *, size_t);
} crypto;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_problem[256];
static bool is_loaded;

static void resolve(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  if (!found && !load_problem[0]) snprintf(load_problem, sizeof load_problem, "this libcrypto has no %s", name);
  memcpy(function, &found, sizeof found);
}

static void load(void) {
  void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libcrypto.so.1.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    snprintf(load_problem, sizeof load_problem, "libcrypto cannot be opened: %s", why ? why : "unknown");
    return;
  }
  resolve(library, "SHA256", &crypto.sha256);
  resolve(library, "CRYPTO_memcmp", &crypto.memory_compare);
  is_loaded = !load_problem[0];
  void *begin = dlsym(library, "SHA256_Init"), *add = dlsym(library, "SHA256_Update"), *end = dlsym(library, "SHA256_Final");
  if (!begin || !add || !end) return;
  memcpy(&crypto.sha256_begin, &begin, sizeof begin);
  memcpy(&crypto.sha256_add, &add, sizeof add);
  memcpy(&crypto.sha256_end, &end, sizeof end);
}

const char *ccrypto_load(void) {
  pthread_once(&load_once, load);
  return is_loaded ? NULL : load_problem;
}

void ccrypto_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
  static const uint8_t none[1];
  if (!bytes) count = 0;
  // SHA256_CTX has 112 bytes; it has not changed since 0.9.8, and cannot while callers have it on their stacks.
  uint64_t state[32];
  if (crypto.sha256_begin && crypto.sha256_begin(state) == 1 && crypto.sha256_add(state, bytes ? bytes : none, count) == 1 &&
      crypto.sha256_end(digest, state) == 1)
    return;
  crypto.sha256(bytes ? bytes : none, count, digest);
}

bool ccrypto_is_equal(const uint8_t *left, const uint8_t *right, size_t count) {
  return crypto.memory_compare(left, right, count) == 0;
}
