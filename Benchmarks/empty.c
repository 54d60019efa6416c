/* SPDX-License-Identifier: Apache-2.0
 *
 * An empty library that needs what the library needs at load.
 */
#include <jansson.h>
#include <math.h>
#include <sqlite3.h>

const void *empty_needs[] = {(const void *)json_object, (const void *)sqlite3_open_v2, (const void *)fmod};
