import Attribution
import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// A rehearsed change becomes the program's rule: now, or when its time has come.
enum ActivateRehearsal {
    static let job = "rehearsal.activate"

    static let inThePast = Problem.unprocessable(
        "in_the_past", "at is earlier than now; leave it out to activate at once.")

    /// Schedules it for `instant`, or carries it out when none is named. The rules of a day decide
    /// about what is recorded on it, so none can begin in the past.
    static func run(
        _ rehearsal: Rehearsal, at instant: Instant?, actor: String, _ tx: Transaction
    ) throws -> Rehearsal {
        if let instant, instant < tx.now { throw Refused(inThePast) }
        var changed = rehearsal
        let next = try rehearsal.state.moved(by: .activate)
        try JobStore.cancel(rehearsal.id, tx)
        if let instant {
            // What is promised for later must be possible at least now.
            let program = try program(rehearsal, tx)
            try checkUnchanged(rehearsal, program, tx)
            _ = try change(rehearsal).rules(program, tx)
            changed.activateAt = instant
            try JobStore.schedule(job, rehearsal.id, at: instant, tx)
        } else {
            let program = try program(rehearsal, tx)
            try checkUnchanged(rehearsal, program, tx)
            try change(rehearsal).activate(program, actor: actor, tx)
            changed.state = next
            changed.activateAt = tx.now
        }
        try save(&changed, from: rehearsal, actor: actor, tx)
        return changed
    }

    /// The time has come. What is no longer possible fails, and says why. The rules are made by
    /// whoever scheduled them: a date does not make them the system's.
    static func due(_ id: RehearsalID, _ tx: Transaction) throws {
        guard let rehearsal = try RehearsalStore.find(id, tx), rehearsal.state == .done else {
            return
        }
        var changed = rehearsal
        do {
            let program = try program(rehearsal, tx)
            try checkUnchanged(rehearsal, program, tx)
            let actor = try EventStore.newestActor("rehearsal.scheduled", of: id, tx)
            try change(rehearsal).activate(program, actor: actor ?? "system", tx)
            changed.state = .activated
        } catch {
            guard let problem = BulkRequest.problem(of: error) else { throw error }
            changed.state = .failed
            changed.reason = problem.detail
        }
        try save(&changed, from: rehearsal, actor: "system", tx)
    }

    static func cancel(
        _ rehearsal: Rehearsal, actor: String, _ tx: Transaction
    ) throws -> Rehearsal {
        var changed = rehearsal
        changed.state = try rehearsal.state.moved(by: .cancel)
        changed.activateAt = nil
        try JobStore.cancel(rehearsal.id, tx)
        try save(&changed, from: rehearsal, actor: actor, tx)
        return changed
    }

    private static func save(
        _ changed: inout Rehearsal, from old: Rehearsal, actor: String, _ tx: Transaction
    ) throws {
        changed.version += 1
        changed.updatedAt = tx.now
        try RehearsalStore.update(changed, tx)
        let event = changed.state == old.state ? "scheduled" : changed.state.rawValue
        try EventStore.append(
            NewEvent(
                "rehearsal.\(event)", changed.id, program: changed.program, actor: actor,
                from: old.state.rawValue, to: changed.state.rawValue,
                data: [
                    "activate_at": changed.activateAt.map { .string($0.rfc3339) } ?? .null
                ]), tx)
    }

    /// The change was laid over the program's attribution of that version and the rules of reward
    /// of that moment; over others it would be a rule that nobody has rehearsed.
    private static func checkUnchanged(
        _ rehearsal: Rehearsal, _ program: Program, _ tx: Transaction
    ) throws {
        if program.state == .ended { throw ProgramRefusal.notActive(state: .ended) }
        let rules = try RehearsalChange.activeVersions(in: program.id, tx)
        guard rehearsal.rewardRules == nil || rehearsal.rewardRules == rules else {
            throw Refused(programChanged)
        }
        guard rehearsal.programVersion != program.version else { return }
        let kept = try ProgramStore.version(rehearsal.programVersion, of: program.id, tx)
        guard kept?.terms.attribution == program.terms.attribution else {
            throw Refused(programChanged)
        }
    }

    static let programChanged = Problem.conflict(
        "program_changed",
        "The program's attribution or its reward rules are not those that were rehearsed with; "
            + "rehearse again.")

    private static func change(_ rehearsal: Rehearsal) throws -> RehearsalChange {
        try RehearsalChange(Body(rehearsal.change.objectValue ?? [:]))
    }

    private static func program(_ rehearsal: Rehearsal, _ tx: Transaction) throws -> Program {
        guard let program = try ProgramStore.recall(rehearsal.program, tx) else {
            throw DatabaseFault(
                operation: "read a rehearsal's program", code: DatabaseFault.corrupt)
        }
        return program
    }
}
