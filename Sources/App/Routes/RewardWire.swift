import JSON
import Model
import Programs
import RewardLedger

/// How a reward looks on the wire.
enum RewardWire {
    static let schema = Schema.named(
        "Reward",
        .object([
            .required("id", .id(RewardID.self)), .required("object", .choice(["reward"])),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .id(ParticipantID.self)),
            .required(
                "rule_id", .nullable(.id(RewardRuleID.self)), "Null: a person gave it by hand."),
            .required("rule_version", .nullable(.integer(1...Int64.max))),
            .required("trigger", .choice(RewardRule.TriggerName.allCases.map(\.rawValue))),
            .required(
                "kind", .choice(RewardRule.Kind.allCases.map(\.rawValue)),
                "choice until its recipient has chosen."),
            .required(
                "choices",
                .list(.choice(RewardRule.Kind.choosable.map(\.rawValue)), count: 0...4),
                "What its recipient may choose among; empty: its rule says what it is."),
            .required(
                "choose_by", .nullable(.time),
                "When the first of its choices is taken; null: chosen, not approved, or it waits."),
            .required("lead_id", .nullable(.id(LeadID.self))),
            .required("conversion_id", .nullable(.id(ConversionID.self))),
            .required("payout_id", .nullable(.id(PayoutID.self))),
            .required("status", .choice(Reward.State.allCases.map(\.rawValue))),
            .required("amount", .amountOfJournal(from: 0), "As granted."),
            .required("reversed", .amountOfJournal(from: 0), "What of it no longer counts."),
            .required(
                "corrected", .amountOfJournal(from: 0),
                "What of that went to others, because the credit was decided anew."),
            .required(
                "withdrawn", .amountOfJournal(from: 0),
                "What of that a person, the end of the lead or a count of referrals took; what "
                    + "remains of it went with refunds and comes back when they are reversed."),
            .required("net_amount", .amountOfJournal(from: 0), "What still counts."),
            .required(
                "clawed_back", .amountOfJournal(from: 0),
                "Owed back, because it was paid or on its way."),
            .required(
                "settled", .amountOfJournal(from: 0),
                "What was settled of it, by payouts or redemptions."),
            .required("reason", .nullable(.prose(0...500))),
            flags,
            .required("hold_until", .time), .required("approved_at", .nullable(.time)),
            .required("paid_at", .nullable(.time)), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    /// Of whatever was earned.
    static let flags: Field = .required(
        "flags", .list(flag, count: 0...10),
        "Why a person must look at it: it was granted into review, whatever its amount.")

    private static let flag = Schema.named(
        "RewardFlag",
        .object([
            .required("code", .choice(RewardFlag.Code.allCases.map(\.rawValue))),
            .required("because", .text(1...300)),
            .required("evidence", .anything, "What was found, in ids."),
        ]))

    static let clock = Schema.named(
        "RewardClock",
        .object([
            .required("object", .choice(["reward_clock"])),
            .required("reward_id", .id(RewardID.self)),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .id(ParticipantID.self)),
            .required(
                "promise", .choice(RewardClock.Promise.allCases.map(\.rawValue)),
                "credit: to be approved; payment: to be paid; target: to be paid within the "
                    + "program's target from the referral."),
            .required("due_at", .time),
            .required(
                "blocked_by", .nullable(.choice(RewardObstacle.allCases.map(\.rawValue))),
                "What stands in the way; null: nothing that is known. in_review and on_hold can be "
                    + "approved, nobody is paid while another is told."),
        ]))

    static func write(
        _ clock: RewardClock, _ obstacle: RewardObstacle?, _ json: inout JSONObjectWriter
    ) {
        json.field("object", "reward_clock")
        json.field("reward_id", clock.reward)
        json.field("program_id", clock.program)
        json.field("participant_id", clock.participant)
        json.field("promise", clock.promise.rawValue)
        json.field("due_at", clock.dueAt)
        json.field("blocked_by", obstacle?.rawValue)
    }

    static func json(_ reward: Reward) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(reward, &$0) }
        return json.bytes
    }

    static func write(_ reward: Reward, _ json: inout JSONObjectWriter) {
        func money(_ amount: Int64) -> Money {
            Money(amount: amount, currency: reward.amount.currency)
        }
        json.field("id", reward.id)
        json.field("object", "reward")
        json.field("program_id", reward.program)
        json.field("participant_id", reward.participant)
        json.field("rule_id", reward.rule)
        json.field("rule_version", reward.ruleVersion)
        json.field("trigger", reward.trigger.rawValue)
        json.field("kind", reward.kind.rawValue)
        json.field(
            "choices", JSONValue.array(reward.choice.kinds.map { .string($0.rawValue) }))
        json.field("choose_by", reward.chooseBy)
        json.field("lead_id", reward.lead)
        json.field("conversion_id", reward.conversion)
        json.field("payout_id", reward.payout)
        json.field("status", reward.state.rawValue)
        json.money("amount", reward.amount)
        json.money("reversed", money(reward.reversedAmount))
        json.money("corrected", money(reward.correctedAmount))
        json.money("withdrawn", money(reward.withdrawnAmount))
        json.money("net_amount", money(reward.netAmount))
        json.money("clawed_back", money(reward.clawbackAmount))
        json.money("settled", money(reward.settledAmount))
        json.field("reason", reward.reason)
        json.field("flags", JSONValue.array(reward.flags.map(\.json)))
        json.field("hold_until", reward.holdUntil)
        json.field("approved_at", reward.approvedAt)
        json.field("paid_at", reward.paidAt)
        json.field("version", reward.version)
        json.field("created_at", reward.createdAt)
        json.field("updated_at", reward.updatedAt)
    }
}

