import Database
import LeadRegistration
import Model
import Programs

/// A lead is held against what its program asks of a referral (R15): when it comes in, and when
/// more is learned of it before it is decided. Always by the version of the rules that was in force
/// when it came in, so that a later change of the program takes nothing away.
enum AssessLead {
    /// Finds the rules that the lead breaks, whose identity is `identity`. `isNewCustomer`: nobody
    /// knew its customer before, so that it is no other's person.
    static func run(
        _ lead: inout Lead, _ identity: AccountIdentity, _ program: Program,
        isNewCustomer: Bool = false, _ tx: Transaction
    ) throws {
        let account = try AccountStore.find(identity, tx)
        let person =
            try lead.customer.map { isNewCustomer ? [$0] : try FindPerson.run($0, tx) } ?? []
        let isCustomer = try FindReturning.lead(
            lead, account, program, earners: [lead.referrer.participant].compactMap { $0 },
            isRegistered: false, person, at: tx.now, tx)
        try apply(
            &lead, program, isKnown: account?.relation.isTaken ?? false, isCustomer: isCustomer, tx)
    }

    /// Sales has corrected what is known of the lead: what it breaks may be another now, and it is
    /// known again by more. Whether the company was known is asked once more only if it is another.
    static func change(_ lead: inout Lead, from old: Lead, _ tx: Transaction) throws {
        let identity = lead.identity
        let isOther = identity != old.identity
        guard
            isOther || lead.firm != old.firm || lead.estimatedValue != old.estimatedValue
                || lead.contact.phone != old.contact.phone
        else { return }
        let program = try program(of: lead, tx)
        if lead.state.isWaiting {
            if isOther {
                try run(&lead, identity, program, tx)
            } else {
                try apply(
                    &lead, program, isKnown: old.brokenRules.contains(.notKnown),
                    isCustomer: old.brokenRules.contains(.notACustomer), tx)
            }
        }
        try LeadKeys(lead, identity, program).keep(for: lead, tx)
    }

    /// A lead is open again: one that a robot was taken for is only now held against the rules, and
    /// one that nobody works finds somebody.
    static func reopen(
        _ lead: inout Lead, from old: Lead, _ program: Program, _ tx: Transaction
    ) throws {
        let identity = lead.identity
        if old.state == .spam {
            try run(&lead, identity, program, tx)
            try LeadKeys(lead, identity, program).keep(for: lead, tx)
        }
        if lead.owner == nil { try RouteLead.run(&lead, identity, program, nil, tx) }
    }

    /// What the program asked for when the lead came in; as it asks today when that is not kept.
    static func terms(
        of lead: Lead, _ program: Program, _ reader: Reader
    ) throws -> QualificationTerms {
        guard let version = lead.programVersion, version != program.version,
            let kept = try ProgramStore.version(version, of: program.id, reader)
        else { return program.terms.qualification }
        return kept.terms.qualification
    }

    private static func apply(
        _ lead: inout Lead, _ program: Program, isKnown: Bool, isCustomer: Bool,
        _ tx: Transaction
    ) throws {
        lead.brokenRules = LeadRules.brokenRules(
            lead, try terms(of: lead, program, tx), currency: program.currency, isKnown: isKnown,
            isCustomer: isCustomer, at: tx.now)
    }

    private static func program(of lead: Lead, _ tx: Transaction) throws -> Program {
        guard let program = try ProgramStore.recall(lead.program, tx) else {
            throw DatabaseFault(operation: "read a lead's program", code: DatabaseFault.corrupt)
        }
        return program
    }
}
