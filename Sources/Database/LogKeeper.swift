import CSQLite
import Platform

/// Keeps the write-ahead log in bounds. The writer's connection alone copies it into the file, in
/// idle moments, and under load when it has grown to a bound.
final class LogKeeper {
    private let connection: Connection
    private let settings: DatabaseSettings
    private let statistics: Locked<DatabaseStatistics>
    private let watch: FileWatch
    /// Pages in the log after the last commit.
    private(set) var pages = 0
    /// Of these, copied into the file.
    private var copied = 0
    /// The length of the log's file, in pages: it keeps it when the log begins anew.
    private var extent = 0
    /// Under load, the next attempt waits for the log to grow this far.
    private var nextAttempt: Int

    /// `self` is handed to SQLite: the connection must not commit after it is gone.
    init(
        _ connection: Connection, _ settings: DatabaseSettings, _ watch: FileWatch,
        _ statistics: Locked<DatabaseStatistics>
    ) {
        self.connection = connection
        self.settings = settings
        self.watch = watch
        self.statistics = statistics
        nextAttempt = settings.logPagesForced
        sqlite3_wal_hook(
            connection.handle,
            { context, _, _, pages in
                if let context {
                    Unmanaged<LogKeeper>.fromOpaque(context).takeUnretainedValue()
                        .committed(Int(pages))
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { sqlite3_wal_hook(connection.handle, nil, nil) }

    private func committed(_ pages: Int) {
        if pages < self.pages {
            // The log began anew, for all of it had been copied.
            copied = 0
            nextAttempt = settings.logPagesForced
        }
        self.pages = pages
        extent = max(extent, pages)
    }

    /// Whether an idle moment would be well used.
    var wantsCopy: Bool { pages - copied >= settings.logPagesIdle }

    /// Whether a longer one would.
    var wantsEmptying: Bool { extent >= settings.logPagesIdle }

    /// After a batch: copies what the bound demands.
    func afterBatch() {
        guard pages >= nextAttempt else { return }
        if pages < 2 * settings.logPagesForced {
            checkpoint(SQLITE_CHECKPOINT_PASSIVE)
        } else {
            // There was always some reader in the log. This waits for those who read an older
            // state; who comes after finds everything in the file, so that the log can begin anew.
            // Loops are out of it within a millisecond or two; a long read is not, however long
            // everybody waits for it. So this waits for long, and tries often, only where the log
            // is long as well.
            let isLong = pages >= 8 * settings.logPagesForced
            checkpoint(SQLITE_CHECKPOINT_RESTART, busyMilliseconds: isLong ? 20 : 3)
            if !isLong {
                nextAttempt = max(settings.logPagesForced, pages + settings.logPagesForced / 2)
                return
            }
        }
        nextAttempt = max(settings.logPagesForced, pages + settings.logPagesForced / 8)
    }

    func copyWhileIdle() { checkpoint(SQLITE_CHECKPOINT_PASSIVE) }

    /// Copies all and cuts the log's file to nothing, unless a reader is in it.
    func emptyWhileIdle() { checkpoint(SQLITE_CHECKPOINT_TRUNCATE, busyMilliseconds: 0) }

    func emptyAtClose() {
        do {
            try watch.check(logPages: pages, isThorough: true)
        } catch {
            // What the log holds is perhaps the last of it: SQLite would delete the file at the
            // log's path.
            _ = csqlite_keep_log_at_close(connection.handle)
            return
        }
        checkpoint(SQLITE_CHECKPOINT_TRUNCATE, busyMilliseconds: settings.busyMilliseconds)
    }

    private func checkpoint(_ mode: Int32, busyMilliseconds: Int32 = 0) {
        do {
            try watch.check(logPages: pages, isThorough: true)
        } catch {
            // The next batch, or the next second without one, tells of it.
            return statistics.withLock { $0.checkpointFailures += 1 }
        }
        let started = MonotonicInstant.now()
        var total: Int32 = 0
        var done: Int32 = 0
        sqlite3_busy_timeout(connection.handle, busyMilliseconds)
        let code = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, &total, &done)
        sqlite3_busy_timeout(connection.handle, settings.busyMilliseconds)
        let isBusy = code & 0xFF == SQLITE_BUSY
        if total >= 0, done >= 0, code == SQLITE_OK || isBusy {
            pages = Int(total)
            copied = Int(done)
        }
        watch.noteCheckpoint()
        if mode == SQLITE_CHECKPOINT_TRUNCATE, code == SQLITE_OK { extent = 0 }
        let seconds = MonotonicInstant.now().seconds(since: started)
        statistics.withLock {
            $0.checkpoints += 1
            $0.checkpointSeconds.observe(seconds)
            if isBusy {
                $0.checkpointsBusy += 1
            } else if code != SQLITE_OK {
                $0.checkpointFailures += 1
            }
        }
    }
}
