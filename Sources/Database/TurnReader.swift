/// A loop's read-only connection. The reads of one turn share a view of the database, because
/// opening one takes two file locks, and with them system calls. A commit in between opens a new
/// view, so whoever was told of a commit reads it. What takes longer than a loop may wait is
/// interrupted (`StepBudget`). Confined to one thread.
public final class TurnReader {
    private let database: Database
    private let reader: Reader
    private let budget: StepBudget
    /// The commits that the open view has at least; nil while none is open.
    private var commits: UInt64?

    /// Opens a connection of its own.
    public init(_ database: Database) throws {
        self.database = database
        reader = try database.makeReader()
        budget = StepBudget(reader.connection)
    }

    /// The connection, at a view that has every commit which anybody was told of. Good for the
    /// reads of one request.
    public func current() throws -> Reader {
        budget.refill()
        let newest = database.commits
        if commits == newest { return reader }
        try endTurn()
        try reader.beginView()
        commits = newest
        return reader
    }

    /// Gives the view up: an open one holds back the log.
    public func endTurn() throws {
        guard commits != nil else { return }
        budget.refill()
        commits = nil
        try reader.endView()
    }
}

extension Reader {
    fileprivate func beginView() throws {
        try connection.statement("BEGIN").runAlone()
    }

    /// A failure may have ended the transaction already (sqlite.org/lang_transaction.html).
    fileprivate func endView() throws {
        guard !connection.isAutocommit else { return }
        try connection.statement("COMMIT").runAlone()
    }
}
