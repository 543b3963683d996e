import Attribution
import Database
import Glibc
import JSON
import LeadRegistration
import Model
import RewardLedger

/// Commands about the database as a whole: through the running daemon, or on the file itself.
enum Maintenance {
    static func migrate(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let isNew = try withDatabase(configuration, .whereNothingLies) { $0.isNew }
        Terminal.print(
            "\(configuration.databasePath) is " + (isNew ? "new, and " : "")
                + "at version \(Application.migrations.count)")
        return 0
    }

    static func backup(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let plan = try BackupPlan(arguments)
        let daemon = DaemonClient(path: configuration.socketPath)
        if daemon.isAnswered {
            let answer = try daemon.post(
                "/daemon/backup", ["path": .string(absolute(plan.target))])
            guard answer.status == 200 else { return report(answer) }
        } else {
            try withDatabase(configuration) { try Backup.write($0, to: plan.target) }
        }
        Terminal.print("wrote \(plan.target)")
        for old in try plan.deleteOld() { Terminal.print("deleted \(old)") }
        return 0
    }

    static func verify(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let saved = try SavedHead.read(arguments)
        let daemon = DaemonClient(path: configuration.socketPath)
        let receiptsHead = try arguments.options["--receipts-head"].map {
            try KeptReceiptsHead.read($0)
        }
        let proof: Proof
        if daemon.isAnswered {
            var body = KeptReceiptsHead.body(receiptsHead).objectValue ?? [:]
            if let saved { body["head"] = .string(saved.description) }
            let answer = try daemon.post("/daemon/verify", .object(body))
            guard answer.status == 200 else { return report(answer) }
            proof = Proof(answer.json)
        } else {
            let copy = try DatabaseCopy(
                path: configuration.databasePath, versions: Application.migrations.count)
            proof = try Proof.of(copy.reader, against: saved, receiptsHead: receiptsHead)
        }
        Terminal.print(proof.text)
        return proof.faults.isEmpty ? 0 : 1
    }

    static func health(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let daemon = DaemonClient(path: configuration.socketPath)
        guard daemon.isAnswered else {
            Terminal.error("nobody answers at \(configuration.socketPath)")
            return 1
        }
        let answer = try daemon.get("/readyz")
        guard answer.status == 200 else { return report(answer) }
        Terminal.print("ready")
        return 0
    }

    /// Opens the database for one command, migrating it, and closes it at the end. It must be there
    /// unless `making` says otherwise: a mistyped path must not make an empty one that is sound and
    /// worth nothing.
    static func withDatabase<Result>(
        _ configuration: Configuration, _ making: DatabaseSettings.Making = .no,
        _ body: (Database) throws -> Result
    ) throws -> Result {
        var settings = DatabaseSettings()
        settings.making = making
        settings.remains = [configuration.signingKeyPath]
        let database = try Database(
            path: configuration.databasePath, migrations: Application.migrations,
            settings: settings)
        defer { database.close() }
        try database.start()
        return try body(database)
    }

    private static func report(_ answer: DaemonClient.Answer) -> Int32 {
        Terminal.error(answer.json["detail"]?.stringValue ?? "the daemon answered \(answer.status)")
        return 1
    }

    /// The daemon has a working directory of its own.
    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return WorkingDirectory.path + "/" + path
    }
}

/// The outcome of `verify`.
struct Proof: Sendable {
    let transactions: Int64
    let rewards: Int64
    let receipts: Int64
    let faults: [String]
    let head: String

    init(transactions: Int64, rewards: Int64, receipts: Int64, faults: [String], head: String) {
        self.transactions = transactions
        self.rewards = rewards
        self.receipts = receipts
        self.faults = faults
        self.head = head
    }

    init(_ json: JSONObject) {
        self.init(
            transactions: json["transactions"]?.integerValue ?? 0,
            rewards: json["rewards"]?.integerValue ?? 0,
            receipts: json["receipts"]?.integerValue ?? 0,
            faults: json["faults"]?.arrayValue?.compactMap(\.stringValue) ?? ["no answer"],
            head: json["head"]?.stringValue ?? "")
    }

    /// Checks the file, the ledger and the receipts, and that heads that were kept are still in
    /// them.
    static func of(
        _ reader: Reader, against saved: LedgerHead? = nil, receiptsHead: ReceiptHead? = nil
    ) throws -> Proof {
        let integrity = try reader.findProblems()
        let words = try StoredWords.unknown(reader)
        let before = UnreadableRows.count
        let (report, refunds, receipts) = try reader.snapshot {
            try (
                LedgerVerifier.verify(reader, against: saved), RefundVerifier.faults(reader),
                ReceiptVerifier.verify(reader, kept: receiptsHead)
            )
        }
        // Lists leave them out, so that nothing that was to be proved may hide there.
        let leftOut = UnreadableRows.count - before
        let unread = leftOut > 0 ? ["\(leftOut) rows hold what this version cannot read"] : []
        return Proof(
            transactions: report.transactions, rewards: report.rewards, receipts: receipts.count,
            faults: integrity + words + unread + report.faults + refunds + receipts.faults,
            head: report.head.description)
    }

    var json: JSONValue {
        [
            "object": "proof", "transactions": .integer(transactions),
            "rewards": .integer(rewards), "receipts": .integer(receipts),
            "faults": .array(faults.map { .string($0) }),
            "head": .string(head),
        ]
    }

    var text: String {
        if faults.isEmpty {
            return "ok: \(transactions) ledger transactions, \(rewards) rewards and "
                + "\(receipts) receipts; head \(head)"
        }
        return "FAULTY: " + faults.joined(separator: "\n        ")
    }
}
