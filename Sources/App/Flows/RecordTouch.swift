import Attribution
import Database
import JSON
import Model
import Programs
import Records
import ReferralLinks

/// A contact is reported: with whom, from where, and who brought it about. It may come late; sales
/// that were decided keep their credit until somebody asks for a new decision.
struct RecordTouch: Sendable {
    let program: ProgramID?
    let externalID: String?
    let customer: NamedCustomer
    let source: TouchSource
    let participant: ParticipantID?
    let hints: Hints
    let channel: String?
    let campaign: String?
    let occurredAt: Instant?
    let actor: String

    struct Outcome {
        /// Nil: it would be a referral of nobody, and nothing was recorded.
        let touch: Touchpoint?
        let isNew: Bool
        let ignored: [IgnoredHint]
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        let facts = try facts(tx)
        let contact = contact(facts)
        let isOfSomebody = participant != nil || contact.participant != nil
        if TouchpointRules.needsParticipant(source), !isOfSomebody {
            guard !facts.hints.ignored.isEmpty else { throw TouchpointRefusal.participantRequired }
            return Outcome(
                touch: nil, isNew: false, ignored: facts.hints.ignored + self.customer.ignored)
        }
        guard customer.isNamed || !facts.hints.clicks.isEmpty else {
            throw Refused(
                .unprocessable(
                    "customer_required", "Name a customer or click_id.", at: "/customer"))
        }
        let customer = try KnowCustomer(
            program: facts.program.id, named: self.customer, click: facts.hints.clicks.last?.id,
            actor: actor)(tx)
        let touch = touch(contact, of: customer.id, facts, tx)
        if let known = try known(touch, tx) {
            try TouchpointRules.checkSame(
                known, touch, saysTime: occurredAt != nil,
                isCustomerNamed: self.customer.isNamed)
            return Outcome(
                touch: known, isNew: false, ignored: facts.hints.ignored + self.customer.ignored)
        }
        try TouchpointRules.check(occurredAt: touch.occurredAt, now: tx.now)
        try TouchpointStore.insert(touch, tx)
        try facts.hints.without(touch.kind).insertTouches(
            of: customer.id, facts.program.kind, at: touch.occurredAt, tx)
        try EventStore.append(
            NewEvent(
                "touchpoint.recorded", touch.id, program: touch.program,
                participant: touch.participant, actor: actor, to: touch.source.rawValue,
                data: ["customer_id": .string(customer.id.description)]), tx)
        return Outcome(
            touch: touch, isNew: true, ignored: facts.hints.ignored + self.customer.ignored)
    }

    // MARK: - Facts

    private struct Facts {
        let program: Program
        let hints: ResolvedHints
    }

    /// The program, from what the operator names, else from what the hints name.
    private func facts(_ tx: Transaction) throws -> Facts {
        let who = try participant.map { id in
            guard let participant = try ParticipantStore.recall(id, tx) else {
                throw Refused(.unknownReference("/participant_id"))
            }
            return participant
        }
        let found = try ResolveHints(hints, tx)
        let named = [program, who?.program].compactMap { $0 }
        let program = try NamedProgram.get(
            named.isEmpty ? [found.program] : named,
            required: "Name the program_id, or a participant, click, ref or code that has one.",
            differs: "The participant is of another program.", tx)
        var hints = try found(in: program.id, tx)
        if let participant { hints.leaveOutOthers(than: participant) }
        return Facts(program: program, hints: hints)
    }

    // MARK: - Decision

    /// What the touch is of: the strongest hint of the participant, where one is named.
    private struct Contact {
        var kind = Touchpoint.Kind.contact
        var participant: ParticipantID?
        var place: LinkPlace?
        var link: LinkID?
        var click: ResolvedHints.Click?
        var at: Instant?
    }

    private func contact(_ facts: Facts) -> Contact {
        let hints = facts.hints
        func isOwn(_ id: ParticipantID) -> Bool { participant == nil || participant == id }
        if let click = hints.clicks.last(where: { isOwn($0.origin.participant) }) {
            return Contact(
                kind: .click, participant: click.origin.participant, place: click.origin.place,
                link: click.origin.link, click: click, at: click.origin.occurredAt)
        }
        if let code = hints.code, isOwn(code.participant) {
            return Contact(
                kind: .code, participant: code.participant, place: code.place, link: code.id)
        }
        if let ref = hints.ref, isOwn(ref.participant) {
            return Contact(
                kind: .ref, participant: ref.participant, place: ref.place, link: ref.id,
                at: hints.refAt)
        }
        return Contact(participant: hints.told?.id)
    }

    private func touch(
        _ contact: Contact, of customer: CustomerID, _ facts: Facts, _ tx: Transaction
    ) -> Touchpoint {
        Touchpoint(
            id: tx.makeID(), program: facts.program.id, customer: customer,
            participant: participant ?? contact.participant, source: source, kind: contact.kind,
            channel: channel ?? contact.place?.channel,
            campaign: campaign ?? contact.place?.campaign, externalID: externalID,
            link: contact.link, click: contact.click?.id,
            reclaimed: contact.click?.origin.reclaimed,
            occurredAt: occurredAt ?? contact.at ?? tx.now, createdAt: tx.now)
    }

    /// The same touch, reported or seen before: by its name, or because a click touches a customer
    /// once.
    private func known(_ touch: Touchpoint, _ tx: Transaction) throws -> Touchpoint? {
        if let externalID,
            let known = try TouchpointStore.find(externalID: externalID, in: touch.program, tx)
        {
            return known
        }
        return try touch.click.flatMap {
            try TouchpointStore.find(click: $0, of: touch.customer, tx)
        }
    }
}
