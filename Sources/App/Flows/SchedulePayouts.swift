import Database
import Model
import Programs
import Records
import RewardLedger

/// A program's payouts fall due by themselves: one job a program, which makes the runs of its
/// period and is followed by the next one.
enum SchedulePayouts {
    static let job = "payout.schedule"

    /// Brings the program's job into line with its terms, after a change of either. A run that is
    /// due and not made yet is still made, so that no change of terms loses a period.
    static func follow(_ program: Program, from old: Program, _ tx: Transaction) throws {
        let schedule = program.terms.payouts.schedule
        let wasDraft = old.state == .draft
        guard program.state != .draft, wasDraft || schedule != old.terms.payouts.schedule else {
            return
        }
        let due = try JobStore.due(job, program.id, tx)
        if let due, due <= tx.now, schedule.every != .none { return }
        try JobStore.cancel(job, program.id, tx)
        try next(program, after: tx.now, tx)
    }

    /// Makes the runs of the period that began at `due`, in a transaction of the job runner. The
    /// next period is the one after it, also when that is over: each has its own runs.
    static func run(_ id: ProgramID, at due: Instant, _ tx: Transaction) throws {
        guard let program = try ProgramStore.find(id, tx) else { return }
        // A job that was put off falls due later than its period began.
        let zone = program.terms.timeZone
        let period = program.terms.payouts.schedule.period(of: due, in: zone) ?? zone.day(of: due)
        try PayoutRunBook.open(
            period: period, program: id, currency: program.currency,
            terms: program.terms.payouts, tx)
        try next(program, after: due, tx)
    }

    private static func next(
        _ program: Program, after instant: Instant, _ tx: Transaction
    ) throws {
        let terms = program.terms
        guard let due = terms.payouts.schedule.next(after: instant, in: terms.timeZone) else {
            return
        }
        try JobStore.schedule(job, program.id, at: due, tx)
    }
}
