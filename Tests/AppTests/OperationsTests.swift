import Database
import Foundation
import JSON
import Platform
import Testing

@testable import App

/// What operations see: health, version, metrics, the separate listener, the private socket.
struct OperationsTests {
    // MARK: - Health

    @Test("health, readiness and version answer without a key", arguments: ["127.0.0.1:0"])
    func health(_ listen: String) throws {
        let service = try TestService(flags: ["--listen": listen])
        defer { service.stop() }
        for (path, status) in [("/livez", "ok"), ("/healthz", "ok"), ("/readyz", "ready")] {
            let answer = try service.get(path, key: nil)
            #expect(answer.status == 200)
            #expect(answer["status"] == .string(status))
            #expect(try service.raw("HEAD", path).status == 200)
        }
        let version = try service.get("/version", key: nil)
        #expect(version["version"] == .string(Version.number))
        #expect(version.json["sqlite"]?.stringValue?.hasPrefix("3.") == true)
    }

    @Test("a service that is stopping is alive but not ready, and says why")
    func draining() throws {
        let service = try TestService()
        defer { service.stop() }
        service.service.app.lifecycle.withLock { $0.isDraining = true }
        let answer = try service.get("/readyz", key: nil)
        #expect(answer.status == 503)
        #expect(answer["code"] == "not_ready")
        #expect(answer["detail"] == "the service is stopping")
        #expect(try service.get("/livez", key: nil).status == 200)
    }

    @Test("a second service on the same database is refused")
    func oneProcess() throws {
        let service = try TestService()
        defer { service.stop() }
        #expect(throws: (any Error).self) { try TestService(folder: service.folder) }
        #expect(try service.get("/readyz", key: nil).status == 200)
    }

    // MARK: - Metrics

    /// A service on which a bit of everything has happened.
    private func used() throws -> MoneyStage {
        let stage = try MoneyStage()
        let service = stage.service
        _ = try service.make(
            "/v1/links", ["participant_id": .string(stage.participant), "code": "ada"])
        for agent in ["Mozilla/5.0 (X11; Linux) Firefox/128.0", "curl/8.5.0"] {
            _ = try service.raw("GET", "/r/ada", headers: [("User-Agent", agent)])
        }
        _ = try stage.qualified()
        _ = try stage.sale("a", 100_000)
        try stage.paid("p1")
        _ = try service.raw("GET", "/nothing/\"here\"\\")
        _ = try service.get("/v1/leads/lead_x")
        return stage
    }

    @Test("each family has HELP and TYPE once, then its samples together, no series twice")
    func families() throws {
        let stage = try used()
        defer { stage.service.stop() }
        let answer = try stage.service.get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        let exposition = try ParsedExposition(answer.text)
        #expect(exposition.families.count > 20)
        var series: Set<String> = []
        for sample in exposition.samples {
            #expect(series.insert(sample.name + sample.labels).inserted, "\(sample.labels)")
            #expect(exposition.family(of: sample.name) == sample.family, "\(sample.name)")
            #expect(sample.value.isFinite)
        }
        for (name, kind) in exposition.families where kind == "counter" {
            #expect(name.hasSuffix("_total"), "\(name)")
        }
    }

    @Test("histograms never fall, end at +Inf, and +Inf is the count")
    func histograms() throws {
        let stage = try used()
        defer { stage.service.stop() }
        let exposition = try ParsedExposition(stage.service.get("/metrics").text)
        let names = exposition.families.filter { $0.kind == "histogram" }.map(\.name)
        #expect(names.contains("referrald_http_request_duration_seconds"))
        var checked = 0
        for name in names {
            var buckets: [String: [(bound: String, value: Double)]] = [:]
            var order: [String] = []
            for sample in exposition.samples where sample.name == name + "_bucket" {
                let bound = try #require(sample.labels.firstMatch(of: /le="([^"]+)"/)?.1)
                let rest = sample.labels.replacing(/,?le="[^"]+"/, with: "")
                    .replacing("{}", with: "")
                if buckets[rest] == nil { order.append(rest) }
                buckets[rest, default: []].append((String(bound), sample.value))
            }
            for key in order {
                let list = buckets[key] ?? []
                #expect(list.last?.bound == "+Inf")
                #expect(zip(list, list.dropFirst()).allSatisfy { $0.value <= $1.value })
                let bounds = list.dropLast().compactMap { Double($0.bound) }
                #expect(bounds.count == list.count - 1)
                #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
                let count = exposition.value(name + "_count", key)
                #expect(count == list.last?.value, "\(name)\(key)")
                #expect(exposition.value(name + "_sum", key) != nil)
                checked += 1
            }
        }
        #expect(checked > 5)
    }

