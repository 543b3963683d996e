import Crypto
import Database
import Glibc
import JSON
import Model
import Platform
import Records
import Synchronization

@testable import RewardLedger

/// A temporary database with the real migrations, one program in a currency, and participants in
/// it.
final class LedgerFixture: Sendable {
    let directory: String
    let database: Database
    let program: ProgramID
    let currency: Currency
    let holdDays: Int64
    let threshold: Int64?

    init(currency: String = "USD", holdDays: Int64 = 30, threshold: Int64? = 50_000) throws {
        var template = Array("/tmp/referrald-ledger-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        let directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        self.directory = directory
        self.currency = Currency(currency)!
        self.holdDays = holdDays
        self.threshold = threshold
        let time = LedgerClock()
        clock = time
        database = try Database(
            path: directory + "/test.db", migrations: LedgerFixture.migrations(),
            clock: time.clock)
        try database.start()
        let code = currency
        program = try database.perform { tx in
            let id: ProgramID = tx.makeID()
            try tx.run(
                """
                INSERT INTO programs (
                    id, name, kind, state, currency, rules, metadata, version, created_at,
                    updated_at)
                VALUES (?, 'P', 'customer', 'active', ?, '{}', '{}', 1, ?, ?)
                """, id, code, tx.now, tx.now)
            return id
        }
    }

    private let clock: LedgerClock

    deinit {
        database.close()
        for name in ["test.db", "test.db-wal", "test.db-shm", "test.db.lock", "test.db-lock"] {
            unlink(directory + "/" + name)
        }
        rmdir(directory)
    }

    /// Writes and waits. The writer keeps a job for a moment after the answer, and the end of the
    /// fixture waits for the writer: so the job lets go of what `body` holds before it answers.
    func perform<T: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> T
    ) throws -> T {
        let kept = Locked<(@Sendable (Transaction) throws -> T)?>(body)
        return try database.perform { tx in
            let body = kept.withLock { kept in
                defer { kept = nil }
                return kept
            }
            guard let body else { throw MissingRow() }
            return try body(tx)
        }
    }

    func advance(days: Int64) { advance(milliseconds: days * 86_400_000) }

    func advance(milliseconds: Int64) { clock.advance(milliseconds: milliseconds) }

    var now: Instant { clock.clock.now() }

