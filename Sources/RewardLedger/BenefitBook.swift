import Database
import JSON
import Model
import Records

/// What happens to benefits, each in one piece: decision, row, event. They never touch the journal.
public enum BenefitBook {
    /// The job that ends a benefit's hold.
    public static let holdJob = "benefit.hold"

    /// Gives what the program's rules promise beside money for `occasion`; what was given on it
    /// already is not given again. Without credit nobody was referred, and nothing is given.
    @discardableResult
    public static func grant(
        _ occasion: RewardOccasion, to credits: [Credit], _ tx: Transaction
    ) throws -> [Benefit] {
        guard let main = try BenefitRules.main(credits) else { return [] }
        let rules =
            try occasion.recordedAt.map {
                try RewardRuleStore.inForce(
                    in: occasion.program, for: occasion.trigger, at: $0, tx)
            } ?? RewardRuleStore.active(in: occasion.program, for: occasion.trigger, tx)
        var granted: [Benefit] = []
        for rule in rules
        where try !rule.terms.isReward && !BenefitStore.exists(rule.id, occasion, tx) {
            let occasion = occasion.terms(for: rule)
            guard try RewardWithholding.admits(rule, occasion, credits, tx) else { continue }
            for share in try shares(rule, occasion, credits, main, tx) {
                if let benefit = try give(share, by: rule, occasion, tx) {
                    granted.append(benefit)
                }
            }
        }
        return granted
    }

    /// Ends the hold of a pending benefit whose time has come.
    public static func endHold(_ id: BenefitID, _ tx: Transaction) throws {
        guard let old = try BenefitStore.find(id, tx), old.state == .pending,
            old.holdUntil <= tx.now
        else { return }
        var benefit = old
        benefit.state = BenefitRules.stateAfterHold(
            old.due.value,
            threshold: old.basis.objectValue?["approval_threshold"]?.integerValue)
        if benefit.state == .approved { benefit.approvedAt = tx.now }
        try save(&benefit, from: old, actor: "system", tx)
    }

    public static func approve(_ old: Benefit, actor: String, _ tx: Transaction) throws -> Benefit {
        var benefit = old
        benefit.state = try old.state.moved(by: .approve)
        benefit.approvedAt = tx.now
        try JobStore.cancel(old.id, tx)
        try save(&benefit, from: old, actor: actor, tx)
        return benefit
    }

    /// It has been given: the voucher is sent, the invoice is reduced, the points are booked.
    public static func fulfill(
        _ old: Benefit, reference: String?, actor: String, _ tx: Transaction
    ) throws -> Benefit {
        var benefit = old
        benefit.state = try old.state.moved(by: .fulfill)
        benefit.reference = reference
        benefit.fulfilledAt = tx.now
        try save(&benefit, from: old, actor: actor, tx)
        return benefit
    }

    public static func void(
        _ old: Benefit, _ loss: Benefit.Loss, reason: String, refund: RefundID? = nil,
        actor: String, _ tx: Transaction
    ) throws -> Benefit {
        var benefit = old
        benefit.state = try old.state.moved(by: .void)
        benefit.voidedFor = loss
        benefit.reason = reason
        try JobStore.cancel(old.id, tx)
        try save(&benefit, from: old, refund: refund, actor: actor, tx)
        return benefit
    }

    /// Voids what is not yet given of a lead that is none. What its sales earned goes with them.
    public static func voidAll(
        of lead: LeadID, _ triggers: Set<RewardRule.TriggerName>, reason: String, actor: String,
        _ tx: Transaction
    ) throws {
        var filter = BenefitStore.Filter()
        filter.lead = lead
        for benefit in try BenefitStore.live(filter, tx)
        where triggers.contains(benefit.trigger) && benefit.state.after(.void) != nil {
            _ = try void(benefit, .lead, reason: reason, actor: actor, tx)
        }
    }

    // MARK: - Steps

    /// One benefit to be, and the reckoning of its value where it has one.
    private struct Part {
        let owner: Benefit.Owner
        let participant: ParticipantID
        var offer: BenefitOffer
        let reckoned: RewardRules.Share?
        /// What raised its points.
        var campaign: RewardRules.AppliedCampaign?
    }

