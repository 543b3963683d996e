import Database
import HTTP
import LeadRegistration
import Model
import Platform
import Records
import RewardLedger

/// `/metrics`: the numbers of requests, writer and process, and those of the business.
enum Metrics {
    /// One group of series. What it cannot read is left out, counted and logged, and never takes
    /// the others with it.
    private struct Collector: Sendable {
        let name: String
        var isBusiness = false
        let write: @Sendable (Application, Reader, inout Exposition) throws -> Void
    }

    private static let collectors: [Collector] = [
        Collector(name: "build") { _, _, out in build(&out) },
        Collector(name: "process") { _, _, out in ProcessMetrics.write(to: &out) },
        Collector(name: "requests") { app, _, out in requests(app, &out) },
        Collector(name: "writer") { app, _, out in writer(app, &out) },
        Collector(name: "clicks") { app, _, out in clicks(app, &out) },
        Collector(name: "backup", write: backup),
        Collector(name: "rewards", isBusiness: true, write: rewards),
        Collector(name: "lead_clocks", isBusiness: true, write: leadClocks),
        Collector(name: "reward_clocks", isBusiness: true, write: overdueRewards),
        Collector(name: "time_to_reward", isBusiness: true, write: timeToReward),
        Collector(name: "ledger", isBusiness: true, write: ledger),
        Collector(name: "events", isBusiness: true, write: events),
    ]

    static func write(
        _ app: Application, _ reader: Reader, withBusiness: Bool, to out: inout Exposition
    ) {
        for collector in collectors where withBusiness || !collector.isBusiness {
            var part = Exposition()
            do {
                try collector.write(app, reader, &part)
                out.append(part)
            } catch {
                app.collectorFailures.note(collector.name, error)
            }
        }
        out.single(
            "referrald_unreadable_rows_total", .counter,
            "Rows that lists left out, for a value that this version does not know; verify names "
                + "it.",
            Double(UnreadableRows.count))
        out.family(
            "referrald_metrics_collector_failures_total", .counter,
            "Times that a group of series could not be read and was left out; the log says why.")
        for collector in collectors {
            out.sample(
                "referrald_metrics_collector_failures_total", [("collector", collector.name)],
                Double(app.collectorFailures.count(of: collector.name)))
        }
    }

    private static func build(_ out: inout Exposition) {
        out.family("referrald_build_info", .gauge, "What runs here; always 1.")
        out.sample(
            "referrald_build_info",
            [("version", Version.number), ("sqlite", DatabaseStatistics.sqliteVersion)], 1)
        out.single(
            "referrald_sqlite_log_reset_bug", .gauge,
            "1 when the system's SQLite is older than the fix of its WAL-reset bug (3.51.3).",
            DatabaseStatistics.hasLogResetBug ? 1 : 0)
    }

    private static func requests(_ app: Application, _ out: inout Exposition) {
        let totals = app.requestMetrics.totals()
        let names = app.requestMetrics.names
        out.family("referrald_http_requests_total", .counter, "Answers by route and status.")
        for (index, series) in totals.routes.enumerated() {
            for (status, count) in series.statuses.sorted(by: { $0.key < $1.key }) {
                out.sample(
                    "referrald_http_requests_total",
                    [
                        ("method", names[index].method), ("route", names[index].route),
                        ("code", String(status)),
                    ], Double(count))
            }
        }
        out.family(
            "referrald_http_request_duration_seconds", .histogram,
            "From the end of the request's head to its answer.")
        for (index, series) in totals.routes.enumerated() where series.count > 0 {
            out.histogram(
                "referrald_http_request_duration_seconds",
                [("method", names[index].method), ("route", names[index].route)],
                bounds: RequestMetrics.bounds, counts: series.buckets, sum: series.seconds)
        }
        out.single(
            "referrald_http_response_bytes_total", .counter, "Bytes of all answers.",
            Double(totals.bytesSent))
        out.single(
            "referrald_http_malformed_requests_total", .counter, "Requests refused by the parser.",
            Double(totals.refusedByParser))
        connections(app, &out)
    }

