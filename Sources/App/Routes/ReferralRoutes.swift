import Attribution
import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import RewardLedger

/// `/v1/referrals`: whom a participant referred, one row for each person, and how far each is.
enum ReferralRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/referrals", .keyOrParticipant(.read), .pageRead(list), listing)
    }

    // MARK: - Handler

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let asked: ParticipantID? = call.queryID("participant_id")
        if let own = call.participant, let asked, asked != own { throw Refused(.notFound()) }
        return try reader.snapshot {
            let page = try ReadReferrals.page(
                of: call.participant ?? asked, in: call.queryID("program_id"),
                stage: call.query["stage"].flatMap { Referral.Stage(rawValue: $0) },
                below: try cursor(call, reader),
                limit: call.query["limit"].flatMap { Int($0) } ?? 10, reader)
            var json = JSONWriter(capacity: 256 + 512 * page.referrals.count)
            json.object { list in
                list.field("object", "list")
                list.array("data") { data in
                    for referral in page.referrals {
                        data.object { write(referral, for: call.principal, &$0) }
                    }
                }
                list.field("has_more", page.next != nil)
                list.field("next_cursor", page.next)
                list.field("url", call.request.path)
            }
            return .object(json.bytes)
        }
    }

    /// The place of the touch that the page before named; to a token, of its own alone.
    private static func cursor(_ call: Call, _ reader: Reader) throws -> Int64? {
        guard let text = call.query["starting_after"] else { return nil }
        guard let id = TouchpointID(text), let touch = try TouchpointStore.find(id, reader),
            call.participant == nil || touch.participant == call.participant,
            let sequence = try TouchpointStore.sequence(of: id, reader)
        else {
            throw Refused(
                .invalidField(
                    "/starting_after", code: "unknown_cursor",
                    detail: "must be the next_cursor of an earlier page"))
        }
        return sequence
    }

    private static func write(
        _ referral: Referral, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        json.field("object", "referral")
        json.field("program_id", referral.program.description)
        json.field("participant_id", referral.participant.description)
        json.field(
            "customer_id",
            caller.participant == nil ? referral.customers.first?.description : nil)
        json.field("stage", referral.stage.rawValue)
        json.field("first_touch_at", referral.firstTouchAt.rfc3339)
        json.field("lead_id", referral.lead?.id.description)
        // What the person typed into a form is not the participant's to read.
        let isHidden = caller.participant != nil && referral.lead?.source == .form
        let contact = isHidden ? nil : referral.lead?.contact
        json.field("name", contact?.name)
        json.field("email", contact?.email?.text)
        json.field("company", contact?.company)
        json.object("sales") { sales in
            sales.field("count", referral.sales.count)
            sales.field("standing", referral.sales.standing)
            sales.field("last_at", referral.sales.lastAt?.rfc3339)
        }
        json.array("earned") { list in
            for earned in referral.earnings {
                list.object { json in
                    json.field("currency", earned.currency.code)
                    json.field("pending", earned.pending)
                    json.field("available", earned.available)
                    json.field("paid", earned.paid)
                }
            }
        }
        json.field("next_step", referral.next?.step.rawValue)
        json.field("next_step_by", referral.next?.by?.rfc3339)
    }

    // MARK: - Contract

    private static let ofLead =
        "Of that lead. Null for a participant's token, if the person filled in a form."

    private static let schema = Schema.named(
        "Referral",
        .object([
            .required("object", .choice(["referral"])),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .id(ParticipantID.self)),
            .required(
                "customer_id", .nullable(.id(CustomerID.self)),
                "The referred person. Null for a participant's token."),
            .required(
                "stage", .choice(Referral.Stage.allCases.map(\.rawValue)),
                "How far it is. customer: the lead was won, or a credited sale stands."),
            .required("first_touch_at", .time, "When the participant first reached the person."),
            .required(
                "lead_id", .nullable(.id(LeadID.self)),
                "The newest lead that the participant referred for the person."),
            .required("name", .nullable(.text(1...200)), ofLead),
            .required("email", .nullable(.email), ofLead),
            .required("company", .nullable(.text(1...200)), ofLead),
            .required(
                "sales",
                .object([
                    .required("count", .integer(0...Int64.max), "Counted up to 1,000."),
                    .required(
                        "standing", .integer(0...Int64.max), "Of those, not wholly refunded."),
                    .required("last_at", .nullable(.time), "When the newest one was made."),
                ]), "Sales to the person that are credited to the participant."),
            .required(
                "earned",
                .list(
                    .object([
                        .required("currency", .text(3...3), "PTS: points."),
                        .required("pending", .amount(from: 0), "On hold or in review."),
                        .required("available", .amount(from: 0), "Approved, not paid yet."),
                        .required("paid", .amount(from: 0), "Paid, redeemed or kept back."),
                    ]), count: 0...20),
                "Minor units, by currency. An amount that was taken back does not count."),
            .required(
                "next_step", .nullable(.choice(Referral.Step.allCases.map(\.rawValue))),
                "What happens next; null: nothing is awaited."),
            .required("next_step_by", .nullable(.time), "When that is due, where it is known."),
        ]))

    private static let listing = Contract(
        operationID: "listReferrals",
        summary: "Referred people, one row for each participant and person, newest first.",
        query: [
            .optional("limit", .integer(1...100), "How many at most; default 10."),
            .optional(
                "starting_after", .id(TouchpointID.self),
                "The next_cursor of the page before. A page looks at 1,000 touches, and with "
                    + "stage at 100 referrals: it may hold fewer than limit, or none, and go on."),
            .optional(
                "participant_id", .id(ParticipantID.self),
                "Referrals of this participant. A token reads its own."),
            .optional("program_id", .id(ProgramID.self), "Referrals in this program."),
            .optional(
                "stage", .choice(Referral.Stage.allCases.map(\.rawValue)),
                "Referrals in this stage."),
        ],
        answer: .named(
            "ReferralList",
            .object([
                .required("object", .choice(["list"])),
                .required("data", .list(schema, count: 0...100)),
                .required("has_more", .boolean, "Whether next_cursor goes on."),
                .required("next_cursor", .nullable(.id(TouchpointID.self))),
                .required("url", .text(1...200)),
            ])))
}