/// Why a reward is what it is: its rule and arithmetic as they were, and its entries in the
/// journal.
enum RewardExplanationWire {
    static let schema = Schema.named(
        "RewardExplanation",
        .object([
            .required("object", .choice(["explanation"])),
            .required("reward_id", .id(RewardID.self)),
            .required("summary", .text(1...2000)),
            .required("hold", .text(1...1000)),
            .required("basis", .anything, "Rule, inputs and arithmetic, as they were."),
            .required(
                "transactions", .list(LedgerTransactionWire.schema, count: 0...100),
                "Its entries in the journal, oldest first."),
        ]))

    /// From which amount on a person reviews, and the budget, are the operator's own matter, and
    /// what others have is theirs.
    static func json(
        _ reward: Reward, _ transactions: [LedgerTransaction], for caller: Principal
    ) -> [UInt8] {
        let isOperator = caller.participant == nil
        let basis = RewardBasisWire.json(reward.basis, for: caller)
        var json = JSONWriter(capacity: 2048)
        json.object { object in
            object.field("object", "explanation")
            object.field("reward_id", reward.id)
            object.field("summary", summary(reward, basis))
            object.field("hold", hold(reward, isOperator: isOperator))
            object.field("basis", basis)
            object.array("transactions") { list in
                for transaction in transactions {
                    list.object { LedgerTransactionWire.write(transaction, &$0) }
                }
            }
        }
        return json.bytes
    }

    /// Says only what the stored basis says, as far as it is shown: the same words for a reward of
    /// any age.
    private static func summary(_ reward: Reward, _ basis: JSONValue) -> String {
        let basis = basis.objectValue ?? [:]
        return ([rate(reward, basis)] + steps(basis)).joined(separator: " ")
    }

    /// What came between the rate and the amount, in the order in which it was reckoned (R190).
    private static func steps(_ basis: JSONObject) -> [String] {
        let arithmetic = basis["arithmetic"]?.objectValue ?? [:]
        var steps: [String] = []
        if let tier = arithmetic["tier"]?.objectValue, let count = tier["count"]?.integerValue,
            let from = tier["from"]?.integerValue
        {
            steps.append("Referral number \(count) is paid at the tier from \(from) on.")
        }
        if let campaign = arithmetic["campaign"]?.objectValue,
            let id = campaign["id"]?.stringValue
        {
            let amount = campaign["amount"]?.integerValue
            steps.append("Campaign \(id) " + (amount.map { "made it \($0)." } ?? "changed it."))
        }
        if let more = arithmetic["retroactive"]?.integerValue {
            steps.append("It brings \(more) that earlier rewards lacked.")
        }
        for limit in arithmetic["limits"]?.arrayValue ?? [] {
            guard let object = limit.objectValue, let cut = object["cut"]?.integerValue, cut > 0,
                let name = object["limit"]?.stringValue, let most = object["most"]?.integerValue
            else { continue }
            let used = object["used"]?.integerValue.map { ", \($0) used," } ?? ""
            steps.append("The limit \(name) of \(most)\(used) cut \(cut).")
        }
        if let budget = basis["budget"]?.objectValue, let outcome = budget["outcome"]?.stringValue,
            let period = budget["period"]?.stringValue
        {
            steps.append("Against the budget of \(period): \(outcome).")
        }
        return steps
    }

    private static func rate(_ reward: Reward, _ basis: JSONObject) -> String {
        let arithmetic = basis["arithmetic"]?.objectValue ?? [:]
        let granted =
            reward.kind == .points
            ? "\(reward.amount.amount) points"
            : "\(reward.amount.amount) \(reward.amount.currency.code) minor units"
        guard let id = reward.rule, let version = reward.ruleVersion else {
            let reason = basis["manual"]?.objectValue?["reason"]?.stringValue
            return "Given by hand: \(granted)." + (reason.map { " \($0)" } ?? "")
        }
        let rule = "Version \(version) of rule \(id)"
        if arithmetic["shared"] == true {
            return "\(rule) gives once to all who share it; the participant's share is \(granted)."
        }
        let share =
            reward.wholeAmount == reward.amount.amount
            ? "" : ", of which this is the participant's share"
        guard let base = arithmetic["base"]?.integerValue,
            let points = arithmetic["basis_points"]?.integerValue
        else {
            let flat = arithmetic["rate_amount"]?.integerValue ?? reward.wholeAmount
            return "\(rule) gives a flat \(flat) for \(reward.trigger.rawValue)"
                + "\(share): \(granted)."
        }
        let exact = "\(base) × \(points) ÷ 10000"
        let kept = arithmetic["rate_amount"]?.integerValue ?? reward.wholeAmount
        if let before = arithmetic["before_maximum"]?.integerValue, before != kept {
            let bound = before > kept ? "capped at its maximum" : "raised to its minimum"
            return "\(rule) gives \(exact) = \(before), \(bound) of \(kept)\(share): \(granted)."
        }
        return "\(rule) gives \(exact), a half to the even neighbour\(share): \(granted)."
    }

    private static func hold(_ reward: Reward, isOperator: Bool) -> String {
        let hold =
            reward.state.isWaiting
            ? "On hold until \(reward.holdUntil.rfc3339)."
            : "Its hold was until \(reward.holdUntil.rfc3339); it is \(reward.state.rawValue), and "
                + "\(reward.netAmount) of it count."
        if !reward.flags.isEmpty, !isOperator { return "A person reviews it. " + hold }
        if !reward.flags.isEmpty {
            return "A person reviews it, whatever its amount: "
                + reward.flags.map(\.because).joined(separator: " ") + " " + hold
        }
        guard isOperator else { return hold }
        return switch reward.approvalThreshold {
        case let threshold?:
            hold + " Amounts of \(threshold) minor units and more are reviewed by a person."
        case nil: hold + " No amount needs a review."
        }
    }
}