    private static func connections(_ app: Application, _ out: inout Exposition) {
        guard let statistics = app.serverStatistics else { return }
        out.single(
            "referrald_http_connections_open", .gauge, "Connections now open.",
            Double(statistics.connectionsOpen))
        out.single(
            "referrald_http_connections_accepted_total", .counter, "Connections accepted.",
            Double(statistics.connectionsAccepted))
        out.single(
            "referrald_http_connections_refused_total", .counter, "Connections over the limit.",
            Double(statistics.connectionsRefused))
        out.single(
            "referrald_http_idle_closed_total", .counter,
            "Resting connections closed because places were short.",
            Double(statistics.idleClosed))
        out.single(
            "referrald_http_unsent_bytes", .gauge,
            "Memory of answers that clients have not taken.", Double(statistics.unsentBytes))
        out.single(
            "referrald_http_slow_readers_closed_total", .counter,
            "Connections closed because such answers held too much memory.",
            Double(statistics.slowReadersClosed))
        out.single(
            "referrald_http_timeouts_total", .counter, "Connections closed for being too slow.",
            Double(statistics.timeouts))
    }

    private static func writer(_ app: Application, _ out: inout Exposition) {
        let statistics = app.database.statistics
        out.single(
            "referrald_writer_queue_depth", .gauge, "Writes that wait.",
            Double(statistics.queueDepth))
        out.histogram(
            "referrald_writer_batch_size", "Writes and clicks that shared one commit.",
            statistics.batchSize)
        out.histogram(
            "referrald_writer_commit_seconds", "Duration of COMMIT, sync included.",
            statistics.commitSeconds)
        out.single(
            "referrald_writer_batches_lost_total", .counter, "Batches whose commit failed.",
            Double(statistics.lostBatches))
        out.single(
            "referrald_wal_bytes", .gauge, "Size of the write-ahead log.",
            Double(statistics.logBytes))
        out.histogram(
            "referrald_checkpoint_seconds", "Duration of checkpoints.", statistics.checkpointSeconds
        )
        out.single(
            "referrald_checkpoint_failures_total", .counter, "Checkpoints that failed.",
            Double(statistics.checkpointFailures))
        out.single(
            "referrald_clock_jumps_total", .counter, "Times the clock ran behind the last commit.",
            Double(statistics.clockJumps))
    }

    private static func clicks(_ app: Application, _ out: inout Exposition) {
        let counts = app.clicks.counts
        out.family("referrald_clicks_total", .counter, "Recorded clicks by class since the start.")
        for (name, count) in counts.recorded {
            out.sample("referrald_clicks_total", [("class", name)], Double(count))
        }
        out.family(
            "referrald_clicks_unrecorded_total", .counter,
            "Redirects answered without a durable click, by cause.")
        for (cause, count) in counts.unrecorded {
            out.sample("referrald_clicks_unrecorded_total", [("cause", cause)], Double(count))
        }
        out.single(
            "referrald_clicks_closed_total", .counter,
            "Hits on links that are off.", Double(counts.closed))
        out.single(
            "referrald_forwarded_ignored_total", .counter,
            "Requests whose X-Forwarded-For came from no trusted proxy.",
            Double(app.forwards.ignored))
        out.single(
            "referrald_forwarded_missing_total", .counter,
            "Visitors' requests that a trusted proxy sent without X-Forwarded-For.",
            Double(app.forwards.missing))
        out.single(
            "referrald_forwarded_untrusted_hop_total", .counter,
            "Visitors' requests whose X-Forwarded-For goes on behind a proxy that is not trusted.",
            Double(app.forwards.untrustedHop))
    }

