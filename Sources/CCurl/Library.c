#define _GNU_SOURCE
#include "Library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct ccurl_library curl;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_problem[256];
static bool is_loaded;

static void resolve(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  if (!found && !load_problem[0])
    snprintf(load_problem, sizeof load_problem, "this libcurl is too old: it has no %s", name);
  memcpy(function, &found, sizeof found);
}

static void load(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    snprintf(load_problem, sizeof load_problem, "libcurl cannot be opened: %s", why ? why : "unknown");
    library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    load_problem[0] = 0;
  }
  resolve(library, "curl_global_init", &curl.global_init);
  resolve(library, "curl_version_info", &curl.version_info);
  resolve(library, "curl_easy_init", &curl.easy_init);
  resolve(library, "curl_easy_cleanup", &curl.easy_cleanup);
  resolve(library, "curl_easy_reset", &curl.easy_reset);
  resolve(library, "curl_easy_setopt", &curl.easy_setopt);
  resolve(library, "curl_easy_getinfo", &curl.easy_getinfo);
  resolve(library, "curl_easy_strerror", &curl.easy_strerror);
  resolve(library, "curl_multi_init", &curl.multi_init);
  resolve(library, "curl_multi_cleanup", &curl.multi_cleanup);
  resolve(library, "curl_multi_setopt", &curl.multi_setopt);
  resolve(library, "curl_multi_add_handle", &curl.multi_add_handle);
  resolve(library, "curl_multi_remove_handle", &curl.multi_remove_handle);
  resolve(library, "curl_multi_perform", &curl.multi_perform);
  resolve(library, "curl_multi_poll", &curl.multi_poll);
  resolve(library, "curl_multi_wakeup", &curl.multi_wakeup);
  resolve(library, "curl_multi_info_read", &curl.multi_info_read);
  resolve(library, "curl_multi_socket_action", &curl.multi_socket_action);
  resolve(library, "curl_multi_timeout", &curl.multi_timeout);
  resolve(library, "curl_multi_assign", &curl.multi_assign);
  resolve(library, "curl_share_init", &curl.share_init);
  resolve(library, "curl_share_setopt", &curl.share_setopt);
  resolve(library, "curl_share_cleanup", &curl.share_cleanup);
  resolve(library, "curl_slist_append", &curl.slist_append);
  resolve(library, "curl_slist_free_all", &curl.slist_free_all);
  resolve(library, "curl_url", &curl.url);
  resolve(library, "curl_url_cleanup", &curl.url_cleanup);
  resolve(library, "curl_url_get", &curl.url_get);
  resolve(library, "curl_url_set", &curl.url_set);
  resolve(library, "curl_free", &curl.free);
  if (load_problem[0]) return;
  void *found = dlsym(library, "OPENSSL_thread_stop");
  memcpy(&curl.thread_stop, &found, sizeof found);
  CURLcode result = curl.global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) {
    snprintf(load_problem, sizeof load_problem, "libcurl cannot be initialised: %s", curl.easy_strerror(result));
    return;
  }
  is_loaded = true;
}

const char *ccurl_load(void) {
  pthread_once(&load_once, load);
  return is_loaded ? NULL : load_problem;
}

void ccurl_leave_thread(void) {
  if (is_loaded && curl.thread_stop) curl.thread_stop();
}

const char *ccurl_version(void) { return curl.version_info(CURLVERSION_NOW)->version; }

// ---- signals ----

static bool pipe_is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void quiet_begin(quiet *state) {
  sigset_t blocked;
  sigfillset(&blocked);
  // Faults stay open: blocked, they would end the process without the host's handler.
  sigdelset(&blocked, SIGSEGV);
  sigdelset(&blocked, SIGBUS);
  sigdelset(&blocked, SIGFPE);
  sigdelset(&blocked, SIGILL);
  sigdelset(&blocked, SIGTRAP);
  sigdelset(&blocked, SIGABRT);
  state->had_pipe = pipe_is_pending();
  pthread_sigmask(SIG_SETMASK, &blocked, &state->before);
}

void quiet_end(const quiet *state) {
  if (!state->had_pipe && pipe_is_pending()) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigtimedwait(&pipe, NULL, &(struct timespec){0, 0});
  }
  pthread_sigmask(SIG_SETMASK, &state->before, NULL);
}

bool ccurl_has_bundle(void) {
  curl_version_info_data *info = curl.version_info(CURLVERSION_NOW);
  return info->age >= CURLVERSION_SEVENTH && info->cainfo && access(info->cainfo, R_OK) == 0;
}
