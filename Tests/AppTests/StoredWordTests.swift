import Database
import Foundation
import JSON
import Testing

@testable import App

/// Words in stored rows that a reader does not know take no list, feed or metric with them.
struct StoredWordTests {
    @Test("an overdue points reward leaves the metrics and every list readable")
    func overduePoints() throws {
        let stage = try MoneyStage(
            holdDays: 1, rules: [["trigger": "lead.qualified", "kind": "points", "points": 5]])
        defer { stage.service.stop() }
        _ = try stage.qualified("sam")
        stage.service.clock.advance(days: 30)
        let metrics = try stage.service.get("/metrics")
        #expect(metrics.status == 200)
        #expect(metrics.text.contains("referrald_rewards_overdue{promise=\"credit\"} 1"))
        #expect(
            !metrics.text.split(separator: "\n").contains {
                $0.hasPrefix("referrald_metrics_collector_failures_total{") && !$0.hasSuffix(" 0")
            })
        #expect(try stage.service.get("/v1/rewards/overdue").status == 200)
    }

    @Test("an unknown word costs one row of a list, and no metric; verify names it")
    func unknownWord() throws {
        let stage = try PayoutRunTests.Stage(people: 2)
        defer { stage.service.stop() }
        for person in 0..<2 { try stage.sale(person, "s\(person)", 10_000) }
        let run = try stage.finished("november")
        let database = stage.service.service.app.database
        try database.perform { tx in
            try tx.run("UPDATE payouts SET currency = 'QQQ' WHERE seq = 1")
            try tx.run("UPDATE leads SET source = source WHERE seq = 1")
        }
        let list = try stage.service.get("/v1/payouts")
        #expect(list.status == 200)
        #expect(list.json["data"]?.arrayValue?.count == 1)
        let export = try stage.service.get("/v1/payout_runs/\(run.id())/payouts.csv")
        #expect(export.status == 200)
        #expect(export.text.components(separatedBy: "\r\n").count == 3)
        let metrics = try stage.service.get("/metrics")
        #expect(metrics.status == 200)
        #expect(metrics.text.contains("referrald_ledger_imbalance 0"))
        #expect(!metrics.text.contains("referrald_unreadable_rows_total 0\n"))
        let words = try StoredWords.unknown(database.makeReader())
        #expect(
            words == ["payouts.currency holds \"QQQ\", which this version does not know"])
        // Nothing says that the disk is broken, for it is not.
        let first = try #require(list.json["data"]?.arrayValue?.first?.objectValue)
        #expect(first["amount"] != nil)
        #expect(
            !DatabaseFault(operation: "read a payout", code: DatabaseFault.corrupt).description
                .contains("malformed"))
    }

    @Test("a collector that fails is left out, counted and logged, and the others stay")
    func failingCollector() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        try stage.service.service.app.database.perform { tx in
            try tx.run("INSERT INTO counters (name, scope, value) VALUES ('rewards.x', x'', 1)")
            // What a collector reads is not there.
            try tx.run("DROP TABLE lead_clocks")
        }
        let metrics = try stage.service.get("/metrics")
        #expect(metrics.status == 200)
        #expect(!metrics.text.contains("referrald_lead_clocks_overdue"))
        #expect(metrics.text.contains("referrald_rewards{state=\"x\"} 1"))
        #expect(metrics.text.contains("referrald_events_head"))
        #expect(
            metrics.text.contains(
                "referrald_metrics_collector_failures_total{collector=\"lead_clocks\"} 1"))
    }
}
