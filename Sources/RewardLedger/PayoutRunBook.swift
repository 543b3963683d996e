import Database
import JSON
import Model
import Records

/// What happens to payout runs: one is opened in a request or by the schedule, and submitted or
/// confirmed as a whole; the request does the first slice, the job runner the others.
///
/// A slice is one transaction: its drafts, how far the run has come, and their events stand or fall
/// together, so that a run that was stopped goes on where it was and nobody gets two of its drafts.
public enum PayoutRunBook {
    /// What one slice may cost: a participant costs one, and every ten rewards of a draft and every
    /// entry in the journal one more; a few milliseconds, so that a redirect never waits for it.
    static let sliceCost = 20

    /// The run that `reference` names already, when it is the same; else a new one.
    public static func open(
        reference: String, program: ProgramID, kind: Payout.Kind, currency: Currency,
        terms: PayoutTerms, selection: PayoutRunSelection = PayoutRunSelection(), actor: String,
        _ tx: Transaction
    ) throws -> (run: PayoutRun, isNew: Bool) {
        if let known = try PayoutRunStore.find(reference: reference, tx) {
            try PayoutRunRules.checkSame(known, program: program, kind: kind, selection)
            return (known, false)
        }
        let run = PayoutRun(
            id: tx.makeID(), program: program, reference: reference, kind: kind,
            currency: currency, period: nil, terms: terms, selection: selection, actor: actor,
            createdAt: tx.now)
        try insert(run, tx)
        return (run, true)
    }

    /// The schedule's runs for `period`: one of cash, and one of each other kind when there is any
    /// of it to pay. What was made for the period already is not made again.
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

    /// Begins to submit or to confirm all payouts of a run whose state allows it.
    public static func begin(
        _ action: PayoutRun.State.Action, _ old: PayoutRun, providerReference: String?,
        actor: String, _ tx: Transaction
    ) throws -> PayoutRun {
        var run = old
        run.state = try old.state.moved(by: action)
        if action == .submit, let finished = old.finishedAt {
            try PayoutRules.checkReview(until: old.submitFrom(at: finished), at: tx.now)
        }
        run.cursor = 0
        run.leftOut = 0
        run.actionActor = actor
        run.providerReference = providerReference
        try PayoutRunStore.update(run, tx)
        try tell(run, from: old, tx)
        return run
    }

    /// What the flows know of somebody who is to be paid by `run`.
    public typealias Standing =
        @Sendable (PayoutRun, ParticipantID, Transaction) throws -> PayoutStanding

    /// Does a slice of this run, in the request that began it. `again` begins it again after a
    /// fault, which the job runner meets then and tells.
    public static func first(
        _ run: PayoutRun, _ standing: Standing, _ tx: Transaction, again: () throws -> PayoutRun
    ) throws -> PayoutRun {
        do {
            return try slice(run, cost: sliceCost, standing, tx)
        } catch {
            if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
            try tx.undo()
            return try again()
        }
    }

    /// Does a slice of the oldest run. Whom nothing may be paid to is skipped, and an event says
    /// why. Returns what went wrong, for the log: a participant who cannot be drafted for, or a
    /// payout that cannot be moved, is counted and passed over, alone.
    public static func advance(_ tx: Transaction, standing: Standing) throws -> String? {
        guard let run = try PayoutRunStore.running(tx) else { return nil }
        do {
            _ = try slice(run, cost: sliceCost, standing, tx)
            return nil
        } catch {
            if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
            try tx.undo()
        }
        do {
            _ = try slice(run, cost: 1, standing, tx)
            return nil
        } catch {
            if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
            try tx.undo()
            return try passOver(run, error, tx)
        }
    }

    // MARK: - Steps

    private static func slice(
        _ run: PayoutRun, cost most: Int, _ standing: Standing, _ tx: Transaction
    ) throws -> PayoutRun {
        switch run.state {
        case .running: try draft(run, cost: most, standing, tx)
        case .submitting, .confirming: try move(run, cost: most, standing, tx)
        case .done: run
        }
    }

    private static func draft(
        _ old: PayoutRun, cost most: Int, _ standing: Standing, _ tx: Transaction
    ) throws -> PayoutRun {
        var run = old
        var cost = 0
        var seen = 0
        let candidates = try PayoutRunStore.candidates(run, limit: most, tx)
        for participant in candidates {
            guard cost < most else { break }
            cost += 1
            switch try PayoutRunBook.standing(run, participant, standing, tx) {
            case .outside:
                run.last = participant
                seen += 1
                continue
            case .leftOut(let reason):
                run.pass(by: participant)
                run.skipped += 1
                seen += 1
                try tell(run, skipped: participant, reason, tx)
                continue
            case .payable: break
            }
            var order = run.order(for: participant, at: tx.now)
            order.offsetsMax = most
            let head = try JournalStore.head(tx).sequence
            do {
                let payout = try PayoutBook.draft(order, tx)
                run.draftedCount += 1
                run.draftedAmount += payout.amount
                cost += Int(clamping: payout.rewardCount / 10)
            } catch PayoutRefusal.offsetUnfinished {
                // The next slice goes on with this participant.
                break
            } catch is PayoutRefusal {
                run.waiting += 1
            }
            cost += Int(clamping: try JournalStore.head(tx).sequence - head)
            run.pass(by: participant)
            seen += 1
        }
        if seen == candidates.count, candidates.count < most { finish(&run, tx) }
        try save(run, from: old, tx)
        return run
    }

