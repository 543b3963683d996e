import Database
import Glibc
import JSON
import Model
import Platform
import Programs

/// `referrald demo`: a service on a temporary database, with a month of history that came in
/// through the API like any other, at times set by the demo's clock.
enum Demo {
    static func run(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let signals = try Signals()
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let clock = ShiftedClock(days: -30)
        let demo = try configuration.replacing(databasePath: folder.path + "/demo.db")
        let service = try Service(
            demo, clock: clock.clock,
            log: Log(access: .none, output: STDERR_FILENO, isErrorsOnly: true))
        let story = DemoStory(
            client: DaemonClient(path: demo.socketPath), clock: clock)
        do {
            let participants = try story.tell()
            var reader: Reader?
            while service.jobs.runSlice(&reader) {}
            try story.payOut(participants)
        } catch {
            service.stop()
            throw error
        }
        clock.set(days: 0)
        let address = service.addresses.first.map { "http://" + $0 } ?? ""
        Terminal.print(try story.farewell(address: address))
        signals.wait()
        signals.exitOnNext()
        service.stop()
        return 0
    }
}

/// The system's clock, moved. It only ever moves forward.
final class ShiftedClock: Sendable {
    private let offset: Locked<Int64>

    init(days: Int64) { offset = Locked(days * 86_400_000) }

    var clock: Clock {
        Clock { [self] in
            Clock.system.now().advanced(byMilliseconds: offset.withLock { $0 })
        }
    }

    func advance(hours: Int64) { offset.withLock { $0 = min(0, $0 + hours * 3_600_000) } }

    func set(days: Int64) { offset.withLock { $0 = days * 86_400_000 } }
}

/// A directory of its own under the system's temporary one.
struct TemporaryFolder {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/referrald-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Deletes the files in it, and itself.
    func remove() {
        guard let folder = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        closedir(folder)
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }
}

/// What happened in the demo's month.
struct DemoStory {
    let client: DaemonClient
    let clock: ShiftedClock

    private static let people: [(name: String, email: String, company: String)] = [
        ("Ada Moreno", "ada@moreno.example", "Moreno Design"),
        ("Ben Okafor", "ben@okafor.example", "Okafor Consulting"),
        ("Chloe Tan", "chloe@tan.example", "Tan & Partners"),
    ]

    private static let companies = [
        "Northwind", "Contoso", "Fabrikam", "Tailspin", "Litware", "Proseware", "Wingtip",
        "Adatum", "Relecloud", "Lucerne", "Margie", "Woodgrove",
    ]

    /// A step of the story was refused.
    struct Stumbled: Error, CustomStringConvertible {
        let description: String
    }

    /// Tells the month; returns the participants.
    func tell() throws -> [String] {
        let program = try post(
            "/v1/programs",
            [
                "name": "Customer referrals", "kind": "customer", "currency": "USD",
                "hold_days": 7, "destination_url": "https://www.example.com/welcome",
                "attribution": ["model": "last_touch", "window_days": 30],
            ])
        try post("/v1/programs/\(program)/activate", [:])
        try post(
            "/v1/programs/\(program)/reward_rules",
            [
                "trigger": "lead.qualified", "recipient": "referrer", "kind": "cash",
                "amount": ["amount": 20_000, "currency": "USD"],
            ])
        try post(
            "/v1/programs/\(program)/reward_rules",
            [
                "trigger": "conversion", "recipient": "referrer", "kind": "cash",
                "basis_points": 1_000,
            ])
        var codes: [String] = []
        var participants: [String] = []
        for (index, person) in DemoStory.people.enumerated() {
            let participant = try post(
                "/v1/participants",
                [
                    "program_id": .string(program), "name": .string(person.name),
                    "email": .string(person.email), "company": .string(person.company),
                    "status": "approved",
                ])
            participants.append(participant)
            let code = ["ada", "ben", "chloe"][index]
            for channel in ["email", "social"] {
                try post(
                    "/v1/links",
                    [
                        "participant_id": .string(participant), "channel": .string(channel),
                        "code": .string(channel == "email" ? code : "\(code)-\(channel)"),
                    ])
            }
            codes += [code, "\(code)-social"]
        }
        for day in 0..<30 { try tellDay(day, program, codes) }
        return participants
    }

    /// Pays the first participant; the second one's payout is on its way.
    func payOut(_ participants: [String]) throws {
        for (index, participant) in participants.prefix(2).enumerated() {
            let payout = try post(
                "/v1/payouts",
                [
                    "participant_id": .string(participant),
                    "reference": .string("demo-\(index + 1)"),
                ])
            try post("/v1/payouts/\(payout)/submit", [:])
            if index == 0 { try post("/v1/payouts/\(payout)/confirm", [:]) }
        }
    }

