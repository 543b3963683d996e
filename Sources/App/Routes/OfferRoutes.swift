import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/programs/{id}/offer`: what the program promises, as data and as sentences: what counts as a
/// referral, what is given and when it is paid, how much can be earned at most, and what happens
/// when the customer cancels (R13, R14). A participant reads what holds for it.
enum OfferRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/programs/{id}/offer", .keyOrParticipant(.read), .read(get), reading)
    }

    // MARK: - Handler

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let id: ProgramID = try call.id()
        if let own = call.principal.program, own != id { throw Refused(.notFound()) }
        return try reader.snapshot {
            guard let program = try ProgramStore.find(id, reader) else {
                throw Refused(.notFound())
            }
            let who = try participant(call, of: id, reader)
            // An ended program promises nothing any more.
            let isOver = program.state == .ended
            let rules =
                try isOver
                ? [] : RewardRuleStore.active(in: id, reader).filter { holds($0.terms, for: who) }
            let now = try LedgerReads.lastCommit(reader)
            let campaigns = try isOver ? [] : CampaignStore.open(in: id, at: now, reader)
            let terms = try PublishedTermsStore.newest(of: id, reader)
            var json = JSONWriter(capacity: 4096)
            json.object { json in
                json.field("object", "offer")
                json.field("program_id", id)
                json.field("program_version", program.version)
                json.field("program_status", program.state.rawValue)
                json.field("participant_id", who?.id)
                json.field("terms_version", terms?.version)
                write("qualification", OfferTerms.qualification(program), &json)
                json.array("rewards") { data in
                    for rule in rules.prefix(rulesMax) {
                        data.object { write(rule, program, forAll: who == nil, &$0) }
                    }
                }
                json.array("campaigns") { data in
                    for campaign in campaigns where touches(campaign, rules) {
                        data.object { write(campaign, program, &$0) }
                    }
                }
                write("limits", limits(of: program, rules), &json)
                write("payment", OfferTerms.payment(program), &json)
                write("cancellation", OfferTerms.cancellation(program), &json)
            }
            return .object(json.bytes)
        }
    }

    /// As many as an answer shows, the oldest first.
    private static let rulesMax = 500

    private static func write(
        _ name: String, _ sentences: [String], _ json: inout JSONObjectWriter
    ) {
        json.array(name) { list in
            for text in sentences { list.element(text) }
        }
    }

    /// The program's limits hold for every kind of reward, each counted in its own unit.
    private static func limits(of program: Program, _ rules: [RewardRule]) -> [String] {
        RewardTerms.Unit.allCases.filter { unit in
            rules.isEmpty ? unit == .money : rules.contains { $0.terms.unit == unit }
        }.flatMap { OfferWords.limits(program.terms.rewardLimits, in: $0, program.currency) }
    }

    /// Whether the campaign changes what one of these rules gives.
    private static func touches(_ campaign: Campaign, _ rules: [RewardRule]) -> Bool {
        rules.contains { campaign.rules.isEmpty || campaign.rules.contains($0.id) }
    }

    /// Whose offer it is: the token's own participant, else that of the query, which must be one of
    /// the program's.
    private static func participant(
        _ call: Call, of program: ProgramID, _ reader: Reader
    ) throws -> Participant? {
        let asked: ParticipantID? = call.queryID("participant_id")
        if let own = call.participant {
            if let asked, asked != own { throw Refused(.notFound()) }
            return try ParticipantStore.find(own, reader)
        }
        guard let asked else { return nil }
        guard let participant = try ParticipantStore.find(asked, reader),
            participant.program == program
        else { throw Refused(.notFound()) }
        return participant
    }

    /// Whether the rule gives to this participant; nobody in particular is anybody.
    private static func holds(_ terms: RewardTerms, for who: Participant?) -> Bool {
        guard let who else { return true }
        if let kinds = terms.participantKinds, !kinds.contains(who.kind.rawValue) { return false }
        guard let segments = terms.segments else { return true }
        return who.profile.segment.map { segments.contains($0) } ?? false
    }

    private static func write(
        _ rule: RewardRule, _ program: Program, forAll: Bool, _ json: inout JSONObjectWriter
    ) {
        let terms = rule.terms
        json.field("rule_id", rule.id)
        json.field("version", rule.version)
        json.field("recipient", terms.recipient.rawValue)
        json.field("trigger", terms.trigger.rawValue)
        json.field("kind", terms.kind.rawValue)
        json.field("hold_days", terms.holdDays ?? program.terms.holdDays)
        json.field("sentence", OfferWords.sentence(terms, forAll: forAll))
        write("limits", OfferWords.limits(terms.limits, in: terms.unit, program.currency), &json)
    }

    private static func write(
        _ campaign: Campaign, _ program: Program, _ json: inout JSONObjectWriter
    ) {
        json.field("campaign_id", campaign.id)
        json.field("name", campaign.name)
        json.field("starts_at", campaign.startsAt.rfc3339)
        json.field("ends_at", campaign.endsAt.rfc3339)
        json.field("sentence", OfferTerms.sentence(campaign))
    }

    // MARK: - Contract

    private static let sentences = Schema.list(.prose(1...10_000), count: 0...100)

    private static let schema = Schema.named(
        "Offer",
        .object([
            .required("object", .choice(["offer"])),
            .required("program_id", .id(ProgramID.self)),
            .required("program_version", .integer(1...Int64.max), "Of the program's rules."),
            .required(
                "program_status", .choice(Program.State.allCases.map(\.rawValue)),
                "ended: rewards and campaigns are empty."),
            .required(
                "participant_id", .nullable(.id(ParticipantID.self)),
                "For which participant the rules hold; null: the rules for all participants."),
            .required(
                "terms_version", .nullable(.integer(1...Int64.max)),
                "The newest version of the legal terms; null: none is published."),
            .required("qualification", sentences, "When a referral counts."),
            .required(
                "rewards", .list(reward, count: 0...rulesMax),
                "One entry for each active rule, the oldest first."),
            .required(
                "campaigns", .list(campaign, count: 0...100),
                "Those that run or are announced, the first to end first."),
            .required("limits", sentences, "How much all rules together give at most."),
            .required("payment", sentences, "When a reward is approved and paid."),
            .required("cancellation", sentences, "What happens when the customer cancels."),
        ]))

    private static let reward = Schema.object([
        .required("rule_id", .id(RewardRuleID.self)),
        .required("version", .integer(1...Int64.max)),
        .required(
            "recipient", .choice(RewardRule.Recipient.allCases.map(\.rawValue)),
            "Who gets it: the participant, or the person that it refers."),
        .required("trigger", .choice(RewardRule.TriggerName.ofRules.map(\.rawValue))),
        .required("kind", .choice(RewardRule.Kind.allCases.map(\.rawValue))),
        .required("hold_days", .integer(0...Int64.max), "Days before it is approved."),
        .required("sentence", .prose(1...10_000), "What is given for what, in exact figures."),
        .required("limits", sentences, "How much this rule gives at most."),
    ])

    private static let campaign = Schema.object([
        .required("campaign_id", .id(CampaignID.self)), .required("name", .prose(1...1000)),
        .required("starts_at", .time), .required("ends_at", .time),
        .required("sentence", .prose(1...10_000), "What it changes, for which referrals."),
    ])

    private static let reading = Contract(
        operationID: "getOffer",
        summary: "What the program promises, as data and as English sentences: when a referral "
            + "counts, what is given, limits, when it is paid, and what a cancellation changes.",
        query: [
            .optional(
                "participant_id", .id(ParticipantID.self),
                "The rules that hold for this participant. A token reads its own.")
        ], answer: schema)
}
