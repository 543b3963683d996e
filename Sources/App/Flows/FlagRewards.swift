import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import ReferralLinks
import RewardLedger

/// What a person must look at before a reward counts: who earns it is not approved, or seems to be
/// the buyer himself. From what is stored at this moment.
enum FlagRewards {
    /// Participants that come from one address on one day: a household. Where more do, as from an
    /// office or through a portal's own server, the address tells nothing.
    private static let participantsPerAddressMax = 3
    /// Looked at of those who came from an address.
    private static let sendersMax = 50

    /// The flags of each participant that has any.
    static func run(
        _ occasion: GrantRewards.Occasion, credits: [GrantRewards.Credit], _ tx: Transaction
    ) throws -> [ParticipantID: [RewardFlag]] {
        guard !credits.isEmpty else { return [:] }
        let signals = signals(occasion.program)
        let buyer = signals.isEmpty ? [] : try buyer(occasion, tx)
        let codes = try occasion.conversion.flatMap {
            try AttributionStore.newest(of: $0, tx)
        }.map { try WatchCodes.flags($0, tx) }
        var flags: [ParticipantID: [RewardFlag]] = [:]
        for credit in credits where flags[credit.participant] == nil {
            guard let participant = try ParticipantStore.recall(credit.participant, tx) else {
                continue
            }
            flags[participant.id] =
                try standing(participant, occasion, tx)
                + [codes?[participant.id]].compactMap { $0 }
                + SelfReferralRules.flags(
                    participant: identity(participant, against: buyer, tx), buyer: buyer,
                    signals: signals)
        }
        return flags.filter { !$0.value.isEmpty }
    }

    /// Partners refer whom they sell to, and may well have an address at a customer's; and an
    /// operator numbers its partners and employees apart from its customers. So there what is one
    /// person's own tells, and for employees the domain, which is the operator's own; and who sits
    /// in one office comes from one address.
    private static func signals(_ program: Program) -> [SelfReferralRules.Signal] {
        guard program.terms.fraud.selfReferral == .hold else { return [] }
        return switch program.kind {
        case .customer: [.email, .account, .phone, .payoutAccount, .device, .domain, .address]
        case .employee: [.email, .phone, .payoutAccount, .device, .domain]
        case .partner: [.email, .phone, .payoutAccount, .device]
        }
    }

    /// What is known of the program and of the participant, at the instant that the rule names:
    /// the sale's own, else now.
    private static func standing(
        _ participant: Participant, _ occasion: GrantRewards.Occasion, _ tx: Transaction
    ) throws -> [RewardFlag] {
        var flags = notApproved(participant)
        if occasion.program.state == .paused {
            flags.append(
                RewardFlag(
                    code: .programPaused, because: "The program was paused.",
                    evidence: ["program_id": .string(occasion.program.id.description)]))
        }
        let rule = try FindEligibility.brokenRule(
            participant, occasion.program, at: occasion.facts.soldAt ?? tx.now, tx)
        if let rule {
            flags.append(
                RewardFlag(
                    code: .notEligible,
                    because: "The participant may not refer: \(rule.words).",
                    evidence: [
                        "participant_id": .string(participant.id.description),
                        "rule": .string(rule.rawValue),
                    ]))
        }
        return flags
    }

    private static func notApproved(_ participant: Participant) -> [RewardFlag] {
        guard participant.state != .approved else { return [] }
        return [
            RewardFlag(
                code: .participantNotApproved,
                because: "The participant was \(participant.state.rawValue) when it earned this.",
                evidence: [
                    "participant_id": .string(participant.id.description),
                    "status": .string(participant.state.rawValue),
                ])
        ]
    }

    private static func identity(
        _ participant: Participant, against buyer: [SelfReferralRules.Identity],
        _ tx: Transaction
    ) throws -> SelfReferralRules.Identity {
        let traces = try TraceStore.all(
            of: participant.id, and: phone(participant.phone) + [.mailbox(participant.email)], tx)
        let shared = try traces.filter { trace in
            try buyer.contains { $0.traces.contains(trace) } && isShared(trace, tx)
        }
        return SelfReferralRules.Identity(
            source: "participant_id", id: participant.id.description, email: participant.email,
            domain: domain(nil, participant.email), account: participant.externalID,
            traces: traces.subtracting(shared))
    }

    /// A mailbox is what one is known by, and where one may be paid.
    private static func mailbox(_ address: EmailAddress?) -> [TraceValue] {
        guard let address else { return [] }
        return [.mailbox(address)] + (PaymentAccount(address.text).map { [.account($0)] } ?? [])
    }

    private static func isShared(_ trace: Trace, _ tx: Transaction) throws -> Bool {
        switch trace.kind {
        case .phone, .account, .device, .mailbox, .customer: return false
        case .address, .browser:
            let senders = try TraceStore.subjects(ofAddress: trace, limit: sendersMax, tx)
            return try senders.filter { try ParticipantStore.recall($0, tx) != nil }.count
                > participantsPerAddressMax
        }
    }

    /// Everything that is known of who buys: the lead, and every customer that is this person.
    private static func buyer(
        _ occasion: GrantRewards.Occasion, _ tx: Transaction
    ) throws -> [SelfReferralRules.Identity] {
        let lead = try occasion.lead.flatMap { try LeadStore.find($0, tx) }
        let conversion = try occasion.conversion.flatMap { try ConversionStore.find($0, tx) }
        var customers: [Customer] = []
        for id in [conversion?.customer, lead?.customer].compactMap({ $0 })
        where !customers.contains(where: { $0.id == id }) {
            customers += try CustomerStore.person(id, tx)
        }
        let clicks = [lead?.referrer.click, conversion?.click].compactMap { $0 }
        return try [lead.map { try identity($0, tx) }].compactMap { $0 }
            + customers.map { try identity($0, tx) } + clicks.map { try identity($0, tx) }
    }

    private static func identity(
        _ click: ClickID, _ tx: Transaction
    ) throws -> SelfReferralRules.Identity {
        let visitor = try ClickStore.find(click, tx)?.visitor
        return SelfReferralRules.Identity(
            source: "click_id", id: click.description, email: nil, domain: nil,
            traces: try TraceStore.all(of: click, and: visitor.map { [.browser($0)] } ?? [], tx))
    }

    private static func identity(
        _ lead: Lead, _ tx: Transaction
    ) throws -> SelfReferralRules.Identity {
        SelfReferralRules.Identity(
            source: "lead_id", id: lead.id.description, email: lead.contact.email,
            domain: domain(lead.contact.domain, lead.contact.email),
            traces: try TraceStore.all(
                of: lead.id,
                and: phone(lead.contact.phone, of: lead.firm.country)
                    + mailbox(lead.contact.email), tx))
    }

    private static func identity(
        _ customer: Customer, _ tx: Transaction
    ) throws -> SelfReferralRules.Identity {
        let email = customer.emailKey.flatMap { EmailAddress($0) }
        return SelfReferralRules.Identity(
            source: "customer_id", id: customer.id.description, email: email,
            domain: domain(nil, email), account: customer.externalID,
            traces: try TraceStore.all(of: customer.id, and: mailbox(email), tx))
    }

    private static func phone(_ text: String?, of country: CountryCode? = nil) -> [TraceValue] {
        text.flatMap { PhoneNumber($0, country: country) }.map { [.phone($0)] } ?? []
    }

    /// The company's domain: what the operator told, and else that of the address.
    private static func domain(_ known: DomainName?, _ email: EmailAddress?) -> DomainName? {
        AccountIdentity(domain: known, company: nil, country: nil, email: email).domain
    }
}
