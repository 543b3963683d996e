import Database
import HTTP
import JSON
import Model
import Programs
import Records
import RewardLedger

/// `/v1/programs/{id}/reward_rules`: what a program promises, in versions.
enum RewardRuleRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/programs/{id}/reward_rules"
        let one = base + "/{rule_id}"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, one, .key(.read), .read(get), reading)
        routes.add(.patch, one, .key(.write), .write(update), change)
        routes.add(.post, one + "/archive", .key(.write), .write(archive), archiving)
        routes.add(.get, one + "/versions", .key(.read), .read(versions), history)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let id: ProgramID = try call.id()
        let form = try RewardRuleForm(call.body)
        return { tx in
            let program = try program(id, tx)
            try RewardRuleRules.checkCount(try RewardRuleStore.countActive(in: id, tx))
            let rule = try form.rule(id: tx.makeID(), in: program, at: tx.now)
            let replaced = try rule.terms.replaces.map { try self.replaced($0, in: id, tx) }
            try RewardRuleStore.insert(rule, actor: call.principal.actor, tx)
            try tell("reward_rule.created", rule, call, tx)
            return .created(
                RewardRuleWire.json(
                    rule, used: try used(rule, tx), warnings: warnings(rule, replaced)),
                at: "/v1/programs/\(id)/reward_rules/\(rule.id)",
                version: rule.version)
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let path = try Path(call)
        return { tx in
            let program = try program(path.program, tx)
            let old = try find(path, tx)
            try call.requireMatch(version: old.version)
            let form = try RewardRuleForm(
                call.patched(RewardRuleWire.form(old), by: RewardRuleWire.input))
            let rule = try form.changing(old, in: program, at: tx.now)
            try RewardRuleStore.update(rule, actor: call.principal.actor, tx)
            try tell("reward_rule.updated", rule, call, tx)
            return .object(
                RewardRuleWire.json(rule, used: try used(rule, tx), warnings: warnings(rule, nil)),
                version: rule.version)
        }
    }

    private static func archive(_ call: Call) throws -> WriteStep {
        let path = try Path(call)
        return { tx in
            var rule = try find(path, tx)
            try call.requireMatch(version: rule.version)
            rule.state = try rule.state.moved(by: .archive)
            rule.version += 1
            rule.updatedAt = tx.now
            try RewardRuleStore.update(rule, actor: call.principal.actor, tx)
            try tell("reward_rule.archived", rule, call, tx)
            return .object(try json(rule, tx), version: rule.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let rule = try find(Path(call), reader)
        return .object(try json(rule, reader), version: rule.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let program = try program(call.id(), reader)
        let window = try ListRequest(call) { (id: RewardRuleID) in
            guard try RewardRuleStore.find(id, reader)?.program == program.id else { return nil }
            return try RewardRuleStore.sequence(of: id, reader)
        }
        let page = try RewardRuleStore.page(
            window.page, program: program.id, state: call.query["status"], reader)
        return try .list(page, call, id: { $0.id.description }) { rule, data in
            let used = try used(rule, reader)
            data.object { RewardRuleWire.write(rule, used: used, &$0) }
        }
    }

    private static func versions(_ call: Call, _ reader: Reader) throws -> Response {
        let rule = try find(Path(call), reader)
        let versions = try RuleVersionStore.versions(
            of: rule.id, limit: Response.wholeMax + 1, reader)
        return .whole(versions, call) { version, data in
            data.object { RuleVersionWire.write(version, &$0) }
        }
    }

    private static func replaced(
        _ id: RewardRuleID, in program: ProgramID, _ reader: Reader
    ) throws -> RewardRule {
        guard let rule = try RewardRuleStore.find(id, reader), rule.program == program else {
            throw Refused(.unknownReference("/replaces"))
        }
        return rule
    }

    private static func warnings(
        _ rule: RewardRule, _ replaced: RewardRule?
    ) -> [RewardRuleWarning] {
        var warnings: [RewardRuleWarning] = []
        if rule.terms.isFlatForAnySale { warnings.append(.noMinSale) }
        if replaced?.state == .active { warnings.append(.replacedIsActive) }
        return warnings
    }

    private static func json(_ rule: RewardRule, _ reader: Reader) throws -> [UInt8] {
        RewardRuleWire.json(rule, used: try used(rule, reader))
    }

    private static func used(_ rule: RewardRule, _ reader: Reader) throws -> Int64? {
        try FirstComeStore.used(of: rule.id, first: rule.terms.first, reader)
    }

    /// The two identifiers in the path.
    private struct Path: Sendable {
        let program: ProgramID
        let rule: RewardRuleID

        init(_ call: Call) throws {
            program = try call.id()
            rule = try call.id("rule_id")
        }
    }

    private static func find(_ path: Path, _ reader: Reader) throws -> RewardRule {
        guard let rule = try RewardRuleStore.find(path.rule, reader), rule.program == path.program
        else { throw Refused(.notFound()) }
        return rule
    }

    private static func program(_ id: ProgramID, _ reader: Reader) throws -> Program {
        guard let program = try ProgramStore.find(id, reader) else { throw Refused(.notFound()) }
        return program
    }

    private static func tell(
        _ type: String, _ rule: RewardRule, _ call: Call, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                type, rule.id, program: rule.program, actor: call.principal.actor,
                to: rule.state.rawValue, data: ["version": .integer(rule.version)]), tx)
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createRewardRule",
        summary: "Promise a reward: a flat amount or basis points, for a trigger.",
        body: RewardRuleWire.input, success: 201, answer: RewardRuleWire.schema,
        refusals: Problem.examples(
            of: RewardRuleRefusal.allCases.filter {
                $0 != .archived && $0 != .replacesFixed
            }))

    private static let listing = Contract(
        operationID: "listRewardRules", summary: "The program's reward rules, newest first.",
        query: ListRequest.fields(of: RewardRuleID.self) + [
            .optional("status", .choice(RewardRule.State.allCases.map(\.rawValue)))
        ], answer: .page(of: RewardRuleWire.schema))

    private static let reading = Contract(
        operationID: "getRewardRule", summary: "One reward rule.", answer: RewardRuleWire.schema)

    private static let change = Contract(
        operationID: "updateRewardRule",
        summary: "Change a rule by JSON Merge Patch, from now on: rewards keep the version that "
            + "made them.",
        body: RewardRuleWire.input.asPatch, bodyTypes: Contract.patchTypes,
        answer: RewardRuleWire.schema,
        refusals: Problem.examples(of: RewardRuleRefusal.allCases.filter { $0 != .tooManyRules }))

    private static let archiving = Contract(
        operationID: "archiveRewardRule", summary: "End a rule; its rewards stay.",
        body: .emptyBody, answer: RewardRuleWire.schema)

    private static let history = Contract(
        operationID: "listRewardRuleVersions",
        summary: "Every version of the rule, newest first, at most 100.",
        answer: .page(of: RuleVersionWire.schema))
}

