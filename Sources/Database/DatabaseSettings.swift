/// Limits and waits of the database, each with its reason.
public struct DatabaseSettings: Sendable {
    /// Writes that may wait or run at once; past it the answer is "try later", never an endless
    /// queue.
    public var queuedJobsMax = 4_096
    /// Jobs in one commit.
    public var batchJobsMax = 512
    /// Items that one sink handles in one commit.
    public var batchItemsMax = 4_096
    /// A batch takes no further jobs after this many milliseconds, so that the first ones are
    /// answered.
    public var batchMilliseconds: UInt64 = 5
    /// Pages in the log from which an idle moment is used to copy them into the file: 4 MB.
    public var logPagesIdle = 1_000
    /// Pages in the log from which they are copied under load too: 32 MB.
    public var logPagesForced = 8_192
    /// A moment without work, in milliseconds, after which the log is copied.
    public var idleMilliseconds: Int32 = 50
    /// A longer one, after which the log is emptied, or a failed disk is tried again.
    public var restMilliseconds: Int32 = 1_000
    /// Threads for long reads; each has a connection, opened at its first use.
    public var longReadThreads = 2
    public var queuedLongReadsMax = 32
    /// Threads for pages of which many are polled, such as the feed's, beside the long reads.
    public var pageReadThreads = 2
    public var queuedPageReadsMax = 512
    /// A long read's statements are interrupted after this many seconds: it holds the log back.
    public var longReadSeconds: UInt64 = 30
    /// How long a connection waits for a lock of another.
    public var busyMilliseconds: Int32 = 5_000
    /// A batch that runs longer means that the disk hangs, and `health` says so.
    public var stuckSeconds: Double = 10
    /// Whether a database is made where there is none.
    public var making = Making.whereNothingLies
    /// Files that a database leaves beside it, in addition to SQLite's own: where one lies, there
    /// was a database.
    public var remains: [String] = []
    /// Told in a sentence of what an operator should know, such as a jump of the clock. Called on
    /// the writer thread.
    public var onNotice: (@Sendable (String) -> Void)?
    /// Called on the writer thread once everybody was told what became of a batch.
    public var onBatchEnd: (@Sendable () -> Void)?

    public enum Making: Sendable {
        case no
        /// Not where the log or the signing key of another one lies: that one was lost, and an
        /// empty one in its place would have SQLite delete the rest of it.
        case whereNothingLies
        /// There as well; a log is set aside.
        case besideRemains
    }

    public init() {}
}
