/* SPDX-License-Identifier: Apache-2.0
 *
 * muster_jansson.h - the C interface of Muster for hosts that use jansson objects. See muster.h for the rules.
 */
#ifndef MUSTER_JANSSON_H
#define MUSTER_JANSSON_H

#include <jansson.h>
#include "muster.h"

#ifdef __cplusplus
extern "C" {
#endif

/* muster_call() with jansson objects. `args` is borrowed, may be NULL for {}, and must not be changed by another thread during the call; `out`
 * receives a new reference that the caller releases with json_decref(). Blocks until the operation has ended. Since 0.1.0. */
MUSTER_API MUSTER_CHECK_RESULT muster_status muster_call_j(muster *MUSTER_NULLABLE plane, const char *MUSTER_NULLABLE operation,
                                                           json_t *MUSTER_NULLABLE args, int64_t timeout_ms,
                                                           json_t *MUSTER_NULLABLE *MUSTER_NULLABLE out,
                                                           muster_error *MUSTER_NULLABLE *MUSTER_NULLABLE error);

/* What an event carries as a jansson value: a new reference that the caller releases with json_decref(); NULL when it carries nothing, when
 * the event is NULL or was made for an older muster.h, or when there is no memory. Since 0.1.0. */
MUSTER_API json_t *MUSTER_NULLABLE muster_event_json(const muster_event *MUSTER_NULLABLE event);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_JANSSON_H */