    /// A value is shared as money is; what cannot be divided goes to whoever has most of the
    /// credit; the referred customer gets all of it.
    private static func shares(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ credits: [Credit], _ main: Credit,
        _ tx: Transaction
    ) throws -> [Part] {
        let gift = rule.terms.gift
        let isForReferee = rule.terms.recipient == .referee
        if isForReferee, occasion.facts.customer == nil { return [] }
        func owner(_ participant: ParticipantID) -> Benefit.Owner {
            guard isForReferee, let customer = occasion.facts.customer else {
                return .participant(participant)
            }
            return .customer(customer)
        }
        if rule.terms.rate != nil || rule.terms.tiers != nil {
            var base: Money?
            for more in credits.compactMap(\.base) { base = try base?.adding(more) ?? more }
            let sharing =
                isForReferee ? [Credit(participant: main.participant, base: base)] : credits
            return try RewardReckoning.shares(
                rule, occasion, sharing, at: occasion.moment(tx), tx
            ).filter {
                try rule.terms.milestone == nil
                    || !BenefitStore.hasEarned(rule.id, $0.participant, tx)
            }.map {
                Part(
                    owner: owner($0.participant), participant: $0.participant,
                    offer: BenefitOffer(
                        value: $0.amount, duration: gift.duration,
                        description: gift.description),
                    reckoned: $0, campaign: $0.campaign)
            }
        }
        guard
            try RewardReckoning.admits(
                rule, occasion, main.participant, at: occasion.moment(tx), tx),
            try rule.terms.milestone == nil
                || !BenefitStore.hasEarned(rule.id, main.participant, tx)
        else { return [] }
        let campaigns = try CampaignStore.promised(to: occasion, by: occasion.moment(tx), tx)
        let campaign = gift.points.flatMap {
            BenefitRules.best(campaigns, for: rule.id, occasion.facts, points: $0)
        }
        return [
            Part(
                owner: owner(main.participant), participant: main.participant,
                offer: BenefitOffer(
                    value: gift.value, points: campaign?.amount ?? gift.points,
                    discount: gift.discount, duration: gift.duration,
                    description: gift.description), reckoned: nil, campaign: campaign)
        ]
    }

    /// Nil when limits or the recipient's open discounts leave nothing of it, which an event tells;
    /// and when a person has said no to it, which is the last word.
    private static func give(
        _ part: Part, by rule: RewardRule, _ occasion: RewardOccasion, _ tx: Transaction
    ) throws -> Benefit? {
        if try BenefitStore.isRefused(rule.id, to: part.owner, occasion, tx) { return nil }
        var offer = part.offer
        var basis = basis(part, rule, occasion, tx)
        guard try limit(&offer, part, rule, occasion, &basis, tx) else {
            try withhold(part, rule, basis, occasion, tx)
            return nil
        }
        if offer.discount != nil {
            let open = try BenefitStore.openDiscount(of: part.owner, in: occasion.program, tx)
            offer.discount = BenefitRules.discount(rule.terms.gift, open: open)
            basis["discount"] = [
                "asked": part.offer.discount.map { .integer($0) } ?? .null,
                "open": .integer(open),
                "most": rule.terms.gift.discountMost.map { .integer($0) } ?? .null,
            ]
            guard offer.discount != nil else {
                try withhold(part, rule, basis, occasion, tx)
                return nil
            }
        }
        // For the referred customer's, too, it is who referred that a person must look at.
        let flags = occasion.flags[part.participant] ?? []
        let hold = occasion.hold(tx)
        let state = BenefitRules.firstState(
            offer.value, holdDays: hold.days, threshold: occasion.approvalThreshold,
            flags)
        var benefit = Benefit(
            id: tx.makeID(), program: occasion.program, owner: part.owner, rule: rule.id,
            ruleVersion: rule.version, trigger: occasion.trigger.name, kind: rule.terms.kind,
            lead: occasion.lead, conversion: occasion.conversion, state: state, offer: offer,
            basis: .object(basis).flagged(flags), reason: nil, reference: nil,
            holdUntil: hold.until,
            approvedAt: nil, fulfilledAt: nil, version: 1, createdAt: tx.now, updatedAt: tx.now)
        if state == .approved { benefit.approvedAt = tx.now }
        try BenefitStore.insert(
            benefit, by: part.participant, for: occasion.facts.customer,
            countsAt: occasion.moment(tx), tx)
        try RewardBook.takePlaces(rule, part.campaign, occasion, tx)
        try RewardTimeStore.start(
            RewardTimeRules.begin(benefit.kind, for: part.participant, on: occasion, at: tx.now),
            of: benefit.id, approvedAt: benefit.approvedAt, tx)
        if state == .pending {
            try JobStore.schedule(holdJob, benefit.id, at: benefit.holdUntil, tx)
        }
        try tell(benefit, from: nil, actor: occasion.actor, tx)
        return benefit
    }

