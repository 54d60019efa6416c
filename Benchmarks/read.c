/* SPDX-License-Identifier: Apache-2.0
 *
 * read STORE ROUNDS PAGES - pages of 20 whole agents, walked and jumped to, and single agents, against SQLite on the same file.
 */
#include "bench.h"

enum { PER_PAGE = 20, IDS = 1000 };

static muster *plane;
static sqlite3 *database;
static char *organization;
static char ids[IDS][64];
static int id_count;

/* ---- ours ---- */

static size_t our_page(int page) {
  char *text = NULL;
  size_t length = 0;
  muster_error *error = NULL;
  need(muster_agents_list_full(plane, page, PER_PAGE, &text, &length, &error), error, "agents.list_full");
  muster_free(text);
  return length;
}

static size_t our_agent(const char *id) {
  char *text = NULL;
  size_t length = 0;
  muster_error *error = NULL;
  need(muster_agent_get(plane, id, &text, &length, &error), error, "agents.get");
  muster_free(text);
  return length;
}

/* ---- the floor: rows copied into one buffer, which is then given away ---- */

static size_t take(sqlite3_stmt *statement, size_t capacity, int64_t *last) {
  char *buffer = malloc(capacity);
  size_t length = 0;
  int code;
  if (buffer == NULL) die("malloc", NULL);
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    const void *document = sqlite3_column_text(statement, 0);
    size_t bytes = (size_t)sqlite3_column_bytes(statement, 0);
    if (length + bytes > capacity) die("floor", "the buffer is too small");
    memcpy(buffer + length, document, bytes);
    length += bytes;
    if (last != NULL) *last = sqlite3_column_int64(statement, 1);
  }
  sql_check(database, code);
  sqlite3_reset(statement);
  free(buffer);
  return length;
}

static size_t floor_walk(sqlite3_stmt *statement, int64_t *position) {
  sqlite3_bind_text(statement, 1, organization, -1, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 2, *position);
  return take(statement, 256 * 1024, position);
}

static size_t floor_jump(sqlite3_stmt *statement, int page) {
  sqlite3_bind_text(statement, 1, organization, -1, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 2, (sqlite3_int64)(page - 1) * PER_PAGE);
  return take(statement, 256 * 1024, NULL);
}

static size_t floor_agent(sqlite3_stmt *statement, const char *id) {
  sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 2, organization, -1, SQLITE_STATIC);
  return take(statement, 16 * 1024, NULL);
}

/* The agents that are asked for: spread over the store, in no order. */
static void choose_ids(void) {
  sqlite3_stmt *statement = sql_prepare(
      database, "SELECT id FROM agents WHERE position % ((SELECT count(*) FROM agents) / 1000 + 1) = 0 ORDER BY substr(id, -8)");
  while (id_count < IDS && sqlite3_step(statement) == SQLITE_ROW) {
    snprintf(ids[id_count++], sizeof ids[0], "%s", (const char *)sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  if (id_count == 0) die("read", "no agents");
}

static void find_organization(void) {
  sqlite3_stmt *statement = sql_prepare(database, "SELECT value FROM meta WHERE key = 'organization'");
  if (sqlite3_step(statement) != SQLITE_ROW) die("read", "no organization");
  organization = strdup((const char *)sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
}

int main(int count, char **arguments) {
  static figure walk, jump, get;
  muster_error *error = NULL;
  if (count != 4) die("read", "STORE ROUNDS PAGES");
  int rounds = atoi(arguments[2]), pages = atoi(arguments[3]);
  database = sql_open(arguments[1], SQLITE_OPEN_READWRITE);
  find_organization();
  choose_ids();
  need(muster_open(arguments[1], NULL, &plane, &error), error, "open");

  sqlite3_stmt *by_key = sql_prepare(database,
                                     "SELECT document, position FROM agents WHERE organization_id = ? AND position < ? "
                                     "ORDER BY position DESC LIMIT 20");
  sqlite3_stmt *by_offset = sql_prepare(database,
                                        "SELECT document FROM agents WHERE position IN (SELECT position FROM agents INDEXED BY "
                                        "agents_in_order WHERE organization_id = ? ORDER BY position DESC LIMIT 20 OFFSET ?) "
                                        "ORDER BY position DESC");
  sqlite3_stmt *by_id = sql_prepare(database, "SELECT document FROM agents WHERE id = ? AND organization_id = ?");

  for (int round = -1; round < rounds; round++) { /* round -1 warms up */
    size_t ours = 0, floor = 0;
    int64_t position = INT64_MAX;
    double start = now();
    for (int page = 1; page <= pages; page++) ours += our_page(page);
    double middle = now();
    for (int page = 1; page <= pages; page++) floor += floor_walk(by_key, &position);
    double end = now();
    if (floor == 0 || ours < floor) die("read", "the walks do not agree");
    if (round >= 0) add_round(&walk, (middle - start) / pages, (end - middle) / pages);
  }
  for (int round = -1; round < rounds; round++) {
    double ours = 0, floor = 0;
    for (int repeat = 0; repeat < 20; repeat++) {
      double start = now();
      size_t one = our_page(pages - repeat * 7 % 40);
      double middle = now();
      size_t other = floor_jump(by_offset, pages - repeat * 7 % 40);
      double end = now();
      if (other == 0 || one < other) die("read", "the jumps do not agree");
      ours += middle - start;
      floor += end - middle;
      (void)our_page(1); /* the next one is cold again */
    }
    if (round >= 0) add_round(&jump, ours / 20, floor / 20);
  }
  for (int round = -1; round < rounds; round++) {
    size_t ours = 0, floor = 0;
    double start = now();
    for (int index = 0; index < id_count; index++) ours += our_agent(ids[index]);
    double middle = now();
    for (int index = 0; index < id_count; index++) floor += floor_agent(by_id, ids[index]);
    double end = now();
    if (floor != ours) die("read", "the agents are not the same");
    if (round >= 0) add_round(&get, (middle - start) / id_count, (end - middle) / id_count);
  }
  char name[64];
  snprintf(name, sizeof name, "page of 20, walking to %d", pages);
  print_figure(name, &walk, 1e3, "us", 1.5);
  snprintf(name, sizeof name, "page of 20, jump to %d", pages);
  print_figure(name, &jump, 1e3, "us", 1.2);
  print_figure("agent by id", &get, 1e3, "us", 1.5);
  muster_close(plane);
  return 0;
}
