import CSQLite

/// How much one request may have a loop's connection do. A statement that walks over far more rows
/// than a page shows, because nothing selects by what a filter asks, is interrupted before
/// redirects wait for it; whoever runs it goes on elsewhere.
final class StepBudget {
    /// Of SQLite's virtual machine: a few milliseconds, ten times a page of a hundred rows.
    static let stepsMax: Int32 = 200_000

    private static let stepsAtOnce: Int32 = 2_000

    private final class Left {
        var steps = StepBudget.stepsMax
    }

    private let connection: Connection
    private let left = Left()

    init(_ connection: Connection) {
        self.connection = connection
        sqlite3_progress_handler(
            connection.handle, StepBudget.stepsAtOnce,
            { context in
                guard let context else { return 0 }
                let left = Unmanaged<Left>.fromOpaque(context).takeUnretainedValue()
                left.steps -= StepBudget.stepsAtOnce
                return left.steps > 0 ? 0 : 1
            }, Unmanaged.passUnretained(left).toOpaque())
    }

    deinit { sqlite3_progress_handler(connection.handle, 0, nil, nil) }

    /// The next request begins.
    func refill() { left.steps = StepBudget.stepsMax }
}
