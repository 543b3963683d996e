import Database
import JSON
import Model
import Records

/// What happens to payout runs: one is opened in a request or by the schedule, and the job runner
/// does it slice by slice.
///
/// A slice is one transaction: its drafts, how far the run has come, and their events stand or fall
/// together, so that a run that was stopped goes on where it was and nobody gets two of its drafts.
public enum PayoutRunBook {
    /// What one slice may cost: a participant costs one, and every ten rewards of a draft one more;
    /// a few milliseconds, so that a redirect never waits for it.
    static let sliceCost = 20

    /// The run that `reference` names already, when it is the same; else a new one.
    public static func open(
        reference: String, program: ProgramID, kind: Payout.Kind, currency: Currency,
        terms: PayoutTerms, actor: String, _ tx: Transaction
    ) throws -> (run: PayoutRun, isNew: Bool) {
        if let known = try PayoutRunStore.find(reference: reference, tx) {
            try PayoutRunRules.checkSame(known, program: program, kind: kind)
            return (known, false)
        }
        let run = PayoutRun(
            id: tx.makeID(), program: program, reference: reference, kind: kind,
            currency: currency, period: nil, terms: terms, actor: actor, createdAt: tx.now)
        try insert(run, tx)
        return (run, true)
    }

    /// The schedule's runs for `period`: one of cash, and one of account credit when there is any
    /// to pay. What was made for the period already is not made again.
    public static func open(
        period: Int64, program: ProgramID, currency: Currency, terms: PayoutTerms,
        _ tx: Transaction
    ) throws {
        for kind in Payout.Kind.allCases
        where try !PayoutRunStore.exists(program, kind, period: period, tx) {
            let run = PayoutRun(
                id: tx.makeID(), program: program, reference: nil, kind: kind,
                currency: currency, period: period, terms: terms, actor: "system",
                createdAt: tx.now)
            let isEmpty = try PayoutRunStore.candidates(run, limit: 1, tx).isEmpty
            if kind == .cash || !isEmpty { try insert(run, tx) }
        }
    }

    /// Does a slice of the oldest run. Who is not `payable` waits for a later one. Returns what
    /// went wrong, for the log: a participant who cannot be drafted for is counted and passed over,
    /// alone.
    public static func advance(
        _ tx: Transaction, payable isPayable: (ParticipantID) throws -> Bool
    ) throws -> String? {
        guard let run = try PayoutRunStore.running(tx) else { return nil }
        do {
            try advance(run, cost: sliceCost, tx, isPayable)
            return nil
        } catch {
            if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
            try tx.undo()
        }
        do {
            try advance(run, cost: 1, tx, isPayable)
            return nil
        } catch {
            if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
            try tx.undo()
            return try passOver(run, error, tx)
        }
    }

    // MARK: - Steps

    private static func advance(
        _ old: PayoutRun, cost most: Int, _ tx: Transaction,
        _ isPayable: (ParticipantID) throws -> Bool
    ) throws {
        var run = old
        var cost = 0
        let candidates = try PayoutRunStore.candidates(run, limit: most, tx)
        for participant in candidates {
            guard cost < most else { break }
            cost += 1
            run.examined += 1
            run.last = participant
            guard try isPayable(participant) else {
                run.waiting += 1
                continue
            }
            var order = PayoutOrder(
                reference: nil, participant: participant, program: run.program,
                currency: run.currency, kind: run.kind, actor: run.actor)
            order.minimum = run.minimum
            order.run = run.id
            order.submitFrom = run.submitFrom(at: tx.now)
            do {
                cost += Int(clamping: try PayoutBook.draft(order, tx).rewardCount / 10)
            } catch is PayoutRefusal {
                run.waiting += 1
            }
        }
        if candidates.isEmpty { finish(&run, tx) }
        try save(run, tx)
    }

    private static func passOver(
        _ old: PayoutRun, _ error: any Error, _ tx: Transaction
    ) throws -> String {
        var run = old
        guard let participant = try PayoutRunStore.candidates(run, limit: 1, tx).first else {
            throw error
        }
        run.last = participant
        run.examined += 1
        run.failed += 1
        try save(run, tx)
        return "run \(run.id) could not draft a payout for \(participant): \(type(of: error))"
    }

    private static func finish(_ run: inout PayoutRun, _ tx: Transaction) {
        run.state = .done
        run.finishedAt = tx.now
    }

    private static func insert(_ run: PayoutRun, _ tx: Transaction) throws {
        try PayoutRunStore.insert(run, tx)
        try tell(run, tx)
    }

    private static func save(_ run: PayoutRun, _ tx: Transaction) throws {
        try PayoutRunStore.update(run, tx)
        if run.state == .done { try tell(run, tx) }
    }

    private static func tell(_ run: PayoutRun, _ tx: Transaction) throws {
        let isDone = run.state == .done
        try EventStore.append(
            NewEvent(
                "payout_run.\(run.state.rawValue)", run.id, program: run.program,
                actor: run.actor, from: isDone ? PayoutRun.State.running.rawValue : nil,
                to: run.state.rawValue,
                data: [
                    "kind": .string(run.kind.rawValue),
                    "currency": .string(run.currency.code),
                    "examined": .integer(run.examined), "waiting": .integer(run.waiting),
                    "failed": .integer(run.failed),
                ]), tx)
    }
}
