import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// A participant's money: balance, statement and summary, all read from the journal.
enum StatementRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/participants/{id}"
        routes.add(.get, base + "/balance", .keyOrParticipant(.read), .read(balance), balancing)
        routes.add(
            .get, base + "/statement", .keyOrParticipant(.read), reading(statement), stating)
        routes.add(
            .get, base + "/statement.csv", .keyOrParticipant(.read), reading(table), tabling)
        routes.add(
            .get, base + "/statement.html", .keyOrParticipant(.read), reading(page), printing)
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

    private typealias Form = @Sendable (Call, Statement, StatementPage.Heading) -> Response

    /// On the loop up to `shortLines`, as the open month of nearly everybody is; else in the pool.
    private static func reading(_ form: @escaping Form) -> Action {
        .shortRead(
            { call, reader in try read(call, reader, linesMax: shortLines, form) },
            long: { call, reader in
                guard
                    let answer = try read(call, reader, linesMax: StatementWire.linesMax, form)
                else {
                    throw Refused(
                        .unprocessable(
                            "statement_too_long",
                            "More than \(StatementWire.linesMax) lines; ask for shorter periods."))
                }
                return answer
            })
    }

    /// Each may have six postings, and a loop reads at most 1,000 rows.
    private static let shortLines = 150

    private static let statement: Form = { _, statement, heading in
        .object(StatementWire.json(statement, of: heading.participant.id, in: heading.period))
    }

    private static let table: Form = { call, statement, heading in
        .csv(
            StatementWire.table(
                statement, of: heading.participant, in: heading.program,
                hasMark: call.query["spreadsheet"] == "true"),
            name: "statement-\(heading.participant.id).csv")
    }

    private static let page: Form = { StatementPage.response($1, $2) }

    /// The statement that the call asks for, of one moment; nil when it has more lines than that.
    private static func read(
        _ call: Call, _ reader: Reader, linesMax: Int, _ form: Form
    ) throws -> Response? {
        try reader.snapshot {
            let (participant, program) = try findBoth(call, reader)
            let period = try StatementPeriod(
                call, in: program.terms.timeZone, lastCommit: LedgerReads.lastCommit(reader),
                asOf: call.asOf(reader, in: program.terms.timeZone))
            let statement = try LedgerReads.statement(
                of: participant.id,
                call.query["currency"].flatMap { Currency(stored: $0) } ?? program.currency,
                from: period.from, to: period.end, linesMax: linesMax, reader)
            return try statement.map {
                form(
                    call, try told($0, call, reader),
                    StatementPage.Heading(
                        participant: participant, program: program, period: period))
            }
        }
    }

    /// Without the leads that a participant's token may not read: another's, of whose sale it has a
    /// share.
    private static func told(
        _ statement: Statement, _ call: Call, _ reader: Reader
    ) throws -> Statement {
        guard let own = call.participant else { return statement }
        let now = try LedgerReads.lastCommit(reader)
        var known: [LeadID: Bool] = [:]
        return try statement.naming { lead in
            if let known = known[lead] { return known }
            let isReadable =
                try LeadStore.find(lead, reader)?.isReadable(by: own, at: now, reader) ?? false
            known[lead] = isReadable
            return isReadable
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
                        to: participant.id, program.currency, in: program.terms.timeZone, reader)))
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
        operationID: "exportStatement",
        summary: "The statement as CSV: the opening balance (status opening), a row for each line, "
            + "and the closing balance. Columns: \(ExportRow.words(StatementWire.moreColumns))",
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
