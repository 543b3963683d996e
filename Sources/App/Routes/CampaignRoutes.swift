import Database
import HTTP
import JSON
import Model
import Programs
import Records
import RewardLedger

/// `/v1/programs/{id}/campaigns`: times in which a program gives more.
enum CampaignRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/programs/{id}/campaigns"
        let one = base + "/{campaign_id}"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, one, .key(.read), .read(get), reading)
        routes.add(.patch, one, .key(.write), .write(update), change)
        routes.add(.post, one + "/end", .key(.write), .write(end), ending)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let id: ProgramID = try call.id()
        return { tx in
            let program = try program(id, tx)
            let form = try CampaignForm(call.body, in: program.terms.timeZone)
            let asked = form.campaign(id: tx.makeID(), in: id, at: tx.now)
            try check(asked, program, tx)
            let campaign = try FollowCampaign.scheduled(asked, tx)
            try CampaignStore.insert(campaign, actor: call.principal.actor, tx)
            try tell("campaign.created", campaign, call, tx)
            if campaign.state == .active {
                try FollowCampaign.tell(
                    .active, campaign, from: nil, actor: call.principal.actor, tx)
            }
            return .created(
                try json(campaign, tx), at: "/v1/programs/\(id)/campaigns/\(campaign.id)",
                version: campaign.version)
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let path = try Path(call)
        return { tx in
            let program = try program(path.program, tx)
            let old = try find(path, tx)
            try call.requireMatch(version: old.version)
            try CampaignRules.checkMayChange(old, at: tx.now)
            let form = try CampaignForm(
                call.patched(CampaignWire.form(old), by: CampaignWire.input),
                in: program.terms.timeZone)
            let asked = form.changing(old, at: tx.now)
            try check(asked, program, tx)
            let campaign = try FollowCampaign.scheduled(asked, tx)
            try CampaignStore.update(campaign, actor: call.principal.actor, tx)
            try tell("campaign.updated", campaign, call, tx)
            if campaign.state == .active {
                try FollowCampaign.tell(
                    .active, campaign, from: old.state, actor: call.principal.actor, tx)
            }
            return .object(try json(campaign, tx), version: campaign.version)
        }
    }

    private static func end(_ call: Call) throws -> WriteStep {
        let path = try Path(call)
        return { tx in
            let old = try find(path, tx)
            try call.requireMatch(version: old.version)
            let campaign = try CampaignRules.ended(old, at: tx.now)
            try JobStore.cancel(FollowCampaign.job, campaign.id, tx)
            try CampaignStore.update(campaign, actor: call.principal.actor, tx)
            try FollowCampaign.tell(
                .ended, campaign, from: old.state, actor: call.principal.actor, tx)
            return .object(try json(campaign, tx), version: campaign.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let campaign = try find(Path(call), reader)
        return .object(try json(campaign, reader), version: campaign.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let program = try program(call.id(), reader)
        let window = try ListRequest(call) { (id: CampaignID) in
            guard try CampaignStore.find(id, reader)?.program == program.id else { return nil }
            return try CampaignStore.sequence(of: id, reader)
        }
        let page = try CampaignStore.page(
            window.page, program: program.id, state: call.query["status"], reader)
        return try .list(page, call, id: { $0.id.description }) { campaign, data in
            let used = try used(campaign, reader)
            data.object { CampaignWire.write(campaign, used: used, &$0) }
        }
    }

    private static func json(_ campaign: Campaign, _ reader: Reader) throws -> [UInt8] {
        CampaignWire.json(campaign, used: try used(campaign, reader))
    }

    private static func used(_ campaign: Campaign, _ reader: Reader) throws -> Int64? {
        try FirstComeStore.used(of: campaign.id, first: campaign.first, reader)
    }

    /// The two identifiers in the path.
    private struct Path: Sendable {
        let program: ProgramID
        let campaign: CampaignID

        init(_ call: Call) throws {
            program = try call.id()
            campaign = try call.id("campaign_id")
        }
    }

    /// Its terms fit, and the rules it names are the program's.
    private static func check(
        _ campaign: Campaign, _ program: Program, _ tx: Transaction
    ) throws {
        try CampaignRules.check(campaign, currency: program.currency, at: tx.now)
        for (index, id) in campaign.rules.enumerated() {
            guard try RewardRuleStore.find(id, tx)?.program == program.id else {
                throw Refused(.unknownReference("/reward_rule_ids/\(index)"))
            }
        }
    }

    private static func find(_ path: Path, _ reader: Reader) throws -> Campaign {
        guard let campaign = try CampaignStore.find(path.campaign, reader),
            campaign.program == path.program
        else { throw Refused(.notFound()) }
        return campaign
    }

    private static func program(_ id: ProgramID, _ reader: Reader) throws -> Program {
        guard let program = try ProgramStore.find(id, reader) else { throw Refused(.notFound()) }
        return program
    }

    private static func tell(
        _ type: String, _ campaign: Campaign, _ call: Call, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                type, campaign.id, program: campaign.program, actor: call.principal.actor,
                to: campaign.state.rawValue, data: ["version": .integer(campaign.version)]), tx)
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createCampaign",
        summary: "Give more for a time: a multiple of what rules give, or an amount in its place, "
            + "which is given also where a rule would give more.",
        body: CampaignWire.input, success: 201, answer: CampaignWire.schema,
        refusals: Problem.examples(of: CampaignRefusal.allCases.filter { $0 != .started }))

    private static let listing = Contract(
        operationID: "listCampaigns", summary: "The program's campaigns, newest first.",
        query: ListRequest.fields(of: CampaignID.self) + [
            .optional("status", .choice(Campaign.State.allCases.map(\.rawValue)))
        ], answer: .page(of: CampaignWire.schema))

    private static let reading = Contract(
        operationID: "getCampaign", summary: "One campaign.", answer: CampaignWire.schema)

    private static let change = Contract(
        operationID: "updateCampaign",
        summary: "Change a campaign by JSON Merge Patch, before it starts.",
        body: CampaignWire.input.asPatch, bodyTypes: Contract.patchTypes,
        answer: CampaignWire.schema, refusals: Problem.examples(of: CampaignRefusal.allCases))

    private static let ending = Contract(
        operationID: "endCampaign",
        summary: "End a campaign now; who was referred while it ran keeps what it promised.",
        body: .emptyBody, answer: CampaignWire.schema)
}

extension CampaignRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .needsOneEffect:
            .unprocessable(
                "effect_required", "Give either multiplier_basis_points or override_amount.",
                at: "/multiplier_basis_points")
        case .givesLess:
            .unprocessable(
                "multiplier_too_small",
                "A campaign gives more: multiplier_basis_points must be at least 10000.",
                at: "/multiplier_basis_points")
        case .endsBeforeStart:
            .unprocessable(
                "ends_before_start", "ends_at must be later than starts_at.", at: "/ends_at")
        case .inThePast:
            .unprocessable("in_the_past", "ends_at must be later than now.", at: "/ends_at")
        case .currencyMismatch:
            .unprocessable(
                "currency_mismatch", "Amounts must be in the program's currency.",
                at: "/override_amount/currency")
        case .started:
            .conflict(
                "campaign_started",
                "A campaign that has started or ended does not change; it can be ended.")
        }
    }
}
