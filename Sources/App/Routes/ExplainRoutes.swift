import Attribution
import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// `/v1/explain`, and the explanation of a touch and of a participant: why there was a referral, or
/// none.
enum ExplainRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/explain", .key(.read), .serviceRead(explain), explaining)
        routes.add(
            .get, "/v1/touchpoints/{id}/explain", .key(.read), .serviceRead(explainTouch),
            explainingTouch)
        routes.add(
            .get, "/v1/participants/{id}/explain", .key(.read), .read(explainParticipant),
            explainingParticipant)
    }

    // MARK: - Handlers

    private static func explain(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let externalID = call.query["external_id"]
        let email = call.query["email"].flatMap { EmailAddress($0) }
        guard (externalID == nil) != (email == nil) else { throw Refused(oneName) }
        let programs = try programs(call, reader)
        var people: [ExplainWire.Person] = []
        for program in programs {
            for customer in try customers(externalID, email, program.id, reader)
            where !people.contains(where: { $0.customer.id == customer.id }) {
                people.append(
                    ExplainWire.Person(
                        customer: customer, program: program,
                        situation: try ReadSituation.run(
                            customer, program, at: app.clock.now(), reader)))
            }
        }
        return .object(ExplainWire.json(people, programs: programs))
    }

    /// Programs that are looked in when none is named.
    private static let programsMax = 100

    private static func programs(_ call: Call, _ reader: Reader) throws -> [Program] {
        if let id: ProgramID = call.queryID("program_id") {
            guard let program = try ProgramStore.find(id, reader) else {
                throw Refused(.unknownReference("/program_id"))
            }
            return [program]
        }
        let newest = PageRequest(limit: programsMax, window: .older(than: nil))
        return try ProgramStore.page(newest, state: nil, only: nil, reader).items
    }

    /// Whoever has the name: as a customer, or as the buyer of a sale of that name.
    private static func customers(
        _ externalID: String?, _ email: EmailAddress?, _ program: ProgramID, _ reader: Reader
    ) throws -> [Customer] {
        var found: [Customer] = []
        if let externalID {
            if let known = try CustomerStore.find(externalID: externalID, in: program, reader) {
                found.append(known)
            }
            if let sale = try ConversionStore.find(externalID: externalID, in: program, reader),
                let buyer = try CustomerStore.find(sale.customer, reader)
            {
                found.append(buyer)
            }
        }
        if let email,
            let known = try CustomerStore.find(email: email.normalized, in: program, reader)
        {
            found.append(known)
        }
        return found
    }

    private static func explainTouch(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        guard let touch = try TouchpointStore.find(call.id(), reader),
            let customer = try CustomerStore.find(touch.customer, reader),
            let program = try ProgramStore.find(touch.program, reader)
        else { throw Refused(.notFound()) }
        let situation = try ReadSituation.run(customer, program, at: app.clock.now(), reader)
        return .object(TouchExplanationWire.json(touch, situation))
    }

    private static func explainParticipant(_ call: Call, _ reader: Reader) throws -> Response {
        guard let participant = try ParticipantStore.find(call.id(), reader),
            let program = try ProgramStore.find(participant.program, reader)
        else { throw Refused(.notFound()) }
        let results = try AttributionStore.newest(
            for: participant.id, limit: ParticipantExplanationWire.resultsMax, reader)
        let sales = try results.compactMap { result in
            try ConversionStore.find(result.conversion, reader).map { (result, $0) }
        }
        return .object(ParticipantExplanationWire.json(participant, program, sales))
    }

    private static let oneName = Problem.unprocessable(
        "one_name", "Give external_id or email, one of them.", at: "/external_id")

    // MARK: - Contracts

    private static let explaining = Contract(
        operationID: "explain",
        summary:
            "Why a person or a sale was referred by whom, or by nobody: by the operator's id of "
            + "a customer or a sale, or by e-mail. Also for what did not happen.",
        query: [
            .optional("external_id", .key(1...200)), .optional("email", .email),
            .optional("program_id", .id(ProgramID.self), "All programs unless told."),
        ], answer: ExplainWire.schema, refusals: [oneName])

    private static let explainingTouch = Contract(
        operationID: "explainTouchpoint",
        summary: "What a touch counted for, in every sale to its person, and what it would.",
        answer: TouchExplanationWire.schema)

    private static let explainingParticipant = Contract(
        operationID: "explainParticipant",
        summary: "What a participant is credited with first of all, newest first, and whether it "
            + "may refer.",
        answer: ParticipantExplanationWire.schema)
}
