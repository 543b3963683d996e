import Database
import Foundation
import Glibc
import JSON
import Testing

@testable import App

/// The commands and settings by which an operator looks after the service.
struct OperatorCommandTests {
    private func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "referrald-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private func run(_ words: String...) -> Int32 { Referrald.run(words, environment: [:]) }

    @Test("keys create makes no database unless it is told to, and never over remains")
    func keysCreate() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "r.db").path
        let words = ["keys", "create", "--name", "first", "--database", path]
        #expect(Referrald.run(words, environment: [:]) == 1)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(Referrald.run(words + ["--init"], environment: [:]) == 0)
        #expect(Referrald.run(words, environment: [:]) == 0)
        try FileManager.default.removeItem(atPath: path)
        try Data("x".utf8).write(to: URL(fileURLWithPath: path + ".signing-key"))
        #expect(Referrald.run(words + ["--init"], environment: [:]) == 1)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("serve makes no database beside the key of a lost one, and takes up no new key for it")
    func lostDatabase() throws {
        let first = try TestService()
        first.stop(keepingFiles: true)
        let path = first.folder.appending(path: "test.db").path
        let key = try Data(contentsOf: URL(fileURLWithPath: path + ".signing-key"))
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: OpeningRefusal.self) { try TestService(folder: first.folder) }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".signing-key")) == key)
        try? FileManager.default.removeItem(at: first.folder)
    }

    @Test("a backup is kept by its time, old ones go, and the metric tells of the last good one")
    func backups() throws {
        let service = try TestService()
        defer { service.stop() }
        let before = try ParsedExposition(service.get("/metrics").text)
        #expect(before.value("referrald_backup_last_success_timestamp_seconds", "") == 0)
        let database = service.folder.appending(path: "test.db").path
        let kept = service.folder.appending(path: "kept")
        try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
        for name in [
            "referrald-20250101T000000Z.db", "referrald-20250102T000000Z.db",
            "referrald-20250103T000000Z.db", "referrald-notes.db", "other.db",
        ] {
            try Data("x".utf8).write(to: kept.appending(path: name))
        }
        #expect(run("backup", "--dir", kept.path, "--keep", "2", "--database", database) == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: kept.path).sorted()
        #expect(names.count == 4, "\(names)")
        #expect(names.contains("referrald-20250103T000000Z.db"))
        #expect(names.contains("referrald-notes.db") && names.contains("other.db"))
        let after = try ParsedExposition(service.get("/metrics").text)
        let last = try #require(after.value("referrald_backup_last_success_timestamp_seconds", ""))
        #expect(last > 1_600_000_000)
        // Wrong usage.
        #expect(run("backup", "--database", database) == 2)
        #expect(run("backup", "x", "--dir", kept.path, "--database", database) == 2)
        #expect(run("backup", "x", "--keep", "2", "--database", database) == 2)
        #expect(run("backup", "--dir", kept.path, "--keep", "0", "--database", database) == 2)
    }

    @Test("a backup that cannot be written is the caller's matter, and no server error")
    func refusedBackups() throws {
        let service = try TestService()
        defer { service.stop() }
        let client = DaemonClient(path: service.folder.appending(path: "test.db.sock").path)
        let there = service.folder.appending(path: "there").path
        #expect(try client.post("/daemon/backup", ["path": .string(there)]).status == 200)
        let again = try client.post("/daemon/backup", ["path": .string(there)])
        #expect(again.status == 409)
        #expect(again.json["code"]?.stringValue == "target_exists")
        let nowhere = try client.post(
            "/daemon/backup", ["path": .string(there + "/no/such/place")])
        #expect(nowhere.status == 422)
        #expect(nowhere.json["code"]?.stringValue == "backup_failed")
    }

    @Test("verify reads a copy that only another user may write to, and leaves nothing beside it")
    func verifyCopy() throws {
        let service = try TestService()
        defer { service.stop() }
        let database = service.folder.appending(path: "test.db").path
        let audit = service.folder.appending(path: "audit")
        try FileManager.default.createDirectory(at: audit, withIntermediateDirectories: true)
        let copy = audit.appending(path: "copy.db").path
        #expect(run("backup", copy, "--database", database) == 0)
        chmod(copy, 0o444)
        chmod(audit.path, 0o555)
        #expect(run("verify", "--database", copy) == 0)
        chmod(audit.path, 0o755)
        #expect(try FileManager.default.contentsOfDirectory(atPath: audit.path) == ["copy.db"])
        #expect(run("verify", "--database", audit.path + "/none.db") == 1)
    }

    @Test("an unknown variable is told with the setting that it is nearest to")
    func nearestVariable() {
        let cases = [
            ("REFERRALD_TRUSTED_PROXY", "REFERRALD_TRUSTED_PROXIES"),
            ("REFERRALD_PUBLIC_URI", "REFERRALD_PUBLIC_URL"),
            ("REFERRALD_LISTENS", "REFERRALD_LISTEN"),
            ("REFERRALD_DATABSE", "REFERRALD_DATABASE"),
            ("REFERRALD_ADMINKEY", "REFERRALD_ADMIN_KEY"),
        ]
        for (wrong, right) in cases {
            let warnings = UnknownVariables.warnings([wrong: "x"])
            #expect(
                warnings == [
                    "\(wrong) is not a setting of this version; did you mean \(right)?"
                ])
        }
        #expect(
            UnknownVariables.warnings(["REFERRALD_KUBERNETES_PORT": "x"]) == [
                "REFERRALD_KUBERNETES_PORT is not a setting of this version"
            ])
        #expect(UnknownVariables.warnings(["PATH": "/", "REFERRALD_LISTEN": "x"]) == [])
    }

    @Test("links that nobody can follow are warned of; others are not")
    func publicURL() throws {
        for (listen, url, isWarned) in [
            ("0.0.0.0:8080", "", true), ("[::]:8080", "", true), ("127.0.0.1:8080", "", false),
            ("0.0.0.0:8080", "https://go.example.com", false),
        ] {
            let configuration = try Configuration(
                flags: ["--listen": listen, "--public-url": url], environment: [:])
            #expect((configuration.publicURLWarning != nil) == isWarned, "\(listen) \(url)")
            #expect(configuration.warnings.count == (isWarned ? 1 : 0))
            let effective = Dictionary(
                uniqueKeysWithValues: configuration.effective.map { ($0.name, $0.value) })
            #expect(effective["REFERRALD_SIGNING_KEY_FILE"] == "referrald.db.signing-key")
            #expect(effective["REFERRALD_PUBLIC_URL"]?.hasPrefix("http") == true)
        }
        let service = try TestService(flags: ["--listen": "0.0.0.0:0"])
        defer { service.stop() }
        let ready = try service.get("/readyz")
        #expect(ready.status == 200)
        #expect(ready["warnings.0"]?.stringValue?.contains("REFERRALD_PUBLIC_URL") == true)
    }

    @Test("wrong usage is one line that says where to read more")
    func usage() {
        #expect(run("keys") == 2)
        #expect(run("no-such-command") == 2)
        #expect(run("serve", "--init=yes") == 2)
        #expect(run("check-config", "--connections-per-address", "many") == 78)
        #expect(run("check-config", "--log-level", "loud") == 78)
        #expect(run("check-config", "--free-mail-file", "/no/such/file") == 78)
    }

    @Test("a proxy that is set up wrongly is counted: no header, or a second hop without trust")
    func proxies() throws {
        let service = try TestService(flags: ["--public-url": "https://go.example.com"])
        defer { service.stop() }
        _ = try JourneyTests.Stage(service)
        func visit(_ forwarded: String?) throws {
            var headers = [("User-Agent", "Firefox")]
            if let forwarded { headers.append(("X-Forwarded-For", forwarded)) }
            _ = try service.raw("GET", "/r/ada", headers: headers)
        }
        for forwarded in [nil, "203.0.113.1", "203.0.113.1, 198.51.100.7", "10.0.0.1, 127.0.0.1"] {
            try visit(forwarded)
        }
        let exposition = try ParsedExposition(service.get("/metrics").text)
        #expect(exposition.value("referrald_forwarded_missing_total", "") == 1)
        #expect(exposition.value("referrald_forwarded_untrusted_hop_total", "") == 1)
        #expect(exposition.value("referrald_forwarded_ignored_total", "") == 0)
    }

    @Test("a visitor who is turned away reads plain words and keeps what was typed")
    func turnedAway() throws {
        let service = try TestService(flags: ["--form-posts": "1"])
        defer { service.stop() }
        let stage = try JourneyTests.Stage(service)
        let fields = [("email", "sam@buyer.example"), ("note", "We need <two> seats")]
        #expect(try service.postForm(stage.program, fields).status == 303)
        let second = try service.postForm(
            stage.program, [("email", "kim@buyer.example"), ("note", "Call <me>")])
        #expect(second.status == 429)
        #expect(second.text.contains("kim@buyer.example"))
        #expect(second.text.contains("Call &lt;me&gt;"))
        #expect(second.text.contains("again in 10 minutes"))
        let foreign = try service.postForm(
            stage.program, fields, headers: [("Origin", "https://evil.example")])
        #expect(foreign.status == 403)
        #expect(foreign.text.contains("sam@buyer.example"))
    }
}
