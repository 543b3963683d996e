import Database
import HTTP
import Model
import Programs
import Records
import ReferralLinks
import RewardLedger

/// `/v1/reports`: a program's numbers, from rollups, each with its formula in the answer.
enum ReportRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/reports/funnel", .key(.read), .longRead(funnel), funnelling)
        routes.add(.get, "/v1/reports/channels", .key(.read), .longRead(channels), comparing)
        routes.add(
            .get, "/v1/reports/time_to_reward", .key(.read), .longRead(timeToReward), timing)
        routes.add(
            .get, "/v1/reports/unknown_codes", .key(.read), .longRead(unknownCodes), misprinting)
    }

    // MARK: - Handlers

    private static func funnel(_ call: Call, _ reader: Reader) throws -> Response {
        let dimension = call.query["by"].flatMap { FunnelDimension(rawValue: $0) } ?? .channel
        return try reader.snapshot {
            let report = try Report(call, reader)
            let sums = try report.sums(by: dimension, reader)
            return .object(
                FunnelWire.json(
                    report, by: dimension, groups: try FunnelRules.groups(sums),
                    total: try FunnelRules.total(sums)))
        }
    }

    private static func channels(_ call: Call, _ reader: Reader) throws -> Response {
        try reader.snapshot {
            let report = try Report(call, reader)
            return .object(
                ChannelsWire.json(
                    report,
                    channels: try FunnelRules.groups(report.sums(by: .channel, reader)),
                    referrers: try FunnelRules.groups(report.sums(by: .referrer, reader))))
        }
    }

    private static func timeToReward(_ call: Call, _ reader: Reader) throws -> Response {
        let dimension =
            call.query["by"].flatMap { RewardTimeDimension(rawValue: $0) } ?? .trigger
        return try reader.snapshot {
            let report = try Report(call, reader)
            let (program, period) = (report.program.id, report.period)
            guard try !RewardTimeStore.isTooMuch(in: program, period, reader) else {
                throw Refused(tooMuch)
            }
            var total = RewardTimeTally()
            var groups: [String: RewardTimeTally] = [:]
            try RewardTimeStore.forEach(in: program, period, by: dimension, reader) { key, time in
                total.add(time)
                groups[key, default: RewardTimeTally()].add(time)
            }
            return .object(
                TimeToRewardWire.json(
                    report, by: dimension, groups: RewardTimeRules.ordered(groups, by: dimension),
                    total: total,
                    try RewardTimeStore.waiting(in: program, at: report.now, reader)))
        }
    }

    private static func unknownCodes(_ call: Call, _ reader: Reader) throws -> Response {
        try reader.snapshot {
            let now = try LedgerReads.lastCommit(reader)
            let period = ReportPeriod(
                from: call.queryMoment("from"), to: call.queryMoment("to"), now: now, in: .utc)
            guard let period else { throw Refused(noDays) }
            return .object(try UnknownCodesWire.json(period, reader))
        }
    }

    /// Of which program and of which days a report is.
    struct Report {
        let program: Program
        let period: ReportPeriod
        /// Nothing is newer than the last commit.
        let now: Instant

        fileprivate init(_ call: Call, _ reader: Reader) throws {
            guard let id: ProgramID = call.queryID("program_id"),
                let program = try ProgramStore.find(id, reader)
            else { throw Refused(.notFound()) }
            self.program = program
            now = try LedgerReads.lastCommit(reader)
            let period = ReportPeriod(
                from: call.queryMoment("from"), to: call.queryMoment("to"), now: now,
                in: program.terms.timeZone)
            guard let period else { throw Refused(noDays) }
            self.period = period
        }

        fileprivate func sums(
            by dimension: FunnelDimension, _ reader: Reader
        ) throws -> [FunnelSum] {
            let sums =
                try ClickStore.sums(of: program.id, period.days, by: dimension, reader)
                + FunnelStore.sums(of: program.id, period.days, by: dimension, reader)
            guard FunnelDimension.tags.contains(dimension) else { return sums }
            return try FunnelRules.completed(sums, of: self.sums(by: .channel, reader))
        }
    }

    private static let noDays = Problem.unprocessable(
        "no_days", "to must be later than from.", at: "/to")

    private static let tooMuch = Problem.unprocessable(
        "too_many_rewards",
        "More than \(RewardTimeRules.reportMost) rewards were paid on these days; ask for fewer.")

    // MARK: - Contracts

    private static let period: [Field] =
        [.required("program_id", .id(ProgramID.self))] + days

    private static let days: [Field] = [
        .optional(
            "from", .dayOrTime,
            "From this day on, or the day of this time; default 90 days before the end. Days are "
                + "told by the program's time_zone."),
        .optional(
            "to", .dayOrTime,
            "With this day, or the day that this time lies within; default all until now."),
    ]

    private static let funnelling = Contract(
        operationID: "getFunnelReport",
        summary: "How many came how far, from click to conversion, and the rate of each stage to "
            + "the one before, in all and by group.",
        query: period + [
            .optional(
                "by", .choice(FunnelDimension.allCases.map(\.rawValue)), "channel unless told.")
        ], answer: FunnelWire.schema, others: [(422, "No days lie between.")], refusals: [noDays])

    private static let comparing = Contract(
        operationID: "getChannelsReport",
        summary: "The mix: each channel's and each kind of referrer's share of leads, wins and "
            + "money.",
        query: period, answer: ChannelsWire.schema, others: [(422, "No days lie between.")],
        refusals: [noDays])

    private static let misprinting = Contract(
        operationID: "getUnknownCodesReport",
        summary: "Codes that people followed under /r/ and no link has, of all programs together: "
            + "misprints, as a rule. Those that differ in one letter from a code come first. "
            + "Nobody is credited for them.",
        query: days, answer: UnknownCodesWire.schema, others: [(422, "No days lie between.")],
        refusals: [noDays])

    private static let timing = Contract(
        operationID: "getTimeToRewardReport",
        summary: "How long rewards took from the referral until they were paid, what the way was "
            + "made of, how many were in time, and what still waits; in all and by group.",
        query: period + [
            .optional(
                "by", .choice(RewardTimeDimension.allCases.map(\.rawValue)),
                "trigger unless told.")
        ], answer: TimeToRewardWire.schema,
        others: [(422, "No days lie between, or too many rewards were paid on them.")],
        refusals: [noDays, tooMuch])
}