    /// Cuts the offer to what limits leave of it; false where that is nothing, or less than what
    /// cannot be divided. A value that is shared was cut when it was reckoned.
    private static func limit(
        _ offer: inout BenefitOffer, _ part: Part, _ rule: RewardRule,
        _ occasion: RewardOccasion, _ basis: inout JSONObject, _ tx: Transaction
    ) throws -> Bool {
        if let reckoned = part.reckoned { return reckoned.amount.amount > 0 }
        let asked = offer.points ?? offer.value?.amount ?? 1
        let placement = try RewardReckoning.place(
            asked, for: part.participant, rule, occasion, at: occasion.moment(tx), tx)
        guard !placement.limits.isEmpty else { return true }
        basis["limits"] = .array(placement.limits.map { .object($0.json) })
        if offer.points != nil, placement.amount > 0 {
            offer.points = placement.amount
            return true
        }
        return placement.amount == asked
    }

    private static func basis(
        _ part: Part, _ rule: RewardRule, _ occasion: RewardOccasion, _ tx: Transaction
    ) -> JSONObject {
        if let share = part.reckoned {
            return RewardRules.basis(rule, share, occasion, at: occasion.moment(tx))
                .objectValue ?? [:]
        }
        var basis: JSONObject = [
            "rule": rule.terms.json, "program_version": .integer(occasion.programVersion),
            "hold_days": .integer(occasion.holdDays), "facts": occasion.facts.json,
            "approval_threshold": occasion.approvalThreshold.map { .integer($0) } ?? .null,
            "offer": .object(part.offer.json),
        ]
        basis["arithmetic"] = part.campaign.map { ["campaign": $0.json] }
        return basis
    }

    private static func withhold(
        _ part: Part, _ rule: RewardRule, _ basis: JSONObject, _ occasion: RewardOccasion,
        _ tx: Transaction
    ) throws {
        try RewardWithholding.tell(
            .limit, of: rule, to: part.participant, ["basis": .object(basis)], occasion, tx)
    }

    static func save(
        _ benefit: inout Benefit, from old: Benefit, refund: RefundID? = nil, actor: String,
        _ tx: Transaction
    ) throws {
        benefit.version += 1
        benefit.updatedAt = tx.now
        try BenefitStore.update(benefit, tx)
        if benefit.state == .voided {
            try RewardTimeStore.remove(benefit.id, tx)
        } else {
            try RewardTimeStore.follow(
                benefit.id, approvedAt: benefit.approvedAt, paidAt: benefit.fulfilledAt, tx)
        }
        try tell(benefit, from: old, refund: refund, actor: actor, tx)
    }

    /// `benefit.STATE` when the state changed, else `benefit.reversed`.
    private static func tell(
        _ benefit: Benefit, from old: Benefit?, refund: RefundID? = nil, actor: String,
        _ tx: Transaction
    ) throws {
        let isMoved = old?.state != benefit.state
        var data = benefit.due.json
        if let refund { data["refund_id"] = .string(refund.description) }
        data["rule_id"] = .string(benefit.rule.description)
        data["rule_version"] = .integer(benefit.ruleVersion)
        data["kind"] = .string(benefit.kind.rawValue)
        if let customer = benefit.owner.customer {
            data["customer_id"] = .string(customer.description)
        }
        if let lead = benefit.lead { data["lead_id"] = .string(lead.description) }
        if let conversion = benefit.conversion {
            data["conversion_id"] = .string(conversion.description)
        }
        try EventStore.append(
            NewEvent(
                isMoved ? "benefit.\(benefit.state.rawValue)" : "benefit.reversed", benefit.id,
                program: benefit.program,
                participant: benefit.owner.participant, actor: actor, from: old?.state.rawValue,
                to: benefit.state.rawValue, reason: benefit.reason, data: .object(data)), tx)
    }
}
