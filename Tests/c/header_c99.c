/* The headers are C99, C11 and C17 without a warning, included twice and in any order. */
#include <muster_jansson.h>
#include <muster.h>
#include <muster_jansson.h>

static const muster_host host = MUSTER_HOST_INIT;
static const muster_event event = MUSTER_EVENT_INIT;

/* A static initializer and constant expressions: what C hosts do with the macros. */
static const char limits[MUSTER_MAX_JSON_DEPTH > 0 && MUSTER_MAX_REQUEST_BYTES > 0 ? 1 : -1] = {MUSTER_OK};

/* Kinds of events are constants for a switch. */
static int is_last(const muster_event *one) {
  switch (one->kind) {
    case MUSTER_EVENT_DATA: return 0;
    case MUSTER_EVENT_FINAL: return 1;
    case MUSTER_EVENT_TOOL_CALL: return 0;
    case MUSTER_EVENT_TOOL_CANCEL: return 0;
    default: return -1;
  }
}

int main(void) {
  int is_host = host.struct_size == sizeof(muster_host) && host.log == NULL && limits[0] == 0;
  int is_event = event.struct_size == sizeof(muster_event) && event.json == NULL && event.error == NULL &&
                 event.ticket == 0 && is_last(&event) == -1;
  return is_host && is_event ? 0 : 1;
}
