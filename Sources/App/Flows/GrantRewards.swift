import Attribution
import Database
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// Something happened that may earn rewards: the program's active rules decide which, and to whom.
enum GrantRewards {
    typealias Credit = RewardLedger.Credit

    struct Occasion: Sendable {
        let trigger: RewardRule.Trigger
        let program: Program
        let lead: LeadID?
        let conversion: ConversionID?
        var attribution: AttributionID?
        let actor: String
        /// What rules ask beside the money.
        var facts = RewardFacts()

        /// With the program's terms of this moment, and what a person must look at.
        func terms(_ credits: [Credit], _ tx: Transaction) throws -> RewardOccasion {
            var terms = try unflagged(credits, tx)
            terms.flags = try FlagRewards.run(self, credits: credits, tx)
            return terms
        }

        /// With the program's terms of this moment.
        func unflagged(_ credits: [Credit], _ reader: Reader) throws -> RewardOccasion {
            var occasion = try RewardOccasion(
                trigger: trigger, program: program.id, programVersion: program.version,
                holdDays: program.terms.holdDays,
                approvalThreshold: program.terms.approvalThreshold, lead: lead,
                conversion: conversion, attribution: attribution,
                serviceLevels: program.terms.serviceLevels, actor: actor,
                facts: GrantRewards.knowing(credits, facts, reader), budget: program.terms.budget,
                limits: program.terms.rewardLimits)
            occasion.facts.zone = program.terms.timeZone
            occasion.countsReturning = program.kind != .customer
            return occasion
        }
    }

    /// What each participant is credited with of the conversion's amount.
    static func credits(_ decision: AttributionDecision, of conversion: Conversion) -> [Credit] {
        credits(decision, of: conversion.amount)
    }

    /// What each participant is credited with of an amount.
    static func credits(_ decision: AttributionDecision, of amount: Money) -> [Credit] {
        let shares = decision.shares(of: amount.amount).credits
        return zip(decision.credits, shares).compactMap { credit, share in
            credit.participant.map {
                Credit(
                    participant: $0, parts: credit.parts,
                    base: Money(amount: share, currency: amount.currency))
            }
        }
    }

    /// What rules ask of a lead.
    static func facts(of lead: Lead) -> RewardFacts {
        var facts = RewardFacts()
        facts.referredAt = lead.referralTime
        facts.industry = lead.firm.industry
        facts.country = lead.firm.country?.code
        facts.customer = lead.customer
        return facts
    }

    /// What rules ask of a sale: it was referred when its lead was, else when it was made. How long
    /// its reward takes is counted from its first touch with credit, where there is no lead.
    static func facts(
        of conversion: Conversion, _ lead: Lead?, _ decision: AttributionDecision,
        _ program: Program, _ reader: Reader
    ) throws -> RewardFacts {
        var facts = lead.map { GrantRewards.facts(of: $0) } ?? RewardFacts()
        if lead == nil {
            facts.touchedAt = decision.touches.first { $0.parts > 0 }?.fact.occurredAt
        }
        facts.referredAt = facts.referredAt ?? conversion.occurredAt
        facts.customer = conversion.customer
        facts.product = conversion.product
        facts.soldAt = conversion.occurredAt
        facts.person = try FindPerson.run(conversion.customer, reader)
        facts.saleAmount = conversion.amount.amount
        facts.isReturning = try FindReturning.sale(
            conversion, decision, lead, program, facts.person, reader)
        facts.firstSaleAt = try EarlierSaleStore.firstPaid(
            upTo: conversion, of: facts.person, reader)
        facts.isBound = decision.reason == .bound
        return facts
    }

    /// A sale's trigger: without a lead, it may be what wins the customer. Whether it is the first
    /// paid one is what the service found, not what its sender calls it: billing systems send
    /// `renewal` for the first payment after a trial.
    static func trigger(
        of conversion: Conversion, _ facts: RewardFacts, _ reader: Reader
    ) throws -> RewardRule.Trigger {
        try .conversion(
            kind: kind(of: conversion, reader).rawValue,
            wins: conversion.lead == nil
                && ReferralCountStore.wins(conversion.id, facts.person, reader))
    }

    static func kind(
        of conversion: Conversion, _ reader: Reader
    ) throws -> Conversion.Kind {
        switch conversion.kind {
        case .signup, .purchase: conversion.kind
        case .renewal, .upsell:
            try ConversionStore.isFirstPaid(conversion.id, reader) ? .purchase : conversion.kind
        }
    }

    /// With what is known of those who share in it, and of who was referred.
    static func knowing(
        _ credits: [Credit], _ facts: RewardFacts, _ reader: Reader
    ) throws -> RewardFacts {
        var facts = facts
        if facts.person.isEmpty, let customer = facts.customer {
            facts.person = try FindPerson.run(customer, reader)
        }
        for credit in credits {
            let id = credit.participant
            let known =
                try (reader as? Transaction).map { try ParticipantStore.recall(id, $0) }
                ?? ParticipantStore.find(id, reader)
            guard let known else { continue }
            facts.participants[known.id] = person(known, isBound: facts.isBound)
        }
        return facts
    }

    /// What rules ask of a participant. One who is closed earns nothing by a customer of before.
    static func person(_ participant: Participant, isBound: Bool = false) -> RewardFacts.Person {
        RewardFacts.Person(
            kind: participant.kind.rawValue, segment: participant.profile.segment,
            isOut: isBound && participant.state == .closed)
    }

    /// Whether a sale may earn at all: one of nothing that is no sign-up triggers nothing and
    /// counts for nothing; one that was recorded after its program's end earns nothing, however
    /// often its credit is decided. The order of events tells, not their times.
    static func mayEarn(
        _ conversion: Conversion, _ program: Program, _ reader: Reader
    ) throws -> Bool {
        guard conversion.amount.amount > 0 || conversion.kind == .signup else { return false }
        guard program.state == .ended,
            let recorded = try EventStore.timeline(of: conversion.id, limit: 1, reader).first
        else { return program.state != .ended }
        return try !EventStore.hasEntered(
            program.id, [Program.State.ended.rawValue], before: recorded.sequence, reader)
    }

    /// What is new; nothing for what was granted before. Several credits share what a rule gives.
    static func run(
        _ occasion: Occasion, credits: [Credit], _ tx: Transaction
    ) throws -> (rewards: [Reward], benefits: [Benefit]) {
        let terms = try occasion.terms(credits, tx)
        let rewards = try RewardBook.grant(terms, to: credits, tx)
        return (rewards, try BenefitBook.grant(terms, to: credits, tx))
    }
}
