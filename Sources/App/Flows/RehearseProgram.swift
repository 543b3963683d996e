import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import RewardLedger

/// Replays conversions under changed terms and rules, as everything about their customers is known
/// today, and adds up what would be different for whom. Reads alone.
struct RehearseProgram {
    private struct Sum {
        var actual: Int64 = 0
        var rehearsed: Int64 = 0
        var delta: Int64 { rehearsed - actual }
    }

    private struct Line {
        var credit = Sum()
        var rewards = Sum()
    }

    private let program: Program
    private let terms: AttributionTerms
    private let rules: [RewardRule]
    private var lines: [ParticipantID?: Line] = [:]
    private(set) var processed: Int64 = 0
    /// Conversions whose credit would be another.
    private var changed: Int64 = 0

    /// What the answer says of limits and budgets.
    static let limitsAndBudget = "not_applied"

    /// Participants that are told, those with the largest differences.
    static let linesMax = 1_000

    init(_ change: RehearsalChange, _ program: Program, _ reader: Reader) throws {
        self.program = program
        terms = try change.terms(program)
        rules = try change.rules(program, reader)
    }

    /// Adds one conversion.
    mutating func add(_ id: ConversionID, _ reader: Reader) throws {
        guard let conversion = try ConversionStore.find(id, reader),
            let attribution = try AttributionStore.newest(of: id, reader)
        else { return }
        processed += 1
        let facts = try GatherCreditFacts.run(conversion, program, terms, reader)
        let rehearsed = AttributionRules.decide(facts, terms, at: conversion.occurredAt)
        if rehearsed.credits != attribution.credits { changed += 1 }
        try addCredit(attribution.decision, conversion, to: \.credit.actual)
        try addCredit(rehearsed, conversion, to: \.credit.rehearsed)
        guard try GrantRewards.mayEarn(conversion, program, reader) else { return }
        let held = try RewardStore.rewards(of: id, reader).filter { $0.trigger == .conversion }
        let trigger = RewardRule.Trigger.conversion(kind: conversion.kind.rawValue)
        var granted: [RewardRuleID: Int64] = [:]
        for reward in held.reversed() {
            if let rule = reward.rule { granted[rule] = reward.ruleVersion }
        }
        let past = try RewardRuleStore.inForce(
            in: program.id, for: trigger, at: conversion.createdAt, granted: granted, reader)
        try addRewards(
            past, attribution.decision, conversion, held, to: \.rewards.actual, reader)
        try addRewards(
            rules.filter { RewardRuleRules.applies($0, to: trigger) }, rehearsed, conversion, held,
            to: \.rewards.rehearsed, reader)
    }

    /// What the rules give for the conversion, in the same way on both sides: before limits and
    /// budgets. What these left of it then says nothing of what they would have left under other
    /// rules, as everything else that was earned by then would be another.
    private mutating func addRewards(
        _ rules: [RewardRule], _ decision: AttributionDecision, _ conversion: Conversion,
        _ held: [Reward], to column: WritableKeyPath<Line, Int64>, _ reader: Reader
    ) throws {
        let credits = GrantRewards.credits(decision, of: conversion)
        var occasion = GrantRewards.Occasion(
            trigger: .conversion(kind: try GrantRewards.kind(of: conversion, reader).rawValue),
            program: program,
            lead: conversion.lead, conversion: conversion.id, actor: "system")
        let lead = try conversion.lead.flatMap { try LeadStore.find($0, reader) }
        occasion.facts = try GrantRewards.facts(
            of: conversion, lead, decision, program, reader)
        let terms = try occasion.unflagged(credits, reader)
        for rule in rules where rule.terms.isMoney && rule.terms.trigger.isConversion {
            for share in try RewardReckoning.rehearse(
                rule, terms, credits, held: held, at: conversion.createdAt, reader)
            { try add(share.amount, of: share.participant, to: column) }
        }
    }

    private mutating func addCredit(
        _ decision: AttributionDecision, _ conversion: Conversion,
        to column: WritableKeyPath<Line, Int64>
    ) throws {
        let shares = decision.shares(of: conversion.amount.amount)
        for (credit, share) in zip(decision.credits, shares.credits) {
            try add(share, of: credit.participant, to: column)
        }
        if shares.uncredited > 0 { try add(shares.uncredited, of: nil, to: column) }
    }

    private mutating func add(
        _ amount: Int64, of participant: ParticipantID?, to column: WritableKeyPath<Line, Int64>
    ) throws {
        var line = lines[participant, default: Line()]
        line[keyPath: column] = try JournalRules.balance(line[keyPath: column], adding: amount)
        lines[participant] = line
    }

    /// What came of it, in minor units of the program's currency.
    var result: JSONValue {
        let ranking = lines.sorted { one, other in
            let (left, right) = (one.value, other.value)
            if left.rewards.delta.magnitude != right.rewards.delta.magnitude {
                return left.rewards.delta.magnitude > right.rewards.delta.magnitude
            }
            if left.credit.delta.magnitude != right.credit.delta.magnitude {
                return left.credit.delta.magnitude > right.credit.delta.magnitude
            }
            return (one.key?.description ?? "") < (other.key?.description ?? "")
        }
        let total = lines.values.reduce(into: Line()) { total, line in
            total.credit.actual += line.credit.actual
            total.credit.rehearsed += line.credit.rehearsed
            total.rewards.actual += line.rewards.actual
            total.rewards.rehearsed += line.rewards.rehearsed
        }
        return [
            "conversions": .integer(processed), "conversions_changed": .integer(changed),
            "credit": Self.json(total.credit), "rewards": Self.json(total.rewards),
            "limits_and_budget": .string(Self.limitsAndBudget),
            "participants": .array(
                ranking.prefix(Self.linesMax).map { participant, line in
                    [
                        "participant_id": participant.map { .string($0.description) } ?? .null,
                        "credit": Self.json(line.credit), "rewards": Self.json(line.rewards),
                    ]
                }),
            "participants_omitted": .integer(Int64(max(0, ranking.count - Self.linesMax))),
        ]
    }

    private static func json(_ sum: Sum) -> JSONValue {
        [
            "actual": .integer(sum.actual), "rehearsed": .integer(sum.rehearsed),
            "delta": .integer(sum.delta),
        ]
    }
}
