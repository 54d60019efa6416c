/* The headers are C99, C11 and C17 without a warning, included twice and in any order. */
#include <muster_jansson.h>
#include <muster.h>
#include <muster_jansson.h>

static const muster_host host = MUSTER_HOST_INIT;

/* A static initializer and constant expressions: what C hosts do with the macros. */
static const char limits[MUSTER_MAX_JSON_DEPTH > 0 && MUSTER_MAX_REQUEST_BYTES > 0 ? 1 : -1] = {MUSTER_OK};

int main(void) { return host.struct_size == sizeof(muster_host) && host.log == NULL && limits[0] == 0 ? 0 : 1; }
