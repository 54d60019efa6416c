#include <sqlite3.h>

/* Gives up a connection that a forked child inherited: the file and its log belong to the parent, so nothing is copied
 * from one to the other and neither is deleted. (sqlite3_db_config is variadic, which Swift cannot call.) */
static inline void csqlite_abandon(sqlite3 *connection) {
  sqlite3_stmt *statement;
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
  while ((statement = sqlite3_next_stmt(connection, (sqlite3_stmt *)0))) sqlite3_finalize(statement);
  sqlite3_close_v2(connection);
}
