import Database
import JSON
import Model
import Records

/// Benefits follow their sale as rewards do, as long as they are not given.
extension BenefitBook {
    /// Brings what the sale earned and is not given yet to what its rules give for the rest.
    public static func settle(_ sale: RewardSale, actor: String, _ tx: Transaction) throws {
        var filter = BenefitStore.Filter()
        filter.conversion = sale.conversion
        let all = try BenefitStore.settling(filter, tx)
        var live = all.filter { $0.state != .voided }
        for old in all where old.voidedFor != .milestone {
            guard let rest = try BenefitRules.settled(old, sale) else {
                guard old.state.after(.void) != nil else { continue }
                _ = try void(
                    old, .refunded, reason: "refunded", refund: sale.refund, actor: actor, tx)
                continue
            }
            if old.state == .voided {
                // A later decision may have given it again, to the same owner.
                let isTaken = live.contains { $0.rule == old.rule && $0.owner == old.owner }
                guard !isTaken else { continue }
                try restore(rest, from: old, sale, actor: actor, tx)
                live.append(rest)
            } else if old.state.after(.void) != nil, rest.due != old.due {
                var rest = rest
                try save(&rest, from: old, refund: sale.refund, actor: actor, tx)
            }
        }
    }

    /// A sale's credit was decided anew: what is not yet given to somebody without credit goes
    /// back, and those who have it now get the rest, less what was refunded since.
    public static func correct(
        _ occasion: RewardOccasion, of sale: RewardSale, _ tx: Transaction
    ) throws {
        let credits = sale.credits
        var filter = BenefitStore.Filter()
        filter.conversion = occasion.conversion
        for benefit in try BenefitStore.settling(filter, tx) {
            let isDue: Bool
            switch benefit.owner {
            case .participant(let id): isDue = credits.contains { $0.participant == id }
            case .customer: isDue = !credits.isEmpty
            }
            guard !isDue else { continue }
            if benefit.state.after(.void) != nil {
                _ = try void(
                    benefit, .reattributed, reason: "reattributed", actor: occasion.actor, tx)
            } else if benefit.state == .voided {
                var gone = benefit
                gone.voidedFor = .reattributed
                try save(&gone, from: benefit, actor: occasion.actor, tx)
            }
        }
        var occasion = occasion
        occasion.recordedAt = sale.recordedAt
        try grant(occasion, to: credits, tx)
        try settle(sale, actor: occasion.actor, tx)
    }

    /// The referrals of a participant that a milestone counts are `count` now.
    static func followCount(
        _ count: Int64, of rule: RewardRule, _ participant: ParticipantID, refund: RefundID?,
        actor: String, _ tx: Transaction
    ) throws {
        guard !rule.terms.isReward, let milestone = rule.terms.milestone else { return }
        var filter = BenefitStore.Filter()
        filter.participant = participant
        filter.rule = rule.id
        let all = try BenefitStore.settling(filter, tx)
        for old in all {
            if count < milestone.at, old.state.after(.void) != nil {
                _ = try void(
                    old, .milestone, reason: "below_milestone", refund: refund, actor: actor, tx)
            }
            let isTaken = all.contains { $0.state != .voided }
            if count >= milestone.at, old.voidedFor == .milestone, !isTaken {
                try restore(old, from: old, refund: refund, actor: actor, tx)
            }
        }
    }

    /// Every sale of a lead is wholly refunded, and what its win earned and is not given goes back;
    /// or one of them stands again, and it comes back (R175).
    public static func followSales(
        of lead: LeadID, _ sale: RewardSale, actor: String, _ tx: Transaction
    ) throws {
        var filter = BenefitStore.Filter()
        filter.lead = lead
        let all = try BenefitStore.settling(filter, tx).filter {
            $0.trigger == .leadWon && $0.voidedFor != .milestone
        }
        for old in all {
            if sale.isRefunded, old.state.after(.void) != nil {
                _ = try void(
                    old, .refunded, reason: "sales_refunded", refund: sale.refund, actor: actor, tx)
            }
            let isTaken = all.contains {
                $0.rule == old.rule && $0.owner == old.owner && $0.state != .voided
            }
            if !sale.isRefunded, old.voidedFor == .refunded, !isTaken {
                try restore(old, from: old, sale, actor: actor, tx)
            }
        }
    }

    /// Where its rule gives once for a customer, another occasion may have taken its place.
    private static func restore(
        _ rest: Benefit, from old: Benefit, _ sale: RewardSale, actor: String, _ tx: Transaction
    ) throws {
        let terms = old.basis.objectValue?["rule"].flatMap { RewardTerms(json: $0) }
        if terms?.oncePer == .customer,
            try OncePlace(of: old, person: sale.person, tx).isTaken(tx)
        {
            return
        }
        try restore(rest, from: old, refund: sale.refund, actor: actor, tx)
    }

    private static func restore(
        _ rest: Benefit, from old: Benefit, refund: RefundID?, actor: String, _ tx: Transaction
    ) throws {
        var benefit = rest
        benefit.state = BenefitRules.resumedState(old)
        benefit.voidedFor = nil
        benefit.reason = nil
        if benefit.state == .pending {
            try JobStore.schedule(holdJob, benefit.id, at: benefit.holdUntil, tx)
        }
        try save(&benefit, from: old, refund: refund, actor: actor, tx)
    }
}
