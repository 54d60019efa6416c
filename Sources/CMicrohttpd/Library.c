#define _GNU_SOURCE
#include "Library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "CMicrohttpd.h"

struct microhttpd microhttpd;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_problem[256];
static bool is_loaded;

static void resolve(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  if (!found && !load_problem[0]) snprintf(load_problem, sizeof load_problem, "this libmicrohttpd is too old: it has no %s", name);
  memcpy(function, &found, sizeof found);
}

static void load(void) {
  void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    snprintf(load_problem, sizeof load_problem, "libmicrohttpd cannot be opened: %s", why ? why : "unknown");
    return;
  }
  resolve(library, "MHD_get_version", &microhttpd.get_version);
  resolve(library, "MHD_start_daemon", &microhttpd.start_daemon);
  resolve(library, "MHD_stop_daemon", &microhttpd.stop_daemon);
  resolve(library, "MHD_quiesce_daemon", &microhttpd.quiesce_daemon);
  resolve(library, "MHD_run", &microhttpd.run);
  resolve(library, "MHD_get_timeout", &microhttpd.get_timeout);
  resolve(library, "MHD_get_daemon_info", &microhttpd.get_daemon_info);
  resolve(library, "MHD_get_connection_info", &microhttpd.get_connection_info);
  resolve(library, "MHD_get_connection_values", &microhttpd.get_connection_values);
  resolve(library, "MHD_set_connection_option", &microhttpd.set_connection_option);
  resolve(library, "MHD_suspend_connection", &microhttpd.suspend_connection);
  resolve(library, "MHD_resume_connection", &microhttpd.resume_connection);
  resolve(library, "MHD_create_response_from_buffer", &microhttpd.create_response);
  resolve(library, "MHD_create_response_from_callback", &microhttpd.create_response_from_callback);
  resolve(library, "MHD_add_response_header", &microhttpd.add_response_header);
  resolve(library, "MHD_queue_response", &microhttpd.queue_response);
  resolve(library, "MHD_destroy_response", &microhttpd.destroy_response);
  is_loaded = !load_problem[0];
}

const char *cmicrohttpd_load(void) {
  pthread_once(&load_once, load);
  return is_loaded ? NULL : load_problem;
}

const char *cmicrohttpd_version(void) { return microhttpd.get_version(); }