extension RewardRuleRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .needsOneRate:
            .unprocessable(
                "rate_required",
                "Give one of amount, basis_points and tiers; points, perks and discounts in basis "
                    + "points take none.", at: "/amount")
        case .maximumWithoutBasisPoints:
            .unprocessable(
                "max_amount_without_basis_points",
                "min_amount and max_amount bound basis_points only.", at: "/max_amount")
        case .minimumAboveMaximum:
            .unprocessable(
                "min_above_max", "min_amount is larger than max_amount.", at: "/min_amount")
        case .basisPointsWithoutAmount:
            .unprocessable(
                "no_amount_to_share",
                "Only sales and won leads have an amount to take basis points of; use amount.",
                at: "/basis_points")
        case .tiersOutOfOrder:
            .unprocessable(
                "tiers_out_of_order", "Each level begins at more than the one before.", at: "/tiers"
            )
        case .retroactiveNotFlat:
            .unprocessable(
                "retroactive_not_flat",
                "Tiers raise earlier rewards only where all are flat amounts of money for leads.",
                at: "/tiers")
        case .productsWithoutConversion:
            .unprocessable(
                "products_without_conversion", "products narrow triggers of sales only.",
                at: "/products")
        case .monthsWithoutConversion:
            .unprocessable(
                "first_months_without_conversion", "first_months narrow triggers of sales only.",
                at: "/first_months")
        case .milestoneMisplaced:
            .unprocessable(
                "milestone_misplaced", "The trigger milestone needs milestone; no other takes it.",
                at: "/milestone")
        case .giftMisplaced:
            .unprocessable(
                "gift_misplaced",
                "points go with the kind points alone, discount_basis_points with discount, and a "
                    + "perk needs a description, which money does not have; value goes with perk.",
                at: "/points")
        case .durationMisplaced:
            .unprocessable(
                "duration_misplaced",
                "A discount in basis points has a duration: once, forever, or months with "
                    + "duration_months, such as {\"duration_months\": 12}.", at: "/duration")
        case .oncePerMisplaced:
            .unprocessable(
                "once_per_misplaced",
                "A milestone is given once for a participant; leave once_per out.",
                at: "/once_per")
        case .minSaleWithoutSale:
            .unprocessable(
                "min_sale_without_sale",
                "min_sale goes with triggers of sales: conversion, signup, purchase, renewal, "
                    + "upsell.", at: "/min_sale")
        case .choicesMisplaced:
            .unprocessable(
                "choices_misplaced",
                "The kind choice, for referrers, needs choices, each once; no other kind takes "
                    + "choices or choose_within_days.", at: "/choices")
        case .tiersForReferee:
            .unprocessable(
                "tiers_for_referee",
                "What the referred customer gets does not depend on a participant's referrals.",
                at: "/tiers")
        case .kindsWithoutConversion:
            .unprocessable(
                "conversion_kinds_without_conversion",
                "conversion_kinds narrow the trigger conversion only.", at: "/conversion_kinds")
        case .currencyMismatch:
            .unprocessable(
                "currency_mismatch", "Amounts must be in the program's currency.",
                at: "/amount/currency")
        case .replacesFixed:
            .unprocessable(
                "replaces_fixed", "Which rule it replaces is said when a rule is made.",
                at: "/replaces")
        case .archived:
            .conflict("rule_archived", "An archived rule does not change.")
        case .tooManyRules:
            .conflict(
                "too_many_rules",
                "A program has at most \(RewardRuleRules.rulesMax) active rules; archive one.")
        }
    }
}