    /// The numbered files of the package's folder, read as they are.
    static func migrations() throws -> [Migration] {
        let folder =
            #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
            + "/Migrations"
        guard let listing = opendir(folder) else { throw SystemError("opendir") }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".sql") { names.append(name) }
        }
        return try names.sorted().map { name in
            let text = try contents(of: folder + "/" + name)
            return Migration(name: name, sql: text, checksum: SHA256.hash(text))
        }
    }

    private static func contents(of path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw SystemError("fopen") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A clock that tests advance.
final class LedgerClock: Sendable {
    private let milliseconds = Atomic<Int64>(1_800_000_000_000)

    func advance(milliseconds step: Int64) {
        milliseconds.wrappingAdd(step, ordering: .relaxed)
    }

    var clock: Clock {
        Clock { [self] in Instant(milliseconds: milliseconds.load(ordering: .relaxed)) }
    }
}

extension LedgerFixture {
    func participant() throws -> ParticipantID {
        try perform { [program] tx in
            let id: ParticipantID = tx.makeID()
            try tx.run(
                """
                INSERT INTO participants (
                    id, program_id, kind, state, name, email, email_key, metadata, version,
                    created_at, updated_at)
                VALUES (?, ?, 'customer', 'approved', 'N', ?, ?, '{}', 1, ?, ?)
                """, id, program, "\(id)@example.com", "\(id)@example.com", tx.now, tx.now)
            return id
        }
    }

    @discardableResult
    func rule(
        _ rate: RewardTerms.Rate, trigger: RewardRule.TriggerName = .conversion,
        kinds: [String]? = nil, kind: RewardRule.Kind = .cash
    ) throws -> RewardRule {
        try self.rule(
            RewardTerms(
                trigger: trigger, recipient: .referrer, kind: kind, rate: rate,
                conversionKinds: kinds))
    }

    /// A rule of points for a sale.
    @discardableResult
    func pointsRule(_ points: Int64) throws -> RewardRule {
        var terms = RewardTerms(
            trigger: .conversion, recipient: .referrer, kind: .points, rate: nil,
            conversionKinds: nil)
        terms.gift.points = points
        return try rule(terms)
    }

    @discardableResult
    func rule(_ terms: RewardTerms, name: String? = nil) throws -> RewardRule {
        try perform { [program] tx in
            let rule = RewardRule(
                id: tx.makeID(), program: program, name: name, state: .active, terms: terms,
                metadata: [:], version: 1, createdAt: tx.now, updatedAt: tx.now)
            try RewardRuleStore.insert(rule, actor: "test", tx)
            return rule
        }
    }

    /// An item of the catalogue for so many points.
    func item(_ points: Int64, stock: Int64? = nil) throws -> CatalogItem {
        try perform { [program] tx in
            let id: CatalogItemID = tx.makeID()
            let item = CatalogItem(
                id: id, program: program,
                terms: CatalogItem.Terms(
                    sku: id.description, name: "N", kind: .perk, points: points, stock: stock),
                createdAt: tx.now, updatedAt: tx.now)
            try CatalogItemStore.insert(item, tx)
            return item
        }
    }

    func money(_ amount: Int64) -> Money { Money(amount: amount, currency: currency) }

    func occasion(
        _ trigger: RewardRule.Trigger = .conversion(kind: "purchase"),
        lead: LeadID? = nil, conversion: ConversionID? = nil, attribution: AttributionID? = nil
    ) -> RewardOccasion {
        RewardOccasion(
            trigger: trigger, program: program, programVersion: 1, holdDays: holdDays,
            approvalThreshold: threshold, lead: lead, conversion: conversion,
            attribution: attribution, actor: "test")
    }

    /// A sale of `amount` credited to `participant`, and its rewards.
    func sell(
        _ amount: Int64, to participant: ParticipantID
    ) throws -> (conversion: ConversionID, rewards: [Reward]) {
        try perform { [self] tx in
            let conversion: ConversionID = tx.makeID()
            let rewards = try RewardBook.grant(
                occasion(conversion: conversion),
                to: [Credit(participant: participant, base: money(amount))], tx)
            return (conversion, rewards)
        }
    }

    @discardableResult
    func refund(
        _ conversion: ConversionID, total: Int64, of whole: Int64
    ) throws -> [Reward] {
        try perform { [self] tx in
            var credits: [Credit] = []
            for reward in try RewardStore.rewards(of: conversion, tx)
            where !credits.contains(where: { $0.participant == reward.participant }) {
                credits.append(
                    Credit(
                        participant: reward.participant,
                        base: Money(stored: reward.basis.objectValue?["credited"])
                            ?? money(whole)))
            }
            return try RewardBook.settle(
                sale(
                    conversion, credits, refunded: total, of: whole, refund: tx.makeID(),
                    recordedAt: tx.now), actor: "test", tx)
        }
    }

    /// A sale of which so much is refunded, credited as it was when nothing was.
    func sale(
        _ conversion: ConversionID, _ credits: [Credit], refunded: Int64, of whole: Int64,
        refund: RefundID?, recordedAt: Instant
    ) -> RewardSale {
        let rests = Apportionment.split(
            whole - refunded, by: credits.map { $0.base?.amount ?? 0 })
        return RewardSale(
            conversion: conversion, program: program, recordedAt: recordedAt, whole: whole,
            refunded: refunded, refund: refund, credits: credits,
            rest: zip(credits, rests).map {
                Credit(participant: $0.participant, parts: $0.parts, base: money($1))
            }, person: [])
    }

    func reward(_ id: RewardID) throws -> Reward {
        try perform { tx in
            guard let reward = try RewardStore.find(id, tx) else { throw MissingRow() }
            return reward
        }
    }

    @discardableResult
    func approve(_ id: RewardID) throws -> Reward {
        try perform { tx in
            guard let reward = try RewardStore.find(id, tx) else { throw MissingRow() }
            return try RewardBook.approve(reward, actor: "test", tx)
        }
    }

    /// A sale whose only reward is approved.
    @discardableResult
    func approvedSale(
        _ amount: Int64, to participant: ParticipantID
    ) throws -> (conversion: ConversionID, reward: RewardID) {
        let (conversion, rewards) = try sell(amount, to: participant)
        guard let reward = rewards.first else { throw MissingRow() }
        if reward.state != .approved { try approve(reward.id) }
        return (conversion, reward.id)
    }

    func order(
        _ reference: String, to participant: ParticipantID, kind: Payout.Kind = .cash
    ) -> PayoutOrder {
        PayoutOrder(
            reference: reference, participant: participant, program: program, currency: currency,
            kind: kind, actor: "test")
    }

    func payout(
        _ reference: String, to participant: ParticipantID, kind: Payout.Kind = .cash
    ) throws -> Payout {
        let order = order(reference, to: participant, kind: kind)
        return try perform { try PayoutBook.create(order, $0).payout }
    }

    @discardableResult
    func change(
        _ payout: Payout, _ change: @escaping @Sendable (Payout, Transaction) throws -> Payout
    ) throws -> Payout {
        try perform { tx in
            guard let current = try PayoutStore.find(payout.id, tx) else { throw MissingRow() }
            return try change(current, tx)
        }
    }

    /// A payout that was submitted.
    func submitted(_ reference: String, to participant: ParticipantID) throws -> Payout {
        try change(payout(reference, to: participant)) {
            try PayoutBook.submit($0, providerReference: nil, actor: "test", $1)
        }
    }

    @discardableResult
    func confirm(_ payout: Payout, paid: Int64? = nil) throws -> Payout {
        try change(payout) { try PayoutBook.confirm($0, paid: paid, actor: "test", $1) }
    }

    func balance(of participant: ParticipantID) throws -> ParticipantBalance {
        try perform { tx in
            try LedgerReads.balances(of: participant, tx).first?.balance ?? ParticipantBalance()
        }
    }

    func faults() throws -> [String] {
        try perform { try LedgerVerifier.verify($0).faults }
    }

    /// Ends every hold that is over, as the job runner does.
    func runJobs() throws {
        try perform { tx in
            for job in try JobStore.due(at: tx.now, limit: 10_000, tx) {
                try RewardBook.endHold(job.subject(RewardID.self), tx)
                try JobStore.remove(job, tx)
            }
        }
    }
}

struct MissingRow: Error {}

extension ParticipantBalance {
    init(
        pending: Int64 = 0, available: Int64 = 0, inPayout: Int64 = 0, paid: Int64 = 0,
        owed: Int64 = 0
    ) {
        self.init()
        self.pending = pending
        self.available = available
        self.inPayout = inPayout
        self.paid = paid
        clawbackOwed = owed
    }
}

extension LedgerFixture {
    func count(_ table: StaticString) throws -> Int64? {
        var query = Query("SELECT count(*) FROM ")
        query.append(table)
        let counting = query
        return try perform { try $0.integer(counting) }
    }

    func transactions() throws -> [LedgerTransaction] {
        try perform { tx in
            try tx.all("SELECT id FROM ledger_transactions ORDER BY seq") {
                try $0.id(0) as LedgerTransactionID
            }.compactMap { try LedgerReads.transaction($0, tx) }
        }
    }

    /// The types of the events about `id`, oldest first.
    func events<Kind>(_ id: Identifier<Kind>) throws -> [String] {
        try perform { tx in
            try tx.all("SELECT type FROM events WHERE object_id = ? ORDER BY seq", id) {
                try $0.text(0)
            }
        }
    }
}
