import Database
import Foundation
import Testing

@testable import App

/// Tables of any length, sent in slices.
struct ExportTests {
    @Test("an export of many slices has every row once, oldest first, and is never built whole")
    func manySlices() throws {
        let stage = try PayoutRunTests.Stage(people: 1)
        defer { stage.service.stop() }
        try stage.sale(0, "a", 10_000)
        let run = try stage.finished("november")
        try stage.service.service.app.database.perform { tx in
            try tx.run(
                """
                WITH RECURSIVE numbers (n) AS (
                    SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
                INSERT INTO payouts (
                    id, program_id, participant_id, reference, state, currency, rewards_amount,
                    clawback_amount, amount, paid_amount, reward_count, version, created_at,
                    updated_at, kind, returned_amount, settled_amount)
                SELECT randomblob(16), program_id, participant_id, 'copy-' || n, 'cancelled',
                    currency, rewards_amount, clawback_amount, amount, paid_amount, reward_count,
                    version, created_at, updated_at, kind, 0, 0
                FROM payouts, numbers ORDER BY n
                """)
        }
        let answer = try stage.service.get("/v1/payouts.csv")
        #expect(answer.status == 200)
        #expect(answer.header("transfer-encoding") == "chunked")
        #expect(answer.header("content-length") == nil)
        let rows = answer.text.components(separatedBy: "\r\n").dropLast()
        #expect(rows.count == 2502)
        let references = rows.dropFirst(2).map { $0.split(separator: ",")[1] }
        #expect(references == (1...2500).map { "copy-\($0)" })
        // Short ones say how long they are.
        let short = try stage.service.get("/v1/payouts.csv?payout_run_id=\(run.id())")
        #expect(short.header("content-length") == String(short.body.count))
        #expect(short.text.components(separatedBy: "\r\n").count == 3)
    }

    @Test("what an export is refused for comes as a problem, not as a broken file")
    func refusal() throws {
        let stage = try PayoutRunTests.Stage(people: 0)
        defer { stage.service.stop() }
        let unknown = "payout_run_01h2xcejqtf2nbrexx3vqjhp41"
        let answer = try stage.service.get("/v1/payout_runs/\(unknown)/payouts.csv")
        #expect([400, 404].contains(answer.status))
        #expect(answer.header("content-type") == "application/problem+json")
    }
}
