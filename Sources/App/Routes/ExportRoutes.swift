import Attribution
import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import RewardLedger

/// Lists as CSV of any length: leads, participants, conversions, rewards. Payouts are exported
/// beside their own routes, the journal by `JournalExport`.
enum ExportRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/leads.csv", .key(.read), .export(leads),
            contract("exportLeads", "Leads", leadColumns, Lead.State.allCases.map(\.rawValue)))
        routes.add(
            .get, "/v1/participants.csv", .key(.read), .export(participants),
            contract(
                "exportParticipants", "Participants, amount being what is available now",
                participantColumns, Participant.State.allCases.map(\.rawValue)))
        routes.add(
            .get, "/v1/conversions.csv", .key(.read), .export(conversions),
            contract(
                "exportConversions", "Sales, with the first participant who is credited",
                conversionColumns, nil))
        routes.add(
            .get, "/v1/rewards.csv", .key(.read), .export(rewards),
            contract(
                "exportRewards", "Rewards", rewardColumns, Reward.State.allCases.map(\.rawValue)))
    }

    private static func contract(
        _ operationID: String, _ what: String, _ more: [String], _ states: [String]?
    ) -> Contract {
        var query: [Field] = [.optional("program_id", .id(ProgramID.self))]
        if let states { query.append(.optional("status", .choice(states))) }
        return Contract(
            operationID: operationID,
            summary: "\(what), as CSV, oldest first: \(ExportRow.words(more))",
            query: query + [ExportRow.spreadsheet], answerType: "text/csv")
    }

    // MARK: - Leads

    private static let leadColumns = [
        "name", "email", "company", "phone", "country", "source", "channel", "link_id", "click_id",
        "customer_id", "duplicate_of", "reason_code", "reason", "qualified_at", "won_at",
        "won_amount", "won_amount_decimal",
    ]

    private static func leads(_ call: Call, _ reader: Reader) throws -> Export {
        var filter = LeadStore.Filter()
        filter.program = call.queryID("program_id")
        filter.state = call.query["status"].flatMap { Lead.State(rawValue: $0) }
        return .csv("leads.csv", columns: ExportRow.columns + leadColumns, call) {
            [filter] (place: Int64?, reader: Reader, table: inout CSVTable) -> Int64? in
            let (leads, next) = try Export.next(after: place) {
                try LeadStore.page($0, filter, reader)
            } sequence: {
                try LeadStore.sequence(of: $0.id, reader)
            }
            let names = ExportNames(reader)
            for lead in leads {
                let row = ExportRow(
                    id: lead.id.description, reference: nil, status: lead.state.rawValue,
                    createdAt: lead.createdAt, program: lead.program,
                    participant: lead.referrer.participant, currency: lead.estimatedValue?.currency,
                    amount: lead.estimatedValue?.amount)
                try row.write(names, &table)
                write(lead, &table)
            }
            return next
        }
    }

    private static func write(_ lead: Lead, _ table: inout CSVTable) {
        for text in [
            lead.contact.name, lead.contact.email?.text, lead.contact.company, lead.contact.phone,
            lead.firm.country?.code, lead.source.rawValue, lead.channel,
            lead.referrer.link?.description, lead.referrer.click?.description,
            lead.customer?.description, lead.duplicateOf?.description, lead.reasonCode, lead.reason,
            lead.qualifiedAt?.rfc3339, lead.wonAt?.rfc3339,
        ] { table.text(text) }
        table.amount(lead.wonValue?.amount, lead.wonValue?.currency)
        table.endRecord()
    }

    // MARK: - Participants

    private static let participantColumns = [
        "kind", "email", "company", "phone", "segment", "payout_account", "pending", "available",
        "in_payout", "paid", "clawback_owed", "updated_at",
    ]

    private static func participants(_ call: Call, _ reader: Reader) throws -> Export {
        var asked = ParticipantStore.Filter()
        asked.program = call.queryID("program_id")
        asked.state = call.query["status"]
        let filter = asked
        return .csv("participants.csv", columns: ExportRow.columns + participantColumns, call) {
            (place: Int64?, reader: Reader, table: inout CSVTable) -> Int64? in
            let (people, next) = try Export.next(after: place) {
                try ParticipantStore.page($0, filter, reader)
            } sequence: {
                try ParticipantStore.sequence(of: $0.id, reader)
            }
            let names = ExportNames(reader)
            for one in people { try write(one, names, reader, &table) }
            return next
        }
    }

    private static func write(
        _ one: Participant, _ names: ExportNames, _ reader: Reader, _ table: inout CSVTable
    ) throws {
        let program = try reader.readable { try ProgramStore.find(one.program, reader) } ?? nil
        guard let currency = program?.currency else { return }
        let balance = try SummaryReads.balance(of: one.id, currency, reader)
        let row = ExportRow(
            id: one.id.description, reference: one.externalID, status: one.state.rawValue,
            createdAt: one.createdAt, program: one.program, participant: one.id,
            currency: currency, amount: balance.available)
        try row.write(names, &table)
        for text in [
            one.kind.rawValue, one.email.text, one.company, one.phone, one.profile.segment,
            one.payoutAccount,
        ] { table.text(text) }
        table.number(balance.pending)
        table.number(balance.available)
        table.number(balance.inPayout)
        table.number(balance.paid)
        table.number(balance.clawbackOwed)
        table.text(one.updatedAt.rfc3339)
        table.endRecord()
    }

    // MARK: - Conversions

    private static let conversionColumns = [
        "kind", "customer_id", "lead_id", "click_id", "ref", "product", "refunded_amount",
        "refunded_amount_decimal", "occurred_at", "credited_participants",
    ]

    private static func conversions(_ call: Call, _ reader: Reader) throws -> Export {
        let program: ProgramID? = call.queryID("program_id")
        return .csv("conversions.csv", columns: ExportRow.columns + conversionColumns, call) {
            (place: Int64?, reader: Reader, table: inout CSVTable) -> Int64? in
            let (sales, next) = try Export.next(after: place) {
                try ConversionStore.page(
                    $0, program: program, externalID: nil, created: nil, reader)
            } sequence: {
                try ConversionStore.sequence(of: $0.id, creditedTo: nil, reader)
            }
            let names = ExportNames(reader)
            for sale in sales { try write(sale, names, reader, &table) }
            return next
        }
    }

    private static func write(
        _ sale: Conversion, _ names: ExportNames, _ reader: Reader, _ table: inout CSVTable
    ) throws {
        let attribution =
            try reader.readable { try AttributionStore.newest(of: sale.id, reader) } ?? nil
        let credited = attribution?.credits.compactMap(\.participant)
        let status =
            sale.refundedAmount == 0
            ? "recorded"
            : sale.refundedAmount < sale.amount.amount ? "partially_refunded" : "refunded"
        let row = ExportRow(
            id: sale.id.description, reference: sale.externalID, status: status,
            createdAt: sale.createdAt, program: sale.program, participant: credited?.first,
            currency: sale.amount.currency, amount: sale.amount.amount)
        try row.write(names, &table)
        for text in [
            sale.kind.rawValue, sale.customer.description, sale.lead?.description,
            sale.click?.description, sale.ref, sale.product,
        ] { table.text(text) }
        table.amount(sale.refundedAmount, sale.amount.currency)
        table.text(sale.occurredAt.rfc3339)
        table.text(credited?.map(\.description).joined(separator: " "))
        table.endRecord()
    }

    // MARK: - Rewards

    private static let rewardColumns = [
        "kind", "trigger", "rule_id", "rule_version", "lead_id", "conversion_id", "payout_id",
        "reversed_amount", "net_amount", "net_amount_decimal", "settled_amount", "clawed_back",
        "hold_until", "approved_at", "paid_at", "reason",
    ]

    private static func rewards(_ call: Call, _ reader: Reader) throws -> Export {
        var filter = RewardStore.Filter()
        filter.program = call.queryID("program_id")
        filter.state = call.query["status"]
        return .csv("rewards.csv", columns: ExportRow.columns + rewardColumns, call) {
            [filter] (place: Int64?, reader: Reader, table: inout CSVTable) -> Int64? in
            let (rewards, next) = try Export.next(after: place) {
                try RewardStore.page($0, filter, reader)
            } sequence: {
                try RewardStore.sequence(of: $0.id, reader)
            }
            let names = ExportNames(reader)
            for reward in rewards {
                let row = ExportRow(
                    id: reward.id.description, reference: nil, status: reward.state.rawValue,
                    createdAt: reward.createdAt, program: reward.program,
                    participant: reward.participant, currency: reward.amount.currency,
                    amount: reward.amount.amount)
                try row.write(names, &table)
                write(reward, &table)
            }
            return next
        }
    }

    private static func write(_ reward: Reward, _ table: inout CSVTable) {
        for text in [
            reward.kind.rawValue, reward.trigger.rawValue, reward.rule?.description,
            reward.ruleVersion.map { String($0) }, reward.lead?.description,
            reward.conversion?.description,
            reward.payout?.description,
        ] { table.text(text) }
        table.number(reward.reversedAmount)
        table.amount(reward.netAmount, reward.amount.currency)
        table.number(reward.settledAmount)
        table.number(reward.clawbackAmount)
        for text in [
            reward.holdUntil.rfc3339, reward.approvedAt?.rfc3339, reward.paidAt?.rfc3339,
            reward.reason,
        ] { table.text(text) }
        table.endRecord()
    }
}
