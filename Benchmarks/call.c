/* SPDX-License-Identifier: Apache-2.0
 *
 * call FOLDER ROUNDS COUNT - what a call costs that has nothing to do: agents.list of an empty store. The floor reads the one number that the
 * answer holds with a prepared statement and prints the answer.
 */
#include "bench.h"

int main(int count, char **arguments) {
  static figure call;
  char path[1024];
  muster *plane = NULL;
  muster_error *error = NULL;
  if (count != 4) die("call", "FOLDER ROUNDS COUNT");
  int rounds = atoi(arguments[2]);
  long total = atol(arguments[3]);
  snprintf(path, sizeof path, "%s/call.db", arguments[1]);
  need(muster_open(path, NULL, &plane, &error), error, "open");
  sqlite3 *database = sql_open(path, SQLITE_OPEN_READWRITE);
  sqlite3_stmt *read = sql_prepare(database, "SELECT coalesce((SELECT rows FROM counts WHERE organization_id = ? AND list = 1 AND block = -1), 0)");
  for (int round = -1; round < rounds; round++) {
    double start = now();
    for (long index = 0; index < total; index++) {
      char *text = NULL;
      need(muster_call(plane, "agents.list", "{}", 0, &text, NULL, &error), error, "agents.list");
      muster_free(text);
    }
    double middle = now();
    for (long index = 0; index < total; index++) {
      char *text = malloc(256);
      sqlite3_bind_text(read, 1, "01a1fff7-0000-7000-8000-000000000000", -1, SQLITE_STATIC);
      sql_check(database, sqlite3_step(read));
      snprintf(text, 256, "{\"items\":[],\"total\":%lld,\"page\":1,\"per_page\":20,\"total_pages\":0}", sqlite3_column_int64(read, 0));
      sqlite3_reset(read);
      free(text);
    }
    if (round >= 0) add_round(&call, (middle - start) / (double)total, (now() - middle) / (double)total);
  }
  print_figure("muster_call, empty list", &call, 1e3, "us", 0);
  muster_close(plane);
  return 0;
}
