import Crypto
import Database
import Glibc
import JSON
import LeadRegistration
import Model
import Testing

/// A database file of its own with the real migrations, gone with the test.
final class TemporaryDatabase {
    let database: Database
    let reader: Reader
    private let folder: String

    init() throws {
        var template = Array("/tmp/leads-XXXXXX".utf8CString)
        folder = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
        }
        database = try Database(
            path: folder + "/test.db", migrations: try TemporaryDatabase.migrations())
        try database.start()
        reader = try database.makeReader()
    }

    deinit {
        database.close()
        for name in TemporaryDatabase.names(in: folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// The numbered files of the package's `Migrations` folder.
    private static func migrations() throws -> [Migration] {
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let folder = "/\(package)/Migrations"
        return try names(in: folder).filter { $0.hasSuffix(".sql") }.sorted().map { name in
            let bytes = try contents(of: "\(folder)/\(name)")
            return Migration(
                name: name, sql: String(decoding: bytes, as: UTF8.self),
                checksum: SHA256.hash(bytes))
        }
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    private static func contents(of path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    /// A program and a participant in it: what a lead's row refers to.
    func prepare(_ program: ProgramID, _ participant: ParticipantID) throws {
        try database.perform { tx in
            try tx.run(
                """
                INSERT INTO programs (
                    id, name, kind, state, currency, rules, metadata, version, created_at,
                    updated_at)
                VALUES (?, 'P', 'customer', 'active', 'USD', '{}', '{}', 1, 0, 0)
                """, program)
            try tx.run(
                """
                INSERT INTO participants (
                    id, program_id, kind, state, name, email, email_key, metadata, version,
                    created_at, updated_at)
                VALUES (?, ?, 'customer', 'approved', 'A', ?, ?, '{}', 1, 0, 0)
                """, participant, program, "\(participant)@example.com",
                "\(participant)@example.com")
        }
    }
}

private let program = ProgramID(high: 1, low: 1)
private let other = ProgramID(high: 1, low: 2)
private let ann = ParticipantID(high: 2, low: 1)
private let carol = CustomerID(high: 5, low: 5)
private let start = Instant(milliseconds: 1_700_000_000_000)

private func id(_ instant: Instant, _ low: UInt64) -> LeadID {
    LeadID(high: UInt64(instant.milliseconds) << 16 | 0x7000, low: low)
}

@Suite("Stored leads")
struct LeadStoreTests {
    private func store(_ leads: [Lead]) throws -> TemporaryDatabase {
        let file = try TemporaryDatabase()
        try file.prepare(program, ann)
        try file.prepare(other, ParticipantID(high: 2, low: 2))
        try file.database.perform { tx in
            for lead in leads { try LeadStore.insert(lead, tx) }
        }
        return file
    }

    private func page(
        _ file: TemporaryDatabase, limit: Int = 10, older: Int64? = nil,
        _ change: (inout LeadStore.Filter) -> Void = { _ in }
    ) throws -> Page<Lead> {
        var filter = LeadStore.Filter()
        change(&filter)
        return try LeadStore.page(
            PageRequest(limit: limit, window: .older(than: older)), filter, file.reader)
    }

    @Test("a new lead is read back as it was written")
    func roundTrip() throws {
        let lead = Lead(
            id: id(start, 1), program: program,
            referrer: Referrer(
                participant: ann, link: LinkID(high: 3, low: 3), click: ClickID(high: 4, low: 4)),
            customer: CustomerID(high: 5, low: 5), state: .duplicate, source: .form,
            contact: Contact(
                name: "Zoë\u{301}", email: EmailAddress("Zoe+x@Example.com"), company: "Ünïcode AG",
                domain: DomainName("example.com"), phone: "+1 555", note: "two\nlines"),
            intro: .strong, estimatedValue: Money(amount: 12, currency: usd), wonValue: nil,
            duplicateOf: LeadID(high: 8, low: 8), reasonCode: "same_email", reason: nil,
            followUpAt: nil, qualifiedAt: nil, wonAt: nil, formDigest: [1, 2, 3],
            metadata: ["utm_source": "x"], version: 1, createdAt: start, updatedAt: start)
        let file = try store([lead])
        #expect(try LeadStore.find(lead.id, file.reader) == lead)
    }

    @Test("a lead of every state and source is stored, and none of another")
    func words() throws {
        let words = Lead.State.allCases.flatMap { state in
            Lead.Source.allCases.map { (state, $0) }
        }
        let leads = words.enumerated().map { place, word in
            someLead(word.0, id: id(start, UInt64(place)), source: word.1)
        }
        let file = try store(leads)
        for lead in leads { #expect(try LeadStore.find(lead.id, file.reader) == lead) }
        #expect(throws: DatabaseFault.self) {
            try file.database.perform { try $0.run("UPDATE leads SET state = 'known'") }
        }
        #expect(throws: DatabaseFault.self) {
            try file.database.perform { try $0.run("UPDATE leads SET source = 'post'") }
        }
    }

    @Test("a lead and its clock are checked without a table of words for every row")
    func checks() throws {
        let file = try TemporaryDatabase()
        let steps =
            try file.reader.all("EXPLAIN INSERT INTO leads DEFAULT VALUES") { try $0.text(1) }
            + file.reader.all("EXPLAIN INSERT INTO lead_clocks DEFAULT VALUES") { try $0.text(1) }
        #expect(steps.contains("Insert"))
        #expect(!steps.contains("OpenEphemeral"))
    }

    @Test("an update writes everything that a move or a patch changes")
    func update() throws {
        var lead = someLead(id: id(start, 1), participant: ann)
        let file = try store([lead])
        lead.state = .won
        lead.contact.name = nil
        lead.contact.company = "C"
        lead.contact.domain = DomainName("c.example")
        lead.contact.phone = "1"
        lead.contact.note = "n"
        lead.intro = .weak
        lead.estimatedValue = Money(amount: 1, currency: usd)
        lead.wonValue = Money(amount: 2, currency: usd)
        lead.reasonCode = "price"
        lead.reason = "r"
        lead.followUpAt = start
        lead.qualifiedAt = start
        lead.wonAt = start
        lead.metadata = ["a": "b"]
        lead.version = 2
        lead.updatedAt = start.advanced(byMilliseconds: 5)
        let changed = lead
        try file.database.perform { try LeadStore.update(changed, $0) }
        #expect(try LeadStore.find(lead.id, file.reader) == changed)
    }

    @Test("a lead that is not there is not found")
    func absent() throws {
        let file = try store([])
        #expect(try LeadStore.find(id(start, 1), file.reader) == nil)
        #expect(try LeadStore.sequence(of: id(start, 1), file.reader) == nil)
    }

    @Test("the earliest lead of a customer is the one that came first, whatever its id")
    func earliest() throws {
        let first = someLead(id: id(start, 2), customer: carol)
        let second = someLead(id: id(start, 1), customer: carol)
        let file = try store([first, second])
        #expect(try LeadStore.earliest(of: carol, file.reader) == first.id)
        #expect(
            try LeadStore.earliest(of: CustomerID(high: 5, low: 9), file.reader) == nil)
    }

    @Test("spam is no earlier lead")
    func notEarlier() throws {
        let file = try store([someLead(.spam, id: id(start, 1), customer: carol)])
        #expect(try LeadStore.earliest(of: carol, file.reader) == nil)
    }

    @Test("a duplicate leads to the one that it is of, however many lie between")
    func original() throws {
        let first = someLead(id: id(start, 1))
        var second = someLead(.duplicate, id: id(start, 2))
        second.duplicateOf = first.id
        var third = someLead(.duplicate, id: id(start, 3), customer: carol)
        third.duplicateOf = second.id
        let file = try store([first, second, third])
        #expect(try LeadStore.earliest(of: carol, file.reader) == first.id)
    }

    @Test("a form post is known again by its digest, after the given time only")
    func posted() throws {
        let lead = someLead(id: id(start, 1), source: .form, digest: [7, 7])
        let file = try store([lead])
        func found(_ digest: [UInt8], _ program: ProgramID, after instant: Instant) throws
            -> LeadID?
        {
            try LeadStore.posted(digest, in: program, after: instant, file.reader)?.id
        }
        let before = start.advanced(byMilliseconds: -1)
        #expect(try found([7, 7], program, after: before) == lead.id)
        #expect(try found([7, 7], program, after: start) == nil)
        #expect(try found([7, 8], program, after: before) == nil)
        #expect(try found([7, 7], other, after: before) == nil)
    }

    @Test("a list hides spam unless it is asked for")
    func spamHidden() throws {
        let kept = someLead(id: id(start, 1))
        let spam = someLead(.spam, id: id(start, 2))
        let file = try store([kept, spam])
        #expect(try page(file).items.map(\.id) == [kept.id])
        #expect(try page(file) { $0.state = .spam }.items.map(\.id) == [spam.id])
        #expect(try page(file) { $0.state = .submitted }.items.map(\.id) == [kept.id])
    }

    @Test("a list is narrowed by program, participant and mailbox")
    func filters() throws {
        let mine = someLead(id: id(start, 1), participant: ann, email: "a@example.com")
        let foreign = someLead(
            id: id(start, 2), program: other, email: "b@example.com", customer: carol)
        let file = try store([mine, foreign])
        try file.database.perform { tx in
            try tx.run(
                """
                INSERT INTO customers (id, program_id, email_key, created_at)
                VALUES (?, ?, 'b@example.com', 0)
                """, carol, other)
        }
        #expect(try page(file).items.map(\.id) == [foreign.id, mine.id])
        #expect(try page(file) { $0.program = other }.items.map(\.id) == [foreign.id])
        #expect(try page(file) { $0.participant = ann }.items.map(\.id) == [mine.id])
        #expect(
            try page(file) { $0.email = EmailAddress("B+1@example.com") }.items.map(\.id)
                == [foreign.id])
    }

    @Test("a list by time of creation is exact to the millisecond, in whatever order ids were made")
    func createdWindow() throws {
        var leads: [Lead] = []
        for step in 0..<4 {
            let instant = start.advanced(byMilliseconds: Int64(step))
            // Two in one millisecond, the greater id first.
            for low: UInt64 in [9, 1] {
                leads.append(
                    someLead(id: id(instant, low), email: "p\(step)\(low)@example.com", at: instant)
                )
            }
        }
        let file = try store(leads)
        for from in 0...4 {
            for to in from...5 {
                let window =
                    start.advanced(
                        byMilliseconds: Int64(from))..<start.advanced(
                        byMilliseconds: Int64(to))
                let found = try page(file) {
                    $0.createdFrom = window.lowerBound
                    $0.createdBefore = window.upperBound
                }
                let expected = leads.filter { window.contains($0.createdAt) }.reversed()
                #expect(found.items.map(\.id) == expected.map(\.id), "\(from)..<\(to)")
            }
        }
    }

    @Test("pages follow one another, newest first, without a gap")
    func pages() throws {
        let leads = (0..<5).map { someLead(id: id(start, $0), email: "p\($0)@example.com") }
        let file = try store(leads)
        var seen: [LeadID] = []
        var older: Int64?
        repeat {
            let page = try page(file, limit: 2, older: older)
            seen += page.items.map(\.id)
            older =
                try page.hasMore
                ? page.items.last.flatMap { try LeadStore.sequence(of: $0.id, file.reader) } : nil
        } while older != nil
        #expect(seen == leads.reversed().map(\.id))
    }
}