    /// Whom the flows would pay may still have to say where first.
    static func standing(
        _ run: PayoutRun, _ participant: ParticipantID, _ standing: Standing, _ tx: Transaction
    ) throws -> PayoutStanding {
        let known = try standing(run, participant, tx)
        guard case .payable = known, try PayoutReturn.isHeld(participant, run.kind, tx) else {
            return known
        }
        return .leftOut(PayoutStanding.returned)
    }

    /// Submits or confirms the run's next payouts. One that cannot be submitted stays a draft, and
    /// an event says why.
    private static func move(
        _ old: PayoutRun, cost most: Int, _ standing: Standing, _ tx: Transaction
    ) throws -> PayoutRun {
        var run = old
        var cost = 0
        var seen = 0
        let next = try PayoutRunStore.payouts(of: run, limit: most, tx)
        for (sequence, payout) in next {
            guard cost < most else { break }
            cost += 1
            seen += 1
            run.cursor = sequence
            guard payout.state == (run.state == .submitting ? .draft : .processing) else {
                continue
            }
            let actor = run.actionActor ?? run.actor
            if run.state == .confirming {
                _ = try PayoutBook.confirm(payout, paid: nil, actor: actor, tx)
                cost += Int(clamping: payout.rewardCount)
            } else if let reason = try submit(payout, of: run, actor, standing, tx) {
                run.leftOut += 1
                try tell(run, skipped: payout.participant, reason, payout: payout.id, tx)
            }
        }
        if seen == next.count, next.count < most { finish(&run, tx) }
        try save(run, from: old, tx)
        return run
    }

    /// Why the payout is not submitted; nil: it is.
    private static func submit(
        _ payout: Payout, of run: PayoutRun, _ actor: String, _ standing: Standing,
        _ tx: Transaction
    ) throws -> String? {
        if case .leftOut(let reason) = try self.standing(run, payout.participant, standing, tx) {
            return reason
        }
        do {
            try PayoutBook.checkDebt(payout, tx)
            _ = try PayoutBook.submit(
                payout, providerReference: run.providerReference, actor: actor, tx)
            return nil
        } catch PayoutRefusal.owesSince {
            return "owes_since_draft"
        } catch PayoutRefusal.inReview {
            return "in_review"
        }
    }

    private static func passOver(
        _ old: PayoutRun, _ error: any Error, _ tx: Transaction
    ) throws -> String {
        var run = old
        run.failed += 1
        if old.state == .running {
            guard let participant = try PayoutRunStore.candidates(run, limit: 1, tx).first else {
                throw error
            }
            run.pass(by: participant)
            try save(run, from: old, tx)
            return "run \(run.id) could not draft a payout for \(participant): \(type(of: error))"
        }
        guard let (sequence, payout) = try PayoutRunStore.payouts(of: run, limit: 1, tx).first
        else { throw error }
        run.cursor = sequence
        try save(run, from: old, tx)
        return "run \(run.id) could not move \(payout.id): \(type(of: error))"
    }

    private static func finish(_ run: inout PayoutRun, _ tx: Transaction) {
        run.state = .done
        run.finishedAt = run.finishedAt ?? tx.now
    }

    private static func insert(_ run: PayoutRun, _ tx: Transaction) throws {
        try PayoutRunStore.insert(run, tx)
        try tell(run, from: nil, tx)
    }

    private static func save(_ run: PayoutRun, from old: PayoutRun, _ tx: Transaction) throws {
        try PayoutRunStore.update(run, tx)
        if run.state == .done { try tell(run, from: old, tx) }
    }

    private static func tell(
        _ run: PayoutRun, from old: PayoutRun?, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                "payout_run.\(run.state.rawValue)", run.id, program: run.program,
                actor: run.actionActor ?? run.actor, from: old?.state.rawValue,
                to: run.state.rawValue,
                data: [
                    "kind": .string(run.kind.rawValue),
                    "currency": .string(run.currency.code),
                    "examined": .integer(run.examined), "waiting": .integer(run.waiting),
                    "failed": .integer(run.failed), "skipped": .integer(run.skipped),
                    "left_out": .integer(run.leftOut),
                ]), tx)
    }

    private static func tell(
        _ run: PayoutRun, skipped participant: ParticipantID, _ reason: String,
        payout: PayoutID? = nil, _ tx: Transaction
    ) throws {
        var data = JSONObject()
        if let payout { data["payout_id"] = .string(payout.description) }
        try EventStore.append(
            NewEvent(
                "payout_run.skipped", run.id, program: run.program, participant: participant,
                actor: run.actionActor ?? run.actor, reason: reason, data: .object(data)), tx)
    }
}