    @Test("requests are counted by route template and status, never by what was asked for")
    func requestCounts() throws {
        let stage = try used()
        defer { stage.service.stop() }
        let text = try stage.service.get("/metrics").text
        let exposition = try ParsedExposition(text)
        let name = "referrald_http_requests_total"
        #expect(
            exposition.value(name, #"{method="GET",route="/r/{code}",code="302"}"#) == 2)
        #expect(
            exposition.value(name, #"{method="GET",route="/v1/leads/{id}",code="404"}"#) == 1)
        #expect(
            exposition.value(name, #"{method="POST",route="/v1/conversions",code="201"}"#) == 1)
        #expect(!text.contains("nothing"))
        #expect(!text.contains("lead_0"))
        #expect(exposition.value("referrald_clicks_total", #"{class="human"}"#) == 1)
        #expect(exposition.value("referrald_clicks_total", #"{class="bot"}"#) == 1)
    }

    @Test("business series are shown to a key with read alone")
    func businessSeries() throws {
        let stage = try used()
        defer { stage.service.stop() }
        let service = stage.service
        let open = try ParsedExposition(service.get("/metrics", key: nil).text)
        #expect(!open.families.contains { $0.name == "referrald_rewards" })
        #expect(open.value("referrald_ledger_imbalance", "") == nil)
        #expect(open.value("referrald_events_head", "") == nil)
        let token = try service.post("/v1/participants/\(stage.participant)/tokens")
        let secret = try #require(token.json["secret"]?.stringValue)
        let partner = try ParsedExposition(service.get("/metrics", key: secret).text)
        #expect(!partner.families.contains { $0.name == "referrald_rewards" })
        let full = try ParsedExposition(service.get("/metrics").text)
        #expect(full.value("referrald_rewards", #"{state="paid"}"#) == 2)
        #expect(full.value("referrald_ledger_imbalance", "") == 0)
        #expect((full.value("referrald_events_head", "") ?? 0) > 10)
    }

    @Test("hits on closed links and X-Forwarded-For that was not believed are counted")
    func ignoredForwards() throws {
        let service = try TestService(flags: ["--trusted-proxies": "none"])
        defer { service.stop() }
        let stage = try JourneyTests.Stage(service)
        let forward = [("X-Forwarded-For", "203.0.113.1"), ("User-Agent", "Firefox")]
        _ = try service.raw("GET", "/r/ada", headers: forward)
        _ = try service.postForm(
            stage.program, [("email", "sam@buyer.example")], headers: forward)
        let emptied = try service.send(
            "PATCH", "/v1/programs/\(stage.program)", ["destination_url": .null])
        #expect(emptied.status == 200)
        _ = try service.raw("GET", "/r/ada", headers: [("User-Agent", "Firefox")])
        let exposition = try ParsedExposition(service.get("/metrics").text)
        #expect(exposition.value("referrald_forwarded_ignored_total", "") == 2)
        #expect(exposition.value("referrald_clicks_closed_total", "") == 1)
    }

    // MARK: - The listeners

    @Test("an operations address takes health and metrics from the main one, and nothing else")
    func operationsListener() throws {
        let service = try TestService(flags: ["--ops-listen": "127.0.0.1:0"])
        defer { service.stop() }
        // A link that exists, so that only the listener can be why it is not found.
        _ = try JourneyTests.Stage(service)
        let addresses = service.service.addresses
        let last = try #require(addresses.last)
        let port = try #require(last.split(separator: ":").last.flatMap { UInt16($0) })
        func operations(_ target: String, key: String? = nil) throws -> TestAnswer {
            try TestConnection.exchange(
                port: port, method: "GET", target: target,
                headers: key.map { [("Authorization", "Bearer \($0)")] } ?? [], body: nil)
        }
        for path in ["/livez", "/healthz", "/readyz", "/metrics"] {
            #expect(try operations(path).status == 200, "\(path)")
            #expect(try service.get(path).status == 404, "\(path)")
        }
        #expect(try operations("/metrics").text.contains("referrald_ledger_imbalance 0"))
        for path in ["/v1/programs", "/referral.js", "/r/ada", "/daemon/verify"] {
            let status = try operations(path, key: service.key).status
            #expect(status == 404, "\(path)")
        }
        #expect(try service.get("/v1/programs").status == 200)
    }

    @Test("what the private socket serves is 404 on the public address, also with the admin key")
    func daemonIsPrivate() throws {
        let service = try TestService()
        defer { service.stop() }
        let backup = service.folder.appending(path: "stolen.db").path
        let stolen = try service.send("POST", "/daemon/backup", ["path": .string(backup)])
        #expect(stolen.status == 404)
        #expect(!FileManager.default.fileExists(atPath: backup))
        #expect(try service.send("POST", "/daemon/verify", [:]).status == 404)
        for method in ["GET", "PUT", "OPTIONS"] {
            let answer = try service.raw(method, "/daemon/verify")
            #expect(answer.status == 404, "\(method)")
            #expect(answer.header("allow") == nil)
        }
    }

    @Test("the private socket is the owner's alone")
    func socketMode() throws {
        let service = try TestService()
        defer { service.stop() }
        let path = service.service.app.configuration.socketPath
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    // MARK: - Commands through the socket

    private func client(_ service: TestService) -> DaemonClient {
        DaemonClient(path: service.service.app.configuration.socketPath)
    }

    @Test("a key made through the socket works until it is revoked there")
    func keys() throws {
        let service = try TestService()
        defer { service.stop() }
        let daemon = client(service)
        #expect(daemon.isAnswered)
        let made = try daemon.post("/v1/api_keys", ["name": "CRM", "scopes": ["read"]])
        #expect(made.status == 201)
        let secret = try #require(made.json["secret"]?.stringValue)
        let id = try #require(made.json["id"]?.stringValue)
        #expect(try service.get("/v1/programs", key: secret).status == 200)
        let list = try daemon.get("/v1/api_keys")
        #expect(list.json["data"]?.arrayValue?.count == 1)
        #expect(!String(decoding: list.body, as: UTF8.self).contains(secret))
        #expect(try daemon.post("/v1/api_keys/\(id)/revoke", [:]).status == 200)
        #expect(try service.get("/v1/programs", key: secret).status == 401)
    }

    @Test("a backup taken while the service runs opens as a service with the same books")
    func backup() throws {
        let stage = try used()
        let service = stage.service
        defer { service.stop() }
        let folder = service.folder.appending(path: "copy")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appending(path: "test.db").path
        let answer = try client(service).post("/daemon/backup", ["path": .string(path)])
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        let head = try service.get("/v1/ledger/head")
        _ = try stage.qualified("later")
        let copy = try TestService(folder: folder, clock: service.clock)
        defer { copy.stop() }
        #expect(try copy.get("/v1/ledger/head").json == head.json)
        #expect(try copy.get("/v1/ledger/verify")["sound"] == true)
        #expect(try copy.list("/v1/leads?limit=100").count == 2)
    }

    @Test("a backup never overwrites a file")
    func backupKeepsFiles() throws {
        let service = try TestService()
        defer { service.stop() }
        let path = service.folder.appending(path: "precious.txt")
        try Data("precious".utf8).write(to: path)
        let answer = try client(service).post("/daemon/backup", ["path": .string(path.path)])
        #expect(answer.status >= 400)
        #expect(try Data(contentsOf: path) == Data("precious".utf8))
        // The one place for maintenance is free again.
        #expect(try client(service).post("/daemon/verify", [:]).status == 200)
    }

    @Test("verify through the socket proves file and ledger and gives the head")
    func verify() throws {
        let stage = try used()
        defer { stage.service.stop() }
        let answer = try client(stage.service).post("/daemon/verify", [:])
        #expect(answer.status == 200)
        let proof = Proof(answer.json)
        #expect(proof.faults.isEmpty)
        #expect(proof.rewards == 2)
        let head = try stage.service.get("/v1/ledger/head")
        let sequence = try #require(head.json["sequence"]?.integerValue)
        let hash = try #require(head.json["hash"]?.stringValue)
        #expect(proof.head == "\(sequence):\(hash)")
        #expect(proof.text.hasPrefix("ok: \(proof.transactions) ledger transactions"))
    }

    @Test("once the service has stopped nobody answers at the socket, and the command works alone")
    func commandsAfterStop() throws {
        let stage = try used()
        let configuration = stage.service.service.app.configuration
        stage.service.stop(keepingFiles: true)
        defer { try? FileManager.default.removeItem(at: stage.service.folder) }
        #expect(!DaemonClient(path: configuration.socketPath).isAnswered)
        let proof = try Maintenance.withDatabase(configuration) { try Proof.of($0.makeReader()) }
        #expect(proof.faults.isEmpty)
        #expect(proof.rewards == 2)
    }
}

/// The text format 0.0.4, taken apart strictly.
struct ParsedExposition {
    struct Sample {
        let family: String
        let name: String
        let labels: String
        let value: Double
    }

    private(set) var families: [(name: String, kind: String)] = []
    private(set) var samples: [Sample] = []

    init(_ text: String) throws {
        #expect(text.hasSuffix("\n"))
        var help: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            if let match = line.wholeMatch(of: /# HELP ([a-z_]+) \S.*/) {
                help = String(match.1)
            } else if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) ([a-z]+)/) {
                let name = String(match.1)
                #expect(help == name)
                #expect(!families.contains { $0.name == name }, "\(name) comes twice")
                families.append((name, String(match.2)))
            } else {
                let match = try #require(
                    line.wholeMatch(of: /([a-z_]+)(\{.*\})? (\S+)/), "\(line)")
                let value = try #require(Double(match.3), "\(line)")
                samples.append(
                    Sample(
                        family: families.last?.name ?? "", name: String(match.1),
                        labels: match.2.map(String.init) ?? "", value: value))
            }
        }
    }

    /// The family that a sample of this name belongs to.
    func family(of name: String) -> String {
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            let base = String(name.dropLast(suffix.count))
            if families.contains(where: { $0.name == base && $0.kind == "histogram" }) {
                return base
            }
        }
        return name
    }

    func value(_ name: String, _ labels: String) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }
}
