import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/rewards`: what participants earned, approval, and why.
enum RewardRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/rewards"
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.post, base, .key(.payouts), .write(give), giving)
        routes.add(.get, base + "/overdue", .key(.read), .serviceRead(overdue), waiting)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(
            .get, base + "/{id}/explain", .keyOrParticipant(.read), .read(explain), explaining)
        routes.add(.post, base + "/{id}/approve", .key(.payouts), .write(approve), approving)
        routes.add(
            .post, base + "/{id}/reject", .key(.payouts), .write { try end($0, by: .reject) },
            ending("reject", "Refuse a reward on hold or in review."))
        routes.add(
            .post, base + "/{id}/void", .key(.payouts), .write { try end($0, by: .void) },
            ending("void", "Take back a reward that nothing of has been paid."))
        routes.add(
            .post, base + "/{id}/claw_back", .key(.payouts),
            .write { try end($0, by: .clawBack) },
            ending(
                "claw_back",
                "Take back all that still counts of a reward by hand, paid or not: what was paid "
                    + "is owed and set off against later payouts. No refund's reversal gives it "
                    + "back."))
        routes.add(
            .post, base + "/{id}/choose", .keyOrParticipant(.write), .write(choose), choosing)
    }

    // MARK: - Handlers

    private static func approve(_ call: Call) throws -> WriteStep {
        let id: RewardID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            try SeparateDuties.check(id, of: old.participant, in: old.program, call, tx) {
                try SeparateDuties.checkApproval(old, by: call.principal.actor, tx)
            }
            let reward = try RewardBook.approve(old, actor: call.principal.actor, tx)
            return .object(RewardWire.json(reward), version: reward.version)
        }
    }

    private static func give(_ call: Call) throws -> WriteStep {
        let give = try ManualRewardWire.give(call)
        return { tx in
            let reward = try give(tx)
            return .created(
                RewardWire.json(reward), at: "/v1/rewards/\(reward.id)", version: reward.version)
        }
    }

    private static func end(
        _ call: Call, by action: Reward.State.Action
    ) throws -> WriteStep {
        let id: RewardID = try call.id()
        let reason = try call.body.requiredText("reason")
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let actor = call.principal.actor
            let reward: Reward
            switch action {
            case .reject: reward = try RewardBook.reject(old, reason: reason, actor: actor, tx)
            case .clawBack: reward = try RewardBook.clawBack(old, reason: reason, actor: actor, tx)
            case .void, .approve:
                reward = try RewardBook.void(old, reason: reason, actor: actor, tx)
            }
            return .object(RewardWire.json(reward), version: reward.version)
        }
    }

    private static func choose(_ call: Call) throws -> WriteStep {
        let id: RewardID = try call.id()
        let kind = try call.body.required(
            "kind", call.body.text("kind").flatMap { RewardRule.Kind(rawValue: $0) })
        return { tx in
            let old = try find(id, tx)
            try call.requireOwn(old.participant)
            try call.requireMatch(version: old.version)
            let reward = try ChooseReward.run(kind, for: old, actor: call.principal.actor, tx)
            return .object(RewardWire.json(reward), version: reward.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let reward = try find(call.id(), reader)
        try call.requireOwn(reward.participant)
        return .object(RewardWire.json(reward), version: reward.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: RewardID) in
            guard let reward = try RewardStore.find(id, reader) else { return nil }
            if let own = call.participant, own != reward.participant { return nil }
            return try RewardStore.sequence(of: id, reader)
        }
        var filter = RewardStore.Filter()
        filter.state = call.query["status"]
        filter.kind = call.query["kind"]
        filter.participant = try call.ownParticipant("participant_id")
        filter.program = call.queryID("program_id")
        filter.conversion = call.queryID("conversion_id")
        filter.lead = call.queryID("lead_id")
        filter.payout = call.queryID("payout_id")
        filter.created = try call.createdWindow(reader)
        let page = try RewardStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { reward, data in
            data.object { RewardWire.write(reward, &$0) }
        }
    }

    private static func overdue(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let limit = call.query["limit"].flatMap { Int($0) } ?? 10
        let clocks = try RewardClockStore.overdue(
            at: app.clock.now(),
            promise: call.query["promise"].flatMap { RewardClock.Promise(rawValue: $0) },
            program: call.queryID("program_id"), limit: limit + 1, reader)
        var obstacles: [RewardClock: RewardObstacle] = [:]
        for clock in clocks { obstacles[clock] = try FindObstacle.run(clock, reader) }
        return .whole(clocks, call, most: limit) { clock, data in
            data.object { RewardWire.write(clock, obstacles[clock], &$0) }
        }
    }

    private static func explain(_ call: Call, _ reader: Reader) throws -> Response {
        let reward = try find(call.id(), reader)
        try call.requireOwn(reward.participant)
        var filter = LedgerReads.Filter()
        filter.reward = reward.id
        let oldest = PageRequest(limit: 100, window: .newer(than: 0))
        let page = try LedgerReads.transactions(oldest, filter, reader)
        return .object(
            RewardExplanationWire.json(
                reward, page.items.sorted { $0.sequence < $1.sequence },
                for: call.principal))
    }

    private static func find(_ id: RewardID, _ reader: Reader) throws -> Reward {
        guard let reward = try RewardStore.find(id, reader) else { throw Refused(.notFound()) }
        return reward
    }

    // MARK: - Contracts

    private static let listing = Contract(
        operationID: "listRewards", summary: "Rewards, newest first.",
        query: ListRequest.fields(of: RewardID.self) + ListRequest.createdFields + [
            .optional("status", .choice(Reward.State.allCases.map(\.rawValue))),
            .optional(
                "kind", .choice(RewardRule.Kind.allCases.map(\.rawValue)),
                "choice, with status=approved: those whose recipient has yet to choose."),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("program_id", .id(ProgramID.self)),
            .optional("conversion_id", .id(ConversionID.self)),
            .optional("lead_id", .id(LeadID.self)),
            .optional("payout_id", .id(PayoutID.self), "Those that the payout holds or held."),
        ], answer: .page(of: RewardWire.schema))

    private static let reading = Contract(
        operationID: "getReward", summary: "One reward.", answer: RewardWire.schema)

    private static let waiting = Contract(
        operationID: "listOverdueRewards",
        summary:
            "Rewards that were to be credited or paid and were not, the longest overdue first.",
        query: [
            .optional("limit", .integer(1...100), "How many, 10 unless told."),
            .optional(
                "promise", .choice(RewardClock.Promise.allCases.map(\.rawValue)),
                "credit and payment unless told; target: those that missed the program's target, "
                    + "which is no promise."),
            .optional("program_id", .id(ProgramID.self)),
        ], answer: .page(of: RewardWire.clock))

    private static let explaining = Contract(
        operationID: "explainReward",
        summary: "Why the reward is what it is: rule, version, inputs, arithmetic, hold, journal.",
        answer: RewardExplanationWire.schema)

    private static let approving = Contract(
        operationID: "approveReward",
        summary: "Approve a reward in review, or one on hold before its time.",
        body: .object([SeparateDuties.override]), answer: RewardWire.schema,
        refusals: Problem.examples(
            of: [SeparateDuties.Refusal.recordedTheReward]))

    private static let choosing = Contract(
        operationID: "chooseReward",
        summary: "Choose in which form a reward is paid, or another until a payout holds it.",
        body: .object([
            .required(
                "kind", .choice(RewardRule.Kind.choosable.map(\.rawValue)),
                "One of the reward's choices.")
        ]), answer: RewardWire.schema,
        refusals: Problem.examples(of: [
            RewardRefusal.nothingToChoose, .notOffered([.cash, .giftCard]),
        ]))

    private static let giving = Contract(
        operationID: "createReward",
        summary: "Give a reward by hand, or an adjustment, for a reason. It has no hold; by its "
            + "amount, or where the program separates duties, another key approves it.",
        body: ManualRewardWire.input, success: 201, answer: RewardWire.schema,
        refusals: [ManualRewardWire.oneOfBoth] + Problem.examples(of: [RewardRefusal.notApproved]))

    private static func ending(_ action: String, _ summary: String) -> Contract {
        Contract(
            operationID: action == "claw_back" ? "clawBackReward" : "\(action)Reward",
            summary: summary,
            body: .object([.required("reason", .prose(1...500))]), answer: RewardWire.schema)
    }
}

extension Call {
    /// The participant that a list is asked for; a participant's token may ask for its own alone.
    func ownParticipant(_ name: String) throws -> ParticipantID? {
        let asked: ParticipantID? = queryID(name)
        guard let own = participant else { return asked }
        if asked != nil && asked != own { throw Refused(.notFound()) }
        return own
    }
}
