import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/programs/{id}/budget`: what is reserved of the program's budget, and what will be owed
/// when. The budget itself is one of the program's terms.
enum BudgetRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/programs/{id}/budget", .key(.read), .longRead(get), reading)
    }

    // MARK: - Handlers

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let id: ProgramID = try call.id()
        return try reader.snapshot {
            guard let program = try ProgramStore.find(id, reader) else {
                throw Refused(.notFound())
            }
            let now = try LedgerReads.lastCommit(reader)
            let zone = program.terms.timeZone
            let at = call.queryMoment("at")?.start(in: zone) ?? now
            let period = CalendarPeriod(
                program.terms.budget?.period ?? .quarter, containing: at, in: zone)
            let reserved = try RewardStore.reserved(in: id, period, reader)
            let forecast = try RewardStore.owed(
                in: id, program.currency, zone, reader)
            let cost = try (
                reserve: JournalStore.balance(.budgetReserve, of: id, program.currency, reader),
                expense: JournalStore.balance(.programExpense, of: id, program.currency, reader)
            )
            return .object(BudgetWire.json(program, period, reserved: reserved, forecast, cost))
        }
    }

    // MARK: - Contracts

    private static let reading = Contract(
        operationID: "getBudget",
        summary: "What rewards have reserved of the budget, and what will be owed by which month.",
        query: [
            .optional(
                "at", .dayOrTime,
                "An instant or a day of the period that is asked for; default today.")
        ], answer: BudgetWire.schema)
}

/// How a budget looks on the wire.
enum BudgetWire {
    static let schema = Schema.named(
        "Budget",
        .object([
            .required("object", .choice(["budget"])),
            .required("program_id", .id(ProgramID.self)),
            .required("period", .text(4...10), "2026-Q4, 2026-11 or 2026."),
            .required("from", .time), .required("to", .time, "The first instant after it."),
            .required("amount", .nullable(.money(from: 0)), "The budget; null: none is set."),
            .required(
                "beyond", .nullable(.choice(BudgetTerms.Beyond.allCases.map(\.rawValue)))),
            .required(
                "reserved", .money(from: 0),
                "What the rewards of the period come to, less what was taken back."),
            .required(
                "available", .nullable(.money(from: 0)), "What is left; null without a budget."),
            .required("exceeded_by", .nullable(.money(from: 0))),
            .required(
                "budget_reserve", .money(from: 0),
                "What the journal has set aside for rewards on hold or in review, of all periods."),
            .required(
                "program_expense", .money(from: 0),
                "What approved rewards have cost in all, less what was taken back."),
            .required(
                "owed",
                .object([
                    .required(
                        "due_now", sum,
                        "Approved and not with the provider, less what the same participant owes "
                            + "back; count: the participants to be paid."),
                    .required(
                        "with_provider", sum,
                        "In payouts whose outcome is open; count: their participants."),
                    .required(
                        "owed_back", sum,
                        "Paid for what was taken back since; count: the participants who owe it."),
                    .required("in_review", sum, "Due when a person approves."),
                    .required(
                        "on_hold",
                        .list(
                            .object([
                                .required("month", .text(7...7)),
                                .required("amount", .money(from: 0)),
                                .required("count", .integer(0...Int64.max)),
                                .required(
                                    "total", .money(from: 0),
                                    "All that is due by the end of the month, if nothing is paid "
                                        + "or taken back."),
                            ]), count: 0...1200),
                        "By the month in which the hold ends."),
                ]), "Of all periods, in cash and account credit."),
        ]))

    private static let sum = Schema.object([
        .required("amount", .money(from: 0)), .required("count", .integer(0...Int64.max)),
    ])

    static func json(
        _ program: Program, _ period: CalendarPeriod, reserved: Int64, _ forecast: BudgetForecast,
        _ cost: (reserve: Int64, expense: Int64)
    ) -> [UInt8] {
        func money(_ amount: Int64) -> Money { Money(amount: amount, currency: program.currency) }
        let budget = program.terms.budget
        var json = JSONWriter(capacity: 2048)
        json.object { object in
            object.field("object", "budget")
            object.field("program_id", program.id)
            object.field("period", period.name)
            object.field("from", period.start)
            object.field("to", period.end)
            object.money("amount", budget.map { money($0.amount) })
            object.field("beyond", budget?.beyond.rawValue)
            object.money("reserved", money(reserved))
            object.money("available", budget.map { money(max(0, $0.amount - reserved)) })
            object.money("exceeded_by", budget.map { money(max(0, reserved - $0.amount)) })
            object.money("budget_reserve", money(cost.reserve))
            object.money("program_expense", money(cost.expense))
            object.object("owed") { owed in
                owed.object("due_now") { write(forecast.dueNow, money, &$0) }
                owed.object("with_provider") { write(forecast.withProvider, money, &$0) }
                owed.object("owed_back") { write(forecast.owedBack, money, &$0) }
                owed.object("in_review") { write(forecast.review, money, &$0) }
                owed.array("on_hold") { list in
                    var total = forecast.dueNow.amount + forecast.review.amount
                    for (month, sum) in forecast.months {
                        total += sum.amount
                        list.object { item in
                            item.field("month", month.name)
                            write(sum, money, &item)
                            item.money("total", money(total))
                        }
                    }
                }
            }
        }
        return json.bytes
    }

    private static func write(
        _ sum: BudgetForecast.Sum, _ money: (Int64) -> Money, _ json: inout JSONObjectWriter
    ) {
        json.money("amount", money(sum.amount))
        json.field("count", sum.count)
    }
}
