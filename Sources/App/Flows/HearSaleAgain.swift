import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import ReferralLinks
import RewardLedger

/// A sale that is known is reported again, such as by the shop's server and then by its page. What
/// the report adds is kept. Within a day of the first report, and as long as no person and no
/// payout has decided about the sale, its credit is decided from what all reports said together, so
/// it does not depend on which of them came first. Later, a person may ask for a new decision.
extension RecordConversion {
    /// What this report says. The first one tells the time, if only by when it comes.
    func report(at instant: Instant?) -> SaleReport {
        SaleReport(
            occurredAt: instant, customerID: customer.externalID,
            email: customer.email?.normalized, hints: hints.json)
    }

    func heardAgain(_ known: Conversion, _ facts: Facts, _ tx: Transaction) throws -> Outcome {
        guard let old = try AttributionStore.newest(of: known.id, tx) else {
            throw DatabaseFault(operation: "read an attribution", code: DatabaseFault.corrupt)
        }
        let isRefunded = try RefundStore.total(of: known, tx).isWhole
        try ConversionRules.checkStands(
            known, occurredAt: occurredAt,
            refundedBy: isRefunded ? RefundStore.newestInForce(of: known.id, tx) : nil)
        var reports = try ConversionStore.reports(of: known.id, tx)
        let report = report(at: occurredAt)
        try ConversionRules.checkSame(
            known, reports, as: report, kind: kind, amount: amount, lead: lead, product: product,
            subscription: subscription)
        try ConversionRules.check(
            amount: amount, currency: facts.program.currency,
            occurredAt: occurredAt ?? known.occurredAt, now: tx.now)
        let isFurther =
            reports.count < SaleReport.most && !reports.contains { $0.covers(report) }
        let addsFacts =
            lead != nil && known.lead == nil || product != nil && known.product == nil
            || subscription != nil && known.subscription == nil
        guard isFurther || addsFacts else { return try outcome(known, old, tx) }
        if isFurther { reports.append(report) }
        try name(known, facts, tx)
        var sale = known
        sale.lead = known.lead ?? lead
        sale.product = known.product ?? product
        sale.subscription = known.subscription ?? subscription
        let isOpen = try isOpen(known, old, tx)
        if isOpen, let occurredAt { sale.occurredAt = min(known.occurredAt, occurredAt) }
        let hints = try UniteHints(reports, facts.program, tx)
        hints.keep(in: &sale)
        try hints.insertTouches(of: sale, tx)
        try ConversionStore.update(sale, reports, tx)
        try tell(sale, insteadOf: known, isOpen: isOpen, tx)
        guard isOpen else { return try outcome(sale, old, tx) }
        return try outcome(sale, decideAgain(sale, old, facts.program, tx), tx)
    }

    private func outcome(
        _ sale: Conversion, _ attribution: Attribution, _ tx: Transaction
    ) throws -> Outcome {
        Outcome(
            conversion: sale, attribution: attribution,
            earned: try ConversionEarnings.of(sale.id, tx), isNew: false)
    }

    private func isOpen(
        _ known: Conversion, _ old: Attribution, _ tx: Transaction
    ) throws -> Bool {
        let end = known.createdAt.advanced(
            byMilliseconds: ConversionRules.openHours * 3_600_000)
        return try tx.now <= end && old.cause != .reattribution
            && !RewardStore.isDecided(of: known.id, tx)
            && !BenefitStore.isDecided(of: known.id, tx)
    }

    /// Whom the report names is the sale's customer: a name that the sale lacked is added.
    private func name(_ known: Conversion, _ facts: Facts, _ tx: Transaction) throws {
        guard customer.isNamed || facts.lead?.customer != nil else { return }
        let named = try KnowCustomer(
            program: facts.program.id, named: customer, lead: facts.lead, actor: actor)(tx)
        let person = try CustomerStore.person(known.customer, tx)
        guard !person.contains(where: { $0.id == named.id }), let first = person.first else {
            return
        }
        let root = try CustomerStore.root(of: named, tx)
        guard person.allSatisfy({ CustomerRules.isSamePerson($0, named) }),
            try !CustomerStore.areKnownApart(first.id, root.id, tx)
        else { throw ConversionRefusal.differs(field: "customer") }
        do {
            _ = try MergeCustomers.run(
                root, first, .namedTogether, reason: nil, actor: actor, tx)
        } catch is CustomerRefusal {
            // A sale is not turned away because its customers cannot be joined.
        }
    }

    private func decideAgain(
        _ sale: Conversion, _ old: Attribution, _ program: Program, _ tx: Transaction
    ) throws -> Attribution {
        let facts = try GatherCreditFacts.run(sale, program, old.terms, tx)
        let decision = AttributionRules.decide(facts, old.terms, at: sale.occurredAt)
        var attribution = old
        if decision != old.decision {
            attribution = Attribution(
                id: tx.makeID(), conversion: sale.id, cause: .report, actor: actor,
                programVersion: old.programVersion, terms: old.terms, decision: decision,
                createdAt: tx.now)
            try AttributionStore.insert(attribution, tx)
            try ReattributeConversion.tell(
                attribution, insteadOf: old, sale, actor: actor, tx)
        }
        try ReattributeConversion.correctRewards(
            sale, attribution, program, knowsMore: true, actor: actor, tx)
        return attribution
    }

    private func tell(
        _ sale: Conversion, insteadOf known: Conversion, isOpen: Bool, _ tx: Transaction
    ) throws {
        var data: JSONObject = [
            "occurred_at": .string(sale.occurredAt.rfc3339), "decides": .bool(isOpen),
        ]
        if sale.lead != known.lead { data["lead_id"] = sale.lead.map { .string($0.description) } }
        if sale.product != known.product { data["product"] = sale.product.map { .string($0) } }
        if sale.subscription != known.subscription {
            data["subscription"] = sale.subscription.map { .string($0) }
        }
        try EventStore.append(
            NewEvent(
                "conversion.reported_again", sale.id, program: sale.program, actor: actor,
                data: .object(data)), tx)
    }
}
