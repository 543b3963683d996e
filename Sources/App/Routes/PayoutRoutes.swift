import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/payouts`: approved rewards of one participant, paid at once and once.
enum PayoutRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/payouts"
        routes.add(.post, base, .key(.payouts), .write(create), creation)
        routes.amend { $0.idempotency = .required }
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, "/v1/payouts.csv", .key(.read), .export(export), exporting)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        for action in Payout.State.Action.allCases {
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", .key(.payouts),
                .write { try move($0, by: action) }, transition(action))
            routes.amend { $0.idempotency = .required }
        }
        routes.add(.post, base + "/{id}/release", .key(.payouts), .write(release), releasing)
        routes.amend { $0.idempotency = .required }
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let payOut = PayOut(
            participant: try call.body.required("participant_id", call.body.id("participant_id")),
            reference: try call.body.requiredText("reference"),
            currency: call.body.currency("currency"),
            kind: call.body.text("kind").flatMap { Payout.Kind(rawValue: $0) } ?? .cash,
            overridesMinimum: call.body.flag("override_minimum") ?? false,
            actor: call.principal.actor)
        return { tx in
            let (payout, isNew) = try payOut(tx)
            let json = PayoutWire.json(payout, try PayoutStore.items(of: payout.id, tx))
            return isNew
                ? .created(json, at: "/v1/payouts/\(payout.id)", version: payout.version)
                : .object(json, version: payout.version)
        }
    }

    private static func move(
        _ call: Call, by action: Payout.State.Action
    ) throws -> WriteStep {
        let id: PayoutID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let payout = try moved(old, by: action, call, tx)
            return .object(
                PayoutWire.json(payout, try PayoutStore.items(of: id, tx)),
                version: payout.version)
        }
    }

    private static func moved(
        _ old: Payout, by action: Payout.State.Action, _ call: Call, _ tx: Transaction
    ) throws -> Payout {
        let body = call.body
        let actor = call.principal.actor
        switch action {
        case .submit:
            try SeparateDuties.check(old.id, of: old.participant, in: old.program, call, tx) {
                try SeparateDuties.checkSubmission(old, by: actor, tx)
            }
            if old.state == .draft {
                try PayOut.checkPayable(old, tx)
                try PayoutBook.checkDebt(old, tx)
            }
            return try PayoutBook.submit(
                old, providerReference: body.text("provider_reference"), actor: actor, tx)
        case .confirm:
            let paid = body.money("paid_amount")
            if let paid, paid.currency != old.currency { throw MoneyError.currencyMismatch }
            return try PayoutBook.confirm(old, paid: paid?.amount, actor: actor, tx)
        case .return:
            let back = body.money("amount")
            if let back, back.currency != old.currency { throw MoneyError.currencyMismatch }
            return try PayoutReturn.run(
                old, amount: back?.amount, reason: body.requiredText("reason"), actor: actor, tx)
        case .fail:
            return try PayoutBook.fail(
                old, reason: body.requiredText("reason"), actor: actor, tx)
        case .markUnknown:
            return try PayoutBook.markUnknown(old, reason: body.text("reason"), actor: actor, tx)
        case .cancel:
            return try PayoutBook.cancel(old, reason: body.text("reason"), actor: actor, tx)
        }
    }

    private static func release(_ call: Call) throws -> WriteStep {
        let id: PayoutID = try call.id()
        return { tx in
            try call.requireMatch(version: find(id, tx).version)
            try PayoutReturn.release(find(id, tx), actor: call.principal.actor, tx)
            let payout = try find(id, tx)
            return .object(
                PayoutWire.json(payout, try PayoutStore.items(of: id, tx)),
                version: payout.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let payout = try find(call.id(), reader)
        try call.requireOwn(payout.participant)
        return .object(
            PayoutWire.json(payout, try PayoutStore.items(of: payout.id, reader)),
            version: payout.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: PayoutID) in
            guard let payout = try PayoutStore.find(id, reader) else { return nil }
            if let own = call.participant, own != payout.participant { return nil }
            return try PayoutStore.sequence(of: id, reader)
        }
        let page = try PayoutStore.page(window.page, filter(call, reader), reader)
        return .list(page, call, id: { $0.id.description }) { payout, data in
            data.object { PayoutWire.write(payout, &$0) }
        }
    }

    private static func export(_ call: Call, _ reader: Reader) throws -> Export {
        export("payouts.csv", try filter(call, reader), call)
    }

    /// The payouts that fit, with the names of who is paid.
    static func export(
        _ name: String, _ filter: PayoutStore.Filter, _ call: Call
    ) -> Export {
        .csv(name, columns: PayoutWire.columns, call) {
            (place: Int64?, reader: Reader, table: inout CSVTable) -> Int64? in
            let (payouts, next) = try Export.next(after: place) {
                try PayoutStore.page($0, filter, reader)
            } sequence: {
                try PayoutStore.sequence(of: $0.id, reader)
            }
            let names = ExportNames(reader)
            for payout in payouts { try PayoutWire.write(payout, names, &table) }
            return next
        }
    }

    private static func filter(_ call: Call, _ reader: Reader) throws -> PayoutStore.Filter {
        var filter = PayoutStore.Filter()
        filter.state = call.query["status"]
        filter.kind = call.query["kind"]
        filter.run = call.queryID("payout_run_id")
        filter.participant = try call.ownParticipant("participant_id")
        filter.program = call.queryID("program_id")
        filter.created = try call.createdWindow(reader)
        return filter
    }

    private static func find(_ id: PayoutID, _ reader: Reader) throws -> Payout {
        guard let payout = try PayoutStore.find(id, reader) else { throw Refused(.notFound()) }
        return payout
    }

    // MARK: - Contracts

    private static let filters: [Field] =
        ListRequest.createdFields + [
            .optional("status", .choice(Payout.State.allCases.map(\.rawValue))),
            .optional("kind", .choice(Payout.Kind.allCases.map(\.rawValue))),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("program_id", .id(ProgramID.self)),
            .optional("payout_run_id", .id(PayoutRunID.self)),
        ]

    private static let creation = Contract(
        operationID: "createPayout",
        summary: "Draft a payout of all approved rewards of a kind of a participant, less what is "
            + "owed back. "
            + "The reference is unique for good: the same content gives the same payout (200).",
        body: PayoutWire.input, success: 201, answer: PayoutWire.detailed,
        others: [(200, "Drafted before, with the same content.")],
        refusals: Problem.examples(of: PayoutRefusal.creation) + [PayOut.notApproved])

    private static let listing = Contract(
        operationID: "listPayouts", summary: "Payouts, newest first.",
        query: ListRequest.fields(of: PayoutID.self) + filters, answer: .page(of: PayoutWire.schema)
    )

    private static let exporting = Contract(
        operationID: "exportPayouts",
        summary: "Payouts as CSV, oldest first: \(ExportRow.words(PayoutWire.moreColumns))",
        query: filters + [ExportRow.spreadsheet], answerType: "text/csv")

    private static let reading = Contract(
        operationID: "getPayout", summary: "One payout with its rewards.",
        answer: PayoutWire.detailed)

    private static let releasing = Contract(
        operationID: "releasePayout",
        summary: "Let payout runs pay the participant again, although a payment of it came back.",
        body: .emptyBody, answer: PayoutWire.detailed,
        refusals: Problem.examples(of: [PayoutRefusal.nothingToRelease]))

    private static func transition(_ action: Payout.State.Action) -> Contract {
        let summary =
            switch action {
            case .submit:
                "Hand the payout to the provider: draft → processing. An account credit goes to "
                    + "the billing system, a gift card or a donation to whoever buys or makes it, "
                    + "by the event payout.processing, and is confirmed by it."
            case .confirm:
                "It was paid, or a part of it: processing or unknown → paid. A payout that failed, "
                    + "came back or was paid in part can be confirmed later, for more up to the "
                    + "whole: what a newer draft holds of it is taken out of that draft, and what "
                    + "was paid twice is owed."
            case .fail: "It was not paid: its rewards wait for a new payout."
            case .return:
                "The bank or the provider sent the money back, all of it or a part, also weeks "
                    + "later. It is available again. Payout runs of this kind leave the "
                    + "participant out (skipped: returned) until its payout_account is changed or "
                    + "/release is called."
            case .markUnknown: "The provider's answer was lost; confirm or fail it once known."
            case .cancel: "Give up a draft; its rewards wait for a new payout."
            }
        let name = action == .markUnknown ? "markUnknown" : action.rawValue
        return Contract(
            operationID: "\(name)Payout", summary: summary, body: PayoutMoveWire.input(action),
            answer: PayoutWire.detailed,
            refusals: Problem.examples(of: PayoutRefusal.of(action))
                + (action == .submit
                    ? Problem.examples(of: [SeparateDuties.Refusal.draftedThePayout])
                        + [PayOut.notApproved] : []))
    }
}

extension Response {
    /// A table to save under `name`.
    static func csv(_ table: CSVTable, name: String) -> Response {
        Response(status: 200, headers: csvHeaders(name), body: table.bytes)
    }

    static func csvHeaders(_ name: String) -> [(String, String)] {
        [
            ("Content-Type", "text/csv; charset=utf-8; header=present"),
            ("Content-Disposition", "attachment; filename=\"\(name)\""),
            ("Cache-Control", "no-store"),
        ]
    }
}

extension PayoutRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .referenceTaken(let member):
            Problem(
                status: 409, code: "reference_taken",
                detail: "This reference belongs to a payout with another \(member).",
                errors: [
                    FieldError(pointer: "/\(member)", code: "differs", detail: "differs")
                ])
        case .nothingToPay:
            .conflict(
                "nothing_to_pay", "There is no approved reward, or all of it is owed back.")
        case .offsetUnfinished(let owed):
            Problem(
                status: 409, code: "offset_unfinished",
                detail: "\(owed) minor units that are owed back have yet to be set off against "
                    + "rewards, \(PayoutRules.rewardsMax) at a time; ask again, under another "
                    + "Idempotency-Key.",
                extra: [("owed", .integer(owed))])
        case .belowMinimum(let amount, let minimum):
            Problem(
                status: 409, code: "below_minimum",
                detail: "\(amount) minor units are less than the program's minimum, \(minimum); "
                    + "they wait, unless override_minimum is true.",
                extra: [("amount", .integer(amount)), ("minimum", .integer(minimum))])
        case .inReview(let until):
            Problem(
                status: 409, code: "in_review",
                detail:
                    "The payout can be submitted from \(until.rfc3339) on; it can be cancelled "
                    + "before and after.",
                extra: [("submit_from", .string(until.rfc3339))])
        case .owesSince(let amount):
            Problem(
                status: 409, code: "owes_since_draft",
                detail: "The participant has come to owe \(amount) minor units since the draft was "
                    + "made; cancel it and draft again, and it is kept back.",
                extra: [("owed", .integer(amount))])
        case .badPaidAmount(let most):
            .unprocessable(
                "paid_amount_too_large", "paid_amount must be at most the payout's, \(most).",
                at: "/paid_amount")
        case .paidNoMore(let known):
            .unprocessable(
                "paid_amount_too_small",
                "paid_amount is what was paid in all, and \(known) minor units are known to be "
                    + "paid; if money came back, call /return.")
        case .badReturnedAmount(let most):
            .unprocessable(
                "returned_amount_too_large",
                "The amount that came back must be at most what was paid, \(most).")
        case .partReturnedUnpaid:
            .conflict(
                "part_returned_unpaid",
                "The payout is not confirmed, and a part of it is said to come back; call "
                    + "/confirm with the amount that was paid.")
        case .keptBackSince(let amount):
            Problem(
                status: 409, code: "kept_back_since",
                detail: "\(amount) minor units of what comes back were paid twice, and later "
                    + "payouts have kept them back already; pay them by a reward by hand.",
                extra: [("amount", .integer(amount))])
        case .nothingToRelease:
            .conflict(
                "nothing_to_release",
                "No returned payout keeps runs from paying this participant.")
        }
    }
}