    /// Visitors click; every third day one of them fills in the form, and what was begun goes on.
    private func tellDay(_ day: Int, _ program: String, _ codes: [String]) throws {
        var clicks: [String] = []
        for visitor in 0..<(3 + day * 7 % 5) {
            let code = codes[(day * 5 + visitor * 3) % codes.count]
            clicks.append(try click(code, visitor: "\(day)-\(visitor)"))
            clock.advance(hours: 1)
        }
        if day % 3 == 0 {
            let company = DemoStory.companies[day / 3 % DemoStory.companies.count]
            let name = company.lowercased()
            let lead = try post(
                "/v1/leads",
                [
                    "program_id": .string(program), "click_id": .string(clicks[0]),
                    "name": .string("Sam \(company)"),
                    "email": .string("sam@\(name).example"), "company": .string(company),
                    "intro": .string(day % 2 == 0 ? "strong" : "weak"),
                ])
            clock.advance(hours: 4)
            try progress(lead, day: day, customer: name)
        }
        clock.advance(hours: Int64(24 - (3 + day * 7 % 5) - (day % 3 == 0 ? 4 : 0)))
    }

    private func progress(_ lead: String, day: Int, customer: String) throws {
        if day % 12 == 9 {
            try post(
                "/v1/leads/\(lead)/disqualify",
                ["reason_code": "not_in_target_market", "reason": "Too small for the product."])
            return
        }
        try post("/v1/leads/\(lead)/qualify", [:])
        guard day % 6 == 0 else { return }
        try post("/v1/leads/\(lead)/advance", [:])
        try post("/v1/leads/\(lead)/win", [:])
        let conversion = try post(
            "/v1/conversions",
            [
                "external_id": .string("order-\(day)"), "lead_id": .string(lead),
                "kind": "purchase",
                "amount": ["amount": .integer(Int64(120_000 + day * 10_000)), "currency": "USD"],
            ])
        if day == 12 {
            try post(
                "/v1/conversions/\(conversion)/refund",
                [
                    "external_id": .string("refund-\(day)"),
                    "amount": ["amount": 60_000, "currency": "USD"],
                ])
        }
    }

    /// Follows a link as a browser does, and returns the click's id.
    private func click(_ code: String, visitor: String) throws -> String {
        let answer = try client.get(
            "/r/\(code)",
            headers: [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Demo/\(visitor)")])
        guard let location = answer.header("location"),
            let id = location.split(separator: "click_id=").last?.prefix(while: {
                $0 != "&" && $0 != "#"
            })
        else { throw Stumbled(description: "the link \(code) answered \(answer.status)") }
        return String(id)
    }

    /// Posts with a key of its own, and returns the answer's id.
    @discardableResult
    private func post(_ target: String, _ json: JSONValue) throws -> String {
        let key = Array(RandomPool.bytes(12)).map { String($0, radix: 16) }.joined()
        let answer = try client.post(target, json, headers: [("Idempotency-Key", key)])
        guard (200..<300).contains(answer.status) else {
            let words = String(decoding: answer.body.prefix(500), as: UTF8.self)
            throw Stumbled(description: "\(target) answered \(answer.status): \(words)")
        }
        return answer.json["id"]?.stringValue ?? ""
    }

    /// A fresh key and lines to try.
    func farewell(address: String) throws -> String {
        let answer = try client.post(
            "/v1/api_keys", ["name": "demo", "scopes": ["admin"]])
        guard let key = answer.json["secret"]?.stringValue else {
            throw Stumbled(description: "no key could be made")
        }
        return """
            referrald demo: a program with a month of history, at \(address)
            Everything lies in a temporary database and goes when you press Control-C.

            KEY=\(key)
            curl -s -u $KEY: '\(address)/v1/leads?limit=3'
            curl -s -u $KEY: '\(address)/v1/rewards?status=approved'
            curl -s -u $KEY: '\(address)/v1/payouts'
            curl -s -u $KEY: '\(address)/v1/ledger/accounts?limit=5'
            curl -s -u $KEY: '\(address)/v1/events?after=0&limit=5'
            curl -si -A 'Mozilla/5.0' '\(address)/r/ada'
            curl -s -u $KEY: '\(address)/metrics' | grep '^referrald_rewards'
            """
    }
}
