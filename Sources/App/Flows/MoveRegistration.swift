import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records

/// A registration goes on in its life, and what follows: who holds the account, what falls due, who
/// is told. One transaction, from top to bottom.
enum MoveRegistration {
    /// Carries out `move` on the stored `registration`.
    static func run(
        _ move: RegistrationMove, of registration: Registration, actor: String, _ tx: Transaction
    ) throws -> Registration {
        guard let program = try ProgramStore.recall(registration.program, tx) else {
            throw DatabaseFault(operation: "read a program", code: DatabaseFault.corrupt)
        }
        let changed = try RegistrationRules.moved(
            registration, by: move, currency: program.currency, at: tx.now)
        try record(changed, from: registration, RegistrationMove.name(move), actor: actor, tx)
        return changed
    }

    /// Its time is over: it lapses, once. Does nothing to one that has moved on or was prolonged.
    static func lapse(_ id: RegistrationID, _ tx: Transaction) throws {
        guard let registration = try RegistrationStore.find(id, tx),
            let lapsed = RegistrationRules.lapsed(registration, at: tx.now)
        else { return }
        try record(lapsed, from: registration, "expired", actor: "system", tx)
    }

    /// Writes the changed row, and everything that follows from it.
    static func record(
        _ changed: Registration, from old: Registration, _ event: String, actor: String,
        _ tx: Transaction
    ) throws {
        try RegistrationStore.update(changed, tx)
        var data: JSONObject = ["version": .integer(changed.version)]
        if let code = changed.reasonCode { data["reason_code"] = .string(code) }
        if let end = changed.protectedUntil { data["protected_until"] = .string(end.rfc3339) }
        if let end = changed.endedAt { data["ended_at"] = .string(end.rfc3339) }
        if let value = changed.wonValue { data["value"] = value.json }
        try EventStore.append(
            RegistrationEvents.event(
                event, changed, from: old.state, actor: actor, data: .object(data)), tx)
        try CounterStore.add(1, to: "registrations.\(event)", of: changed.program, tx)
        try JobStore.cancel(changed.id, tx)
        if let end = RegistrationRules.holdsUntil(changed) {
            try AccountClaimStore.hold(changed.id, until: end, tx)
            try RegistrationJobs.schedule(changed, until: end, tx)
        } else if old.state.isHolding {
            try HoldAccount.end(changed, at: changed.endedAt ?? tx.now, tx)
        }
        if changed.state == .approved, old.state != .approved {
            try RegistrationTouch.insert(changed, tx)
        }
        if changed.state == .won {
            try KeepAccount.markCustomer(changed.account, actor: actor, tx)
        }
    }
}

extension RegistrationMove {
    /// The event it makes, without `registration.`.
    fileprivate static func name(_ move: RegistrationMove) -> String {
        switch move {
        case .approve: "approved"
        case .reject: "rejected"
        case .extend: "extended"
        case .win: "won"
        case .lose: "lost"
        case .withdraw: "withdrawn"
        }
    }
}

/// What falls due in a registration's life, each once and also after a stop.
enum RegistrationJobs {
    static let decision = "registration.decision"
    static let reminder = "registration.reminder"
    static let lapse = "registration.lapse"

    static func schedule(
        _ registration: Registration, until end: Instant, _ tx: Transaction
    ) throws {
        if registration.state != .won { try JobStore.schedule(lapse, registration.id, at: end, tx) }
        for due in RegistrationRules.reminders(registration, after: tx.now) {
            try JobStore.schedule(reminder, registration.id, at: due, tx)
        }
    }

    /// Nobody has decided in time. Others were told when the account is free at the latest, so the
    /// protection's clock runs from here.
    static func decisionDue(_ id: RegistrationID, at due: Instant, _ tx: Transaction) throws {
        guard let registration = try RegistrationStore.find(id, tx),
            registration.state == .submitted
        else { return }
        try EventStore.append(
            RegistrationEvents.event(
                "decision_overdue", registration, actor: "system",
                data: ["due_at": .string(due.rfc3339)]), tx)
    }

    /// Protection ends soon. After a stop that outlasted the end there is nothing left to remind
    /// of.
    static func remind(_ id: RegistrationID, at due: Instant, _ tx: Transaction) throws {
        guard let registration = try RegistrationStore.find(id, tx),
            registration.state == .approved, let end = registration.protectedUntil, end > tx.now
        else { return }
        let days = (end.milliseconds - due.milliseconds) / 86_400_000
        try EventStore.append(
            RegistrationEvents.event(
                "expiring", registration, actor: "system",
                data: [
                    "days": .integer(days), "due_at": .string(due.rfc3339),
                    "protected_until": .string(end.rfc3339),
                ]), tx)
    }
}

/// Events of registrations. Their participant reads them, so they name no other.
enum RegistrationEvents {
    static func event(
        _ name: String, _ registration: Registration, from: Registration.State? = nil,
        actor: String, data: JSONValue = [:]
    ) -> NewEvent {
        NewEvent(
            "registration.\(name)", registration.id, program: registration.program,
            participant: registration.participant, actor: actor, from: from?.rawValue,
            to: registration.state.rawValue,
            reason: registration.reason ?? registration.reasonCode, data: data)
    }
}
