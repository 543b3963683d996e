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
    let ref: String?
    let click: ClickID?
    let channel: String?
    let campaign: String?
    let occurredAt: Instant?
    let actor: String

    func callAsFunction(_ tx: Transaction) throws -> (touch: Touchpoint, isNew: Bool) {
        let facts = try facts(tx)
        let customer = try KnowCustomer(
            program: facts.program.id, named: self.customer, click: click, actor: actor)(tx)
        let touch = Touchpoint(
            id: tx.makeID(), program: facts.program.id, customer: customer.id,
            participant: participant ?? facts.link?.participant ?? facts.click?.participant,
            source: source,
            kind: facts.click != nil ? .click : facts.link != nil ? .code : .contact,
            channel: channel ?? facts.click?.channel ?? facts.link?.channel.rawValue,
            campaign: campaign ?? facts.click?.campaign ?? facts.link?.campaign,
            externalID: externalID, link: facts.click?.link ?? facts.link?.id, click: click,
            occurredAt: occurredAt ?? facts.click?.occurredAt ?? tx.now, createdAt: tx.now)
        if let known = try known(facts.program.id, customer.id, tx) {
            try TouchpointRules.checkSame(
                known, touch, saysTime: occurredAt != nil,
                isCustomerNamed: self.customer.isNamed)
            return (known, false)
        }
        try TouchpointRules.check(
            source: source, participant: touch.participant, occurredAt: touch.occurredAt,
            now: tx.now)
        try TouchpointStore.insert(touch, tx)
        try EventStore.append(
            NewEvent(
                "touchpoint.recorded", touch.id, program: touch.program,
                participant: touch.participant, actor: actor, to: touch.source.rawValue,
                data: ["customer_id": .string(customer.id.description)]), tx)
        return (touch, true)
    }

    /// The same touch, reported or seen before: by its name, or because a click touches a customer
    /// once.
    private func known(
        _ program: ProgramID, _ customer: CustomerID, _ tx: Transaction
    ) throws -> Touchpoint? {
        if let externalID,
            let known = try TouchpointStore.find(externalID: externalID, in: program, tx)
        {
            return known
        }
        return try click.flatMap { try TouchpointStore.find(click: $0, of: customer, tx) }
    }

    // MARK: - Facts

    private struct Facts {
        let program: Program
        let click: ClickOrigin?
        let link: Link?
    }

    /// Everything named must belong to one program.
    private func facts(_ tx: Transaction) throws -> Facts {
        let click = try click.map { id in
            guard let click = try ClickStore.find(id, tx), click.countsAsTouch else {
                throw Refused(.unknownReference("/click_id"))
            }
            return click
        }
        let link = try ref.map { code in
            guard let link = try LinkStore.find(code: code, tx) else {
                throw Refused(.unknownReference("/ref"))
            }
            return link
        }
        let who = try participant.map { id in
            guard let participant = try ParticipantStore.recall(id, tx) else {
                throw Refused(.unknownReference("/participant_id"))
            }
            return participant
        }
        let program = try NamedProgram.get(
            [program, click?.program, link?.program, who?.program],
            required: "Name the program_id, or a participant, click or ref that has one.",
            differs: "The participant, click or ref is of another program.", tx)
        return Facts(program: program, click: click, link: link)
    }
}
