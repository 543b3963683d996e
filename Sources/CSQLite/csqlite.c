#include "csqlite.h"
#include <errno.h>
#include <sys/file.h>
#include <sys/vfs.h>

int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int64_t length) {
    // An empty string may come with no address, which SQLite would take for NULL.
    if (length == 0) return sqlite3_bind_text(statement, index, "", 0, SQLITE_STATIC);
    return sqlite3_bind_text64(
        statement, index, text, (sqlite3_uint64)length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int64_t length) {
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(
        statement, index, bytes, (sqlite3_uint64)length, SQLITE_TRANSIENT);
}

int csqlite_bind_halves(sqlite3_stmt *statement, int index, uint64_t high, uint64_t low) {
    uint64_t halves[2] = {__builtin_bswap64(high), __builtin_bswap64(low)};
    return sqlite3_bind_blob(statement, index, halves, sizeof halves, SQLITE_TRANSIENT);
}

int csqlite_set_switch(sqlite3 *database, int option, int on) {
    return sqlite3_db_config(database, option, on, (int *)0);
}

int csqlite_keep_log_at_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

int csqlite_has_moved(sqlite3 *database) {
    int moved = 0;
    sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

int csqlite_read_beginning(sqlite3 *database, void *bytes, int length) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (file == 0 || file->pMethods == 0) return SQLITE_MISUSE;
    return file->pMethods->xRead(file, bytes, length, 0);
}

int csqlite_configure(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int csqlite_is_network_file_system(const char *path) {
    struct statfs info;
    if (statfs(path, &info) != 0) return -1;
    // statfs(2) lists the numbers.
    switch ((uint32_t)info.f_type) {
    case 0x6969:      // NFS
    case 0x517B:      // SMB
    case 0xFF534D42:  // CIFS
    case 0xFE534D42:  // SMB2
    case 0x00C36400:  // Ceph
    case 0x5346414F:  // AFS
    case 0x6B414653:  // kAFS
    case 0x73757245:  // Coda
    case 0x564C:      // NCP
    case 0x7461636F:  // OCFS2
    case 0x01161970:  // GFS2
    case 0x0BD00BD0:  // Lustre
        return 1;
    default:
        return 0;
    }
}

int csqlite_try_lock(int descriptor) {
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

void csqlite_unlock(int descriptor) { flock(descriptor, LOCK_UN); }
