import CSQLite
import Model

/// What the database did since it was opened; for metrics.
public struct DatabaseStatistics: Sendable {
    /// Writes accepted whose outcome is not yet known.
    public var queueDepth = 0
    public var batches: UInt64 = 0
    /// Writes that ran, whatever their outcome.
    public var jobs: UInt64 = 0
    /// Items that sinks were handed.
    public var items: UInt64 = 0
    /// Jobs and items of each batch.
    public var batchSize = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096])
    /// Duration of each COMMIT.
    public var commitSeconds = Histogram(
        bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
    /// Batches of which nothing was committed.
    public var lostBatches: UInt64 = 0
    /// Length of the log's file.
    public var logBytes: Int64 = 0
    public var checkpoints: UInt64 = 0
    public var checkpointSeconds = Histogram(
        bounds: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
    /// Checkpoints that a reader held up.
    public var checkpointsBusy: UInt64 = 0
    public var checkpointFailures: UInt64 = 0
    /// Times the clock was found behind the last commit, or far ahead of it.
    public var clockJumps: UInt64 = 0
    /// `now` of the last transaction that was committed.
    public var lastCommit: Instant?
    /// Why the last write failed, when the disk or the file was the cause; nil when writes succeed.
    public var writeFailure: String?

    /// The version of the system's library.
    public static var sqliteVersion: String { String(cString: sqlite3_libversion()) }

    /// Whether that library has the fault that loses pages when two connections checkpoint and
    /// commit at once (fixed in 3.51.3, 3.50.7 and 3.44.6); this module never does.
    public static var hasLogResetBug: Bool {
        switch sqlite3_libversion_number() {
        case 3_051_003..., 3_050_007..<3_051_000, 3_044_006..<3_045_000: false
        default: true
        }
    }
}

/// Counts of observations in buckets, as Prometheus wants them.
public struct Histogram: Sendable, Equatable {
    /// Upper bounds (inclusive) of the buckets, ascending; one more bucket holds what is larger.
    public let bounds: [Double]
    /// Observations of each bucket alone, not cumulated; one longer than `bounds`.
    public private(set) var counts: [UInt64]
    public private(set) var sum = 0.0
    public private(set) var count: UInt64 = 0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    public mutating func observe(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts[bucket] += 1
        sum += value
        count += 1
    }
}