    /// What the operator can do something about, and by itself what it cannot.
    @Sendable
    private static func overdueRewards(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        var open: [RewardClock.Promise: Int64] = [:]
        var blocked: [RewardClock.Promise: [RewardObstacle: Int64]] = [:]
        for promise in RewardClock.Promise.allCases {
            for overdue in try RewardClockStore.overdueRewards(
                promise, at: app.clock.now(), reader)
            {
                if let obstacle = try FindObstacle.run(overdue, reader), !obstacle.isForOperator {
                    blocked[promise, default: [:]][obstacle, default: 0] += overdue.count
                } else {
                    open[promise, default: 0] += overdue.count
                }
            }
        }
        out.family(
            "referrald_rewards_overdue", .gauge,
            "Rewards that were to be credited or paid, by promise or target, and were not, for the "
                + "operator to do; each counted up to 10,000.")
        for promise in RewardClock.Promise.allCases {
            out.sample(
                "referrald_rewards_overdue", [("promise", promise.rawValue)],
                Double(open[promise] ?? 0))
        }
        out.family(
            "referrald_rewards_overdue_blocked", .gauge,
            "The same where something else stands in the way, by what that is.")
        for promise in RewardClock.Promise.allCases {
            for obstacle in RewardObstacle.allCases where !obstacle.isForOperator {
                out.sample(
                    "referrald_rewards_overdue_blocked",
                    [("promise", promise.rawValue), ("blocked_by", obstacle.rawValue)],
                    Double(blocked[promise]?[obstacle] ?? 0))
            }
        }
    }

    @Sendable
    private static func rewards(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        out.family("referrald_rewards", .gauge, "Rewards by state.")
        for (name, value) in try CounterStore.all(prefix: "rewards.", reader) {
            out.sample("referrald_rewards", [("state", String(name.dropFirst(8)))], Double(value))
        }
    }

    @Sendable
    private static func leadClocks(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        out.family(
            "referrald_lead_clocks_overdue", .gauge,
            "What was to be done for leads and was not, by kind; counted up to 10,000.")
        let overdue = try LeadClockStore.overdueCounts(at: app.clock.now(), reader)
        for kind in LeadClock.Kind.allCases {
            out.sample(
                "referrald_lead_clocks_overdue", [("kind", kind.rawValue)],
                Double(overdue[kind] ?? 0))
        }
    }

    @Sendable
    private static func timeToReward(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        let times = try RewardTimeStore.histogram(reader)
        out.family(
            "referrald_time_to_reward_seconds", .histogram,
            "From the referral until its reward was paid or its benefit given.")
        out.histogram(
            "referrald_time_to_reward_seconds", bounds: RewardTimeRules.bounds.map { Double($0) },
            counts: times.counts, sum: Double(times.seconds))
    }

    @Sendable
    private static func ledger(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        out.single(
            "referrald_ledger_imbalance", .gauge,
            "Sum of all balances over all currencies in absolute minor units; must be 0.",
            Double(try JournalStore.imbalance(reader)))
    }

    @Sendable
    private static func events(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        out.single(
            "referrald_events_head", .gauge, "Sequence of the newest event.",
            Double(try EventStore.head(reader)))
    }

    @Sendable
    private static func backup(
        _ app: Application, _ reader: Reader, _ out: inout Exposition
    ) throws {
        out.single(
            "referrald_backup_last_success_timestamp_seconds", .gauge,
            "When the last backup was written and found sound; 0: never.",
            Double(try Backup.last(reader) / 1_000))
    }
}

/// How often each collector failed; each is logged once in ten minutes at most, as metrics are
/// asked for several times a minute.
final class CollectorFailures: Sendable {
    private struct Entry {
        var count: UInt64 = 0
        var logged: MonotonicInstant?
    }

    private static let logSeconds = 600.0

    private let entries = Locked<[String: Entry]>([:])
    private let log: Log

    init(log: Log) { self.log = log }

    func count(of collector: String) -> UInt64 { entries.withLock { $0[collector]?.count ?? 0 } }

    func note(_ collector: String, _ error: any Error) {
        let now = MonotonicInstant.now()
        let isNew = entries.withLock { entries in
            entries[collector, default: Entry()].count += 1
            if let last = entries[collector]?.logged,
                now.seconds(since: last) < CollectorFailures.logSeconds
            {
                return false
            }
            entries[collector]?.logged = now
            return true
        }
        guard isNew else { return }
        log.write(.error, "metrics leave \(collector) out: \(error)")
    }
}
