// The system's SQLite, and what of it Swift cannot call: variadic functions and the SQLITE_TRANSIENT macro.
#pragma once
#include <sqlite3.h>
#include <stdint.h>

/// sqlite3_bind_text with SQLITE_TRANSIENT: SQLite keeps its own copy.
int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length);

/// sqlite3_bind_blob with SQLITE_TRANSIENT: SQLite keeps its own copy.
int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length);

/// Binds 16 bytes, high half first (big-endian), as a blob: an identifier.
int csqlite_bind_halves(sqlite3_stmt *statement, int index, uint64_t high, uint64_t low);

/// sqlite3_db_config for the switches that take an int and report one. Returns the SQLite result code.
int csqlite_set_switch(sqlite3 *database, int option, int on);

/// Lets a write-ahead log of another connection be neither checkpointed nor deleted at close.
int csqlite_keep_log_at_close(sqlite3 *database);

/// Process-wide settings, before the first connection: no memory statistics, no shared cache.
int csqlite_configure(void);
