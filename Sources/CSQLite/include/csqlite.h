// The system's SQLite, and what of it Swift cannot call: variadic functions, the SQLITE_TRANSIENT
// macro, and the result codes that are made of two others.
#pragma once
#include <sqlite3.h>
#include <stdint.h>

/// sqlite3_bind_text with SQLITE_TRANSIENT: SQLite keeps its own copy.
int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int64_t length);

/// sqlite3_bind_blob with SQLITE_TRANSIENT: SQLite keeps its own copy.
int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int64_t length);

/// Binds 16 bytes, high half first (big-endian), as a blob: an identifier.
int csqlite_bind_halves(sqlite3_stmt *statement, int index, uint64_t high, uint64_t low);

/// sqlite3_db_config for the switches that take an int and report one. Returns the SQLite result
/// code.
int csqlite_set_switch(sqlite3 *database, int option, int on);

/// Lets a write-ahead log of another connection be neither checkpointed nor deleted at close.
int csqlite_keep_log_at_close(sqlite3 *database);

/// 1 when the file at the database's path is not the one that the connection has open, else 0.
int csqlite_has_moved(sqlite3 *database);

/// Reads the first `length` bytes of the database file through the connection's own descriptor.
/// Returns the SQLite result code.
int csqlite_read_beginning(sqlite3 *database, void *bytes, int length);

/// Process-wide settings, before the first connection: no memory statistics.
int csqlite_configure(void);

/// 1 when the file system that holds `path` is a network's, on which a write-ahead log cannot work
/// (its index is memory shared by one host's processes), 0 when not, -1 when it cannot be told.
int csqlite_is_network_file_system(const char *path);

/// Takes an exclusive advisory lock (flock) on an open file without waiting. 0, or the errno.
int csqlite_try_lock(int descriptor);

/// Gives the lock of csqlite_try_lock up.
void csqlite_unlock(int descriptor);

static const int csqlite_constraint_unique = SQLITE_CONSTRAINT_UNIQUE;
static const int csqlite_constraint_primary_key = SQLITE_CONSTRAINT_PRIMARYKEY;
static const int csqlite_constraint_foreign_key = SQLITE_CONSTRAINT_FOREIGNKEY;
static const int csqlite_constraint_trigger = SQLITE_CONSTRAINT_TRIGGER;
static const int csqlite_constraint_check = SQLITE_CONSTRAINT_CHECK;
