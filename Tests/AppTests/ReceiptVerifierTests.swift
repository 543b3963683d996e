import Database
import Foundation
import JSON
import LeadRegistration
import Testing

@testable import App

/// Receipts against the claims that they prove, and against a head that somebody kept.
struct ReceiptVerifierTests {
    typealias Deals = RegistrationTests.Deals

    private static let changes: [(sql: [StaticString], words: String)] = [
        (
            [
                """
                UPDATE registrations SET
                    participant_id = (SELECT id FROM participants ORDER BY seq DESC LIMIT 1)
                WHERE seq = 2
                """
            ], "participant"
        ),
        (["UPDATE registrations SET program_version = 9 WHERE seq = 2"], "version"),
        (["UPDATE registrations SET window_ends_at = 1 WHERE seq = 2"], "window"),
        (["UPDATE registrations SET protected_until_latest = 1 WHERE seq = 2"], "protection"),
        (["UPDATE registrations SET created_at = created_at - 1 WHERE seq = 2"], "time"),
        (
            [
                "UPDATE registrations SET seq = 9 WHERE seq = 2",
                "UPDATE account_claims SET registration_seq = 9 WHERE registration_seq = 2",
            ], "earlier claim"
        ),
        (["UPDATE registrations SET account_domain = 'a.example' WHERE seq = 2"], "account"),
        (["UPDATE registrations SET account_normalized = 'domain=' WHERE seq = 2"], "account"),
        (["UPDATE registrations SET account_country = 'FR' WHERE seq = 2"], "account"),
        (["DELETE FROM receipts WHERE seq = 3"], "has no receipt"),
        (["UPDATE registrations SET state = 'lost' WHERE state = 'refused'"], "has no receipt"),
    ]

    @Test("a claim that its receipt does not prove is named", arguments: changes.indices)
    func changed(row: Int) throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        for index in 1...3 { _ = try deals.register(deals.ada, "firm-\(index).example") }
        #expect(try deals.register(deals.ben, "firm-1.example").status == 409)
        let database = deals.service.service.app.database
        #expect(try ReceiptVerifier.verify(database.makeReader()).faults.isEmpty)
        let change = Self.changes[row]
        try database.perform { tx in
            try tx.run("PRAGMA defer_foreign_keys = ON")
            try tx.run("DROP TRIGGER receipts_are_not_deleted")
            for sql in change.sql { try tx.run(sql) }
        }
        let found = try ReceiptVerifier.verify(database.makeReader()).faults
        #expect(found.first?.contains(change.words) == true, "\(found)")
    }

    @Test("a claim that a ruling accepts late agrees with its receipt")
    func ruled() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        _ = try deals.register(deals.ada, "acme.example")
        let refused = try #require(try deals.register(deals.ben, "acme.example")["registration_id"])
        _ = try deals.register(deals.ada, "other.example")
        deals.service.clock.advance(hours: 1)
        let dispute = try deals.service.make(
            "/v1/disputes", ["registration_id": refused, "reason": "We were first."])
        _ = try deals.service.post(
            "/v1/disputes/\(dispute)/resolve", ["decision": "transfer", "reason": "They were."])
        let reader = try deals.service.service.app.database.makeReader()
        let (count, faults) = try ReceiptVerifier.verify(reader)
        #expect(count == 3)
        #expect(faults.isEmpty, "\(faults)")
    }

    @Test("verify accepts a kept head of receipts, and fails for one that is not in the chain")
    func keptHead() throws {
        let deals = try Deals()
        defer { try? FileManager.default.removeItem(at: deals.service.folder) }
        _ = try deals.register(deals.ada, "acme.example")
        let head = try deals.service.get("/v1/registrations/head")
        let hash = try #require(head["hash"]?.stringValue)
        _ = try deals.register(deals.ada, "other.example")
        let file = deals.service.folder.appending(path: "head.json")
        try Data(head.body).write(to: file)
        let settings = ["--database", deals.service.folder.appending(path: "test.db").path]
        func verify(_ kept: String) -> Int32 {
            Referrald.run(["verify", "--receipts-head", kept] + settings, environment: [:])
        }
        // Through the running daemon, then on the file itself.
        for isRunning in [true, false] {
            #expect(verify("1:\(hash)") == 0)
            #expect(verify(file.path) == 0)
            #expect(verify("2:\(hash)") == 1)
            #expect(verify("7:\(hash)") == 1)
            #expect(verify("nonsense") == 2)
            if isRunning { deals.service.stop(keepingFiles: true) }
        }
    }
}
