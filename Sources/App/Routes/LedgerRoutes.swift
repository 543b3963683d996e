import Attribution
import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/ledger`: the double-entry journal and its proofs. Nothing here writes.
enum LedgerRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/ledger"
        routes.add(.get, base + "/accounts", .key(.read), .read(listAccounts), accountListing)
        routes.add(.get, base + "/accounts/{id}", .key(.read), .read(getAccount), accountReading)
        routes.add(
            .get, base + "/transactions", .key(.read), .longRead(listTransactions), listing)
        routes.add(.get, base + "/transactions/{id}", .key(.read), .read(getTransaction), reading)
        routes.add(
            .get, base + "/transactions/{id}/proof", .key(.read), .longRead(prove), proving)
        routes.add(.get, base + "/head", .key(.read), .read(head), heading)
        routes.add(.get, base + "/verify", .key(.read), .longRead(verify), verification)
    }

    // MARK: - Handlers

    private static func listAccounts(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: LedgerAccountID) in
            try LedgerReads.sequence(of: id, reader)
        }
        let page = try LedgerReads.accounts(window.page, filter(call), reader)
        return .list(page, call, id: { $0.id.description }) { account, data in
            data.object { LedgerAccountWire.write(account, &$0) }
        }
    }

    private static func getAccount(_ call: Call, _ reader: Reader) throws -> Response {
        guard let account = try LedgerReads.account(call.id(), reader) else {
            throw Refused(.notFound())
        }
        var json = JSONWriter(capacity: 512)
        json.object { LedgerAccountWire.write(account, &$0) }
        return .object(json.bytes)
    }

    private static func listTransactions(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: LedgerTransactionID) in
            try LedgerReads.sequence(of: id, reader)
        }
        let page = try LedgerReads.transactions(window.page, filter(call), reader)
        return .list(page, call, id: { $0.id.description }) { transaction, data in
            data.object { LedgerTransactionWire.write(transaction, &$0) }
        }
    }

    private static func getTransaction(_ call: Call, _ reader: Reader) throws -> Response {
        guard let transaction = try LedgerReads.transaction(call.id(), reader) else {
            throw Refused(.notFound())
        }
        return .object(LedgerTransactionWire.json(transaction))
    }

    private static func prove(_ call: Call, _ reader: Reader) throws -> Response {
        let through = call.query["through"].flatMap { Int64($0) }
        guard let proof = try LedgerReads.proof(of: call.id(), through: through, reader) else {
            throw Refused(.notFound())
        }
        return .object(EntryProofWire.json(proof))
    }

    private static func head(_ call: Call, _ reader: Reader) throws -> Response {
        let head = try JournalStore.head(reader)
        var json = JSONWriter(capacity: 256)
        json.object { object in
            object.field("object", "ledger_head")
            LedgerHeadWire.write(head, &object)
        }
        return .object(json.bytes)
    }

    /// A head kept earlier proves more: that nothing up to it was rewritten since.
    private static func verify(_ call: Call, _ reader: Reader) throws -> Response {
        let saved = call.query["head"].flatMap { LedgerHead($0) }
        return .object(
            LedgerReportWire.json(
                try reader.snapshot {
                    var report = try LedgerVerifier.verify(reader, against: saved)
                    report.faults += try RefundVerifier.faults(
                        reader, most: LedgerReport.faultsMax - report.faults.count)
                    return report
                }))
    }

    private static func filter(_ call: Call) -> LedgerReads.Filter {
        var filter = LedgerReads.Filter()
        filter.account = call.queryID("account_id")
        filter.program = call.queryID("program_id")
        filter.participant = call.queryID("participant_id")
        filter.reward = call.queryID("reward_id")
        filter.payout = call.queryID("payout_id")
        filter.redemption = call.queryID("redemption_id")
        filter.kind = call.query["kind"]
        return filter
    }

    // MARK: - Contracts

    private static let owners: [Field] = [
        .optional("program_id", .id(ProgramID.self)),
        .optional("participant_id", .id(ParticipantID.self)),
    ]

    private static let accountListing = Contract(
        operationID: "listLedgerAccounts", summary: "Accounts with their balances, newest first.",
        query: ListRequest.fields(of: LedgerAccountID.self) + owners + [
            .optional("kind", LedgerAccountWire.kind)
        ],
        answer: .page(of: LedgerAccountWire.schema))

    private static let accountReading = Contract(
        operationID: "getLedgerAccount", summary: "One account.", answer: LedgerAccountWire.schema)

    private static let listing = Contract(
        operationID: "listLedgerTransactions", summary: "Transactions, newest first.",
        query: ListRequest.fields(of: LedgerTransactionID.self) + owners + [
            .optional("account_id", .id(LedgerAccountID.self)),
            .optional("reward_id", .id(RewardID.self)),
            .optional("payout_id", .id(PayoutID.self)),
            .optional("redemption_id", .id(RedemptionID.self)),
            .optional("kind", LedgerTransactionWire.kind),
        ], answer: .page(of: LedgerTransactionWire.schema))

    private static let reading = Contract(
        operationID: "getLedgerTransaction", summary: "One transaction.",
        answer: LedgerTransactionWire.schema)

    private static let proving = Contract(
        operationID: "proveLedgerTransaction",
        summary: "The transaction, and what is needed to compute the hashes up to a head: for "
            + "`referrald verify-entry`. It spans \(EntryProof.followingMax) transactions.",
        query: [
            .optional(
                "through", .integer(1...Money.maximum),
                "The sequence of a head that was kept; the newest unless told.")
        ], answer: EntryProofWire.schema,
        refusals: Problem.examples(of: [
            EntryProofRefusal.headBeforeEntry(sequence: 8), EntryProofRefusal.noSuchHead(newest: 7),
            EntryProofRefusal.headTooFar(last: 10_001),
        ]))

    private static let heading = Contract(
        operationID: "getLedgerHead",
        summary: "The newest link of the chain. Keep it elsewhere: verify proves it later.",
        answer: .object([
            .required("object", .choice(["ledger_head"])),
            .required("sequence", .integer(0...Int64.max)), .required("hash", .text(64...64)),
        ]))

    private static let verification = Contract(
        operationID: "verifyLedger",
        summary:
            "Prove the books from the first transaction on: balances, chain, rewards, payouts, "
            + "redemptions.",
        query: [
            .optional(
                "head", LedgerHeadWire.line, "sequence:hash of a head that was kept earlier.")
        ], answer: LedgerReportWire.schema)
}

extension EntryProofRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .headBeforeEntry(let sequence):
            .unprocessable(
                "head_before_entry", "The entry is number \(sequence), which that head is not over."
            )
        case .noSuchHead(let newest):
            .unprocessable("no_such_head", "The newest head is number \(newest).")
        case .headTooFar(let last):
            .unprocessable(
                "head_too_far",
                "A proof spans \(EntryProof.followingMax) transactions: name with `through` a head "
                    + "that you kept, up to number \(last).")
        }
    }
}
