import Database
import HTTP
import JSON
import Model
import Programs
import Records
import RewardLedger

/// A participant's money: balance, statement and summary, all read from the journal.
enum StatementRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/participants/{id}"
        routes.add(.get, base + "/balance", .keyOrParticipant(.read), .longRead(balance), balancing)
        routes.add(
            .get, base + "/statement", .keyOrParticipant(.read), .longRead(statement), stating)
        routes.add(
            .get, base + "/statement.csv", .keyOrParticipant(.read), .longRead(table), tabling)
        routes.add(.get, base + "/summary", .keyOrParticipant(.read), .read(summary), summing)
    }

    // MARK: - Handlers

    private static func balance(_ call: Call, _ reader: Reader) throws -> Response {
        let participant = try find(call, reader)
        let asOf = try call.asOf(reader)
        let last = try LedgerReads.lastCommit(reader)
        let balances = try LedgerReads.balances(of: participant.id, asOf: asOf, reader)
        return .object(BalanceWire.json(participant.id, balances, asOf: asOf ?? last))
    }

    private static func statement(_ call: Call, _ reader: Reader) throws -> Response {
        let participant = try find(call, reader)
        return .object(
            StatementWire.json(
                try statement(of: participant, call, reader), of: participant.id,
                from: call.queryTime("from"), to: call.queryTime("to")))
    }

    private static func table(_ call: Call, _ reader: Reader) throws -> Response {
        let participant = try find(call, reader)
        let statement = try statement(of: participant, call, reader)
        return .csv(StatementWire.table(statement), name: "statement-\(participant.id).csv")
    }

    private static func statement(
        of participant: Participant, _ call: Call, _ reader: Reader
    ) throws -> Statement {
        guard let program = try ProgramStore.find(participant.program, reader) else {
            throw Refused(.notFound())
        }
        let statement = try LedgerReads.statement(
            of: participant.id, call.query["currency"].flatMap { Currency($0) } ?? program.currency,
            from: call.queryTime("from"), to: call.queryTime("to"),
            linesMax: StatementWire.linesMax, reader)
        guard let statement else {
            throw Refused(
                .unprocessable(
                    "statement_too_long",
                    "More than \(StatementWire.linesMax) lines; ask for shorter periods."))
        }
        return statement
    }

    private static func summary(_ call: Call, _ reader: Reader) throws -> Response {
        let participant = try find(call, reader)
        guard let program = try ProgramStore.find(participant.program, reader) else {
            throw Refused(.notFound())
        }
        let counters = Dictionary(
            uniqueKeysWithValues: try CounterStore.all(
                of: participant.id, prefix: "rewards.", reader
            ).map { ($0.name, $0.value) })
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            object.field("object", "participant_summary")
            object.field("participant_id", participant.id)
            object.field("currency", program.currency.code)
            object.object("rewards") { states in
                for state in Reward.State.allCases {
                    let name = "rewards.\(state.rawValue)"
                    states.object(state.rawValue) { json in
                        json.field("count", counters[name] ?? 0)
                        json.field("amount", counters[name + ".amount"] ?? 0)
                    }
                }
            }
        }
        return .object(json.bytes)
    }

    private static func find(_ call: Call, _ reader: Reader) throws -> Participant {
        let id: ParticipantID = try call.id()
        try call.requireOwn(id)
        guard let participant = try ParticipantStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        return participant
    }

    // MARK: - Contracts

    private static let balancing = Contract(
        operationID: "getBalance",
        summary: "The participant's money by currency, now or at an earlier time.",
        query: [.optional("as_of", .time, "Not later than the last commit.")],
        answer: BalanceWire.schema)

    private static let period: [Field] = [
        .optional("from", .time, "From this time on; the beginning unless told."),
        .optional("to", .time, "Before this time; everything unless told."),
        .optional("currency", .currency, "The program's unless told."),
    ]

    private static let stating = Contract(
        operationID: "getStatement",
        summary: "Everything that happened to the participant's money in a period, each line with "
            + "what it is about and the balance after it.",
        query: period, answer: StatementWire.schema, others: [tooLong])

    private static let tabling = Contract(
        operationID: "exportStatement", summary: "The statement as CSV.", query: period,
        answerType: "text/csv", others: [tooLong])

    private static let tooLong = (
        status: 422, meaning: "More than \(StatementWire.linesMax) lines; ask for shorter periods."
    )

    private static let summing = Contract(
        operationID: "getParticipantSummary",
        summary: "How many rewards are in each state, and how much of them still counts.",
        answer: .named(
            "ParticipantSummary",
            .object([
                .required("object", .choice(["participant_summary"])),
                .required("participant_id", .id(ParticipantID.self)),
                .required("currency", .currency),
                .required(
                    "rewards",
                    .object(
                        Reward.State.allCases.map { state in
                            .required(
                                state.rawValue,
                                .object([
                                    .required("count", .integer(0...Int64.max)),
                                    .required("amount", .integer(0...Int64.max), "Minor units."),
                                ]))
                        })),
            ])))
}
