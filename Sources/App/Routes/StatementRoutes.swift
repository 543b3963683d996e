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
        routes.add(
            .get, base + "/statement.html", .keyOrParticipant(.read), .longRead(page), printing)
        routes.add(.get, base + "/summary", .keyOrParticipant(.read), .read(summary), summing)
    }

    // MARK: - Handlers

    private static func balance(_ call: Call, _ reader: Reader) throws -> Response {
        try reader.snapshot {
            let participant = try call.participantInPath(reader)
            let asOf = try call.asOf(reader)
            let last = try LedgerReads.lastCommit(reader)
            let balances = try LedgerReads.balances(of: participant.id, asOf: asOf, reader)
            return .object(BalanceWire.json(participant.id, balances, asOf: asOf ?? last))
        }
    }

    private static func statement(_ call: Call, _ reader: Reader) throws -> Response {
        try read(call, reader) { statement, heading in
            .object(
                StatementWire.json(
                    statement, of: heading.participant.id, in: heading.period))
        }
    }

    private static func table(_ call: Call, _ reader: Reader) throws -> Response {
        try read(call, reader) { statement, heading in
            .csv(
                StatementWire.table(
                    statement, hasMark: call.query["spreadsheet"] == "true"),
                name: "statement-\(heading.participant.id).csv")
        }
    }

    private static func page(_ call: Call, _ reader: Reader) throws -> Response {
        try read(call, reader, StatementPage.response)
    }

    /// The statement that the call asks for, of one moment.
    private static func read(
        _ call: Call, _ reader: Reader,
        _ answer: (Statement, StatementPage.Heading) -> Response
    ) throws -> Response {
        try reader.snapshot {
            let (participant, program) = try findBoth(call, reader)
            let period = try StatementPeriod(
                call, lastCommit: LedgerReads.lastCommit(reader), asOf: call.asOf(reader))
            let statement = try LedgerReads.statement(
                of: participant.id,
                call.query["currency"].flatMap { Currency(stored: $0) } ?? program.currency,
                from: period.from, to: period.end, linesMax: StatementWire.linesMax, reader)
            guard let statement else {
                throw Refused(
                    .unprocessable(
                        "statement_too_long",
                        "More than \(StatementWire.linesMax) lines; ask for shorter periods."))
            }
            return answer(
                statement,
                StatementPage.Heading(participant: participant, program: program, period: period))
        }
    }

    private static func summary(_ call: Call, _ reader: Reader) throws -> Response {
        try reader.snapshot {
            let (participant, program) = try findBoth(call, reader)
            let counters = Dictionary(
                uniqueKeysWithValues: try CounterStore.all(
                    of: participant.id, prefix: "rewards.", reader
                ).map { ($0.name, $0.value) })
            return .object(
                SummaryWire.json(
                    participant.id, program.currency, counters: counters,
                    balance: try SummaryReads.balance(
                        of: participant.id, program.currency, reader),
                    years: try SummaryReads.paidByYear(
                        to: participant.id, program.currency, reader)))
        }
    }

    private static func findBoth(
        _ call: Call, _ reader: Reader
    ) throws -> (participant: Participant, program: Program) {
        let participant = try call.participantInPath(reader)
        guard let program = try ProgramStore.find(participant.program, reader) else {
            throw Refused(.notFound())
        }
        return (participant, program)
    }

    // MARK: - Contracts

    private static let balancing = Contract(
        operationID: "getBalance",
        summary: "The participant's money by currency, now or at an earlier time.",
        query: [.optional("as_of", .time, "Not later than the last commit.")],
        answer: BalanceWire.schema)

    private static let period: [Field] =
        StatementPeriod.fields + [
            .optional("currency", .unit, "The program's unless told; PTS for points.")
        ]

    private static let stating = Contract(
        operationID: "getStatement",
        summary: "Everything that happened to the participant's money in a period, each line with "
            + "what it is about and the balance after it.",
        query: period, answer: StatementWire.schema, others: [tooLong])

    private static let tabling = Contract(
        operationID: "exportStatement", summary: "The statement as CSV.",
        query: period + [ExportRow.spreadsheet], answerType: "text/csv", others: [tooLong])

    private static let printing = Contract(
        operationID: "printStatement",
        summary: "The statement as a page to read and to print, without script.", query: period,
        answerType: "text/html", others: [tooLong])

    private static let tooLong = (
        status: 422, meaning: "More than \(StatementWire.linesMax) lines; ask for shorter periods."
    )

    private static let summing = Contract(
        operationID: "getParticipantSummary",
        summary: "How many rewards are in each state, how much of them still counts, what the "
            + "balance is now, and what was paid in each calendar year.",
        answer: SummaryWire.schema)
}
