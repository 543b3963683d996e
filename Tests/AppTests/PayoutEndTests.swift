import Foundation
import JSON
import Model
import Testing

@testable import App

/// Payouts that end in more than one way, over the real server: returned, paid after all, as a
/// whole run, by a file of results.
struct PayoutEndTests {
    private typealias Stage = PayoutRunTests.Stage

    private func paid(_ stage: Stage, _ person: Int, _ reference: String) throws -> String {
        let id = try stage.service.make(
            "/v1/payouts",
            [
                "participant_id": .string(stage.people[person]),
                "reference": .string(reference),
            ])
        try stage.service.post("/v1/payouts/\(id)/submit")
        #expect(try stage.service.post("/v1/payouts/\(id)/confirm")["status"] == "paid")
        return id
    }

    @discardableResult
    private func giveBack(_ stage: Stage, _ payout: String, _ body: JSONValue) throws -> TestAnswer
    {
        try stage.service.post("/v1/payouts/\(payout)/return", body)
    }

    // MARK: - Returns

    @Test(
        "money that comes back is available again, on the statement with its reason, and restated")
    func returned() throws {
        let stage = try Stage(people: 1)
        defer { stage.service.stop() }
        try stage.sale(0, "a", 10_000)
        let payout = try paid(stage, 0, "p")
        let back = try giveBack(stage, payout, ["reason": "account closed"])
        #expect(back.status == 200 && back["status"] == "returned", "\(back.text)")
        #expect(back["paid_amount.amount"] == 0 && back["returned_amount.amount"] == 1_000)
        let person = "/v1/participants/\(stage.people[0])"
        #expect(
            try PayoutWayTests.balance(stage.service, stage.people[0]) == ["available": 1_000])
        let lines = try stage.service.get(person + "/statement")["lines"]?.arrayValue
        let line = lines?.last?.objectValue
        #expect(line?["kind"] == "payout_returned" && line?["reason"] == "account closed")
        #expect(line?["description"]?.stringValue?.contains("came back (account closed)") == true)
        let table = try stage.service.get(person + "/statement.csv").text
        #expect(table.hasPrefix("id,reference,status,created_at,program_id,program_name,"))
        #expect(table.contains(",payout_returned,") && table.contains("account closed"))
        #expect(table.contains(",USD,1000,10.00,"), "\(table)")
        let page = try stage.service.get(person + "/statement.html").text
        #expect(page.contains("came back (account closed)"))
        let summary = try stage.service.get(person + "/summary")
        #expect(summary["paid_by_year.0.amount"] == 0)
        #expect(summary["paid_by_year.0.restated"] == true)
        let events = try stage.service.list("/v1/events?type=payout.returned")
        #expect(events.count == 1 && events[0]["reason"] == "account closed")
        try PayoutWayTests.expectSound(stage.service)
    }

    @Test("runs leave out whose payment came back until it is released or gives new details")
    func held() throws {
        let stage = try Stage(people: 2)
        defer { stage.service.stop() }
        for person in 0..<2 {
            try stage.sale(person, "s\(person)", 10_000)
            try giveBack(stage, paid(stage, person, "p\(person)"), ["reason": "closed"])
        }
        let first = try stage.finished("one")
        #expect(first["skipped"] == 2 && first["payout_count"] == 0)
        let events = try stage.service.list("/v1/events?type=payout_run.skipped")
        #expect(events.allSatisfy { $0["reason"] == "returned" } && events.count == 2)
        try stage.service.send(
            "PATCH", "/v1/participants/\(stage.people[0])",
            ["payout_account": "DE89370400440532013000"])
        let payout = try #require(
            try stage.service.list("/v1/payouts?participant_id=\(stage.people[1])").first?["id"]?
                .stringValue)
        let second = try stage.finished("two")
        #expect(second["skipped"] == 1 && second["payout_count"] == 1)
        #expect(try stage.service.post("/v1/payouts/\(payout)/release").status == 200)
        #expect(
            try stage.service.post("/v1/payouts/\(payout)/release").code == "nothing_to_release")
        #expect(try stage.finished("three")["payout_count"] == 1)
    }

    // MARK: - Runs

    @Test("a dry run of a run foresees what the run then comes to, and writes nothing")
    func foreseen() throws {
        let stage = try Stage(people: 40, payouts: ["minimum": 1_000])
        defer { stage.service.stop() }
        for person in 0..<40 {
            try stage.sale(person, "s\(person)", person % 4 == 0 ? 9_000 : 10_000)
        }
        try stage.service.post("/v1/participants/\(stage.people[1])/suspend")
        try giveBack(stage, paid(stage, 2, "p"), ["reason": "closed"])
        let before = try stage.service.get("/v1/events?limit=100").text
        let foreseen = try stage.service.send(
            "POST", "/v1/programs/\(stage.program)/payout_runs", ["reference": "november"],
            headers: [("Idempotency-Key", "november"), ("Dry-Run", "true")])
        #expect(foreseen.status == 201 && foreseen.header("dry-run") == "true")
        #expect(try stage.service.get("/v1/events?limit=100").text == before)
        #expect(try stage.service.list("/v1/payout_runs").isEmpty)
        let done = try stage.finished("november")
        for member in [
            "examined", "waiting", "skipped", "payout_count", "amount.amount",
            "drafted_amount.amount", "clawed_back.amount",
        ] {
            #expect(foreseen[member] == done[member], "\(member)")
        }
        let reasons = foreseen["left_out_participants"]?.arrayValue?.compactMap {
            $0.objectValue?["reason"]?.stringValue
        }
        #expect(reasons?.count { $0 == "below_minimum" } == 10)
        #expect(reasons?.count { $0 == "participant_suspended" } == 1)
        #expect(reasons?.count { $0 == "returned" } == 1)
        #expect(done["payout_count"] == 28)
    }

    @Test("a run of many payouts is submitted and confirmed as a whole, slice by slice, each once")
    func whole() throws {
        let stage = try Stage(people: 45)
        defer { stage.service.stop() }
        for person in 0..<45 { try stage.sale(person, "s\(person)", 10_000) }
        let run = try stage.finished("november").id()
        let path = "/v1/payout_runs/\(run)"
        let begun = try stage.service.post(path + "/submit", ["provider_reference": "batch"])
        #expect(begun.status == 200, "\(begun.text)")
        PayoutRunTests.runJobs(stage.service)
        let submitted = try stage.service.get(path)
        #expect(submitted["status"] == "done" && submitted["by_status.0.count"] == 45)
        #expect(submitted["by_status.0.status"] == "processing")
        try stage.service.post(path + "/confirm")
        PayoutRunTests.runJobs(stage.service)
        let confirmed = try stage.service.get(path)
        #expect(confirmed["paid_amount.amount"] == 45_000)
        #expect(confirmed["by_status.0.status"] == "paid")
        let events = try stage.service.list("/v1/events?type=payout.paid&limit=100")
        #expect(events.count == 45)
        try PayoutWayTests.expectSound(stage.service)
    }

    @Test("results of a run are taken from its own export with an outcome added")
    func results() throws {
        let stage = try Stage(people: 3, names: ["=cmd", "B;b", "C"])
        defer { stage.service.stop() }
        for person in 0..<3 { try stage.sale(person, "s\(person)", 10_000) }
        let run = try stage.finished("november").id()
        try stage.service.post("/v1/payout_runs/\(run)/submit")
        let export = try stage.service.get("/v1/payout_runs/\(run)/payouts.csv").text
        let lines = export.components(separatedBy: "\r\n").filter { !$0.isEmpty }
        let outcomes = ["outcome", "paid", "failed", "unknown"]
        let file = zip(lines, outcomes).map { "\($0),\($1)" }.joined(separator: "\r\n")
        let answer = try stage.service.sendBytes(
            "POST", "/v1/payout_runs/\(run)/results", Array(file.utf8),
            headers: [("Content-Type", "text/csv")])
        #expect(answer["applied"] == 3 && answer["refused"] == 0, "\(answer.text)")
        let again = try stage.service.sendBytes(
            "POST", "/v1/payout_runs/\(run)/results", Array(file.utf8),
            headers: [("Content-Type", "text/csv")])
        #expect(again["unchanged"] == 3)
        let statuses = try stage.payouts(of: stage.service.get("/v1/payout_runs/\(run)")).map {
            $0["status"]
        }
        #expect(statuses == ["paid", "failed", "unknown"])
        try PayoutWayTests.expectSound(stage.service)
    }

    // MARK: - Exports

    @Test("the journal of a month has every posting, and its trial balance comes to nothing")
    func journal() throws {
        let stage = try Stage(people: 2)
        defer { stage.service.stop() }
        try stage.sale(0, "a", 10_000)
        try stage.sale(1, "b", 20_000)
        _ = try paid(stage, 0, "november-ada")
        let month = CivilDay.text(stage.service.clock.clock.now().day).prefix(7)
        let text = try stage.service.get("/v1/ledger/journal.csv?month=\(month)").text
        let rows = text.components(separatedBy: "\r\n").filter { !$0.isEmpty }
            .map { $0.components(separatedBy: ",") }
        let names = rows[0]
        func sums(_ status: String) throws -> (debit: Int64, credit: Int64) {
            let place = try #require(names.firstIndex(of: "debit"))
            let chosen = rows.filter { $0[2] == status }
            #expect(!chosen.isEmpty)
            return (
                chosen.reduce(0) { $0 + (Int64($1[place]) ?? 0) },
                chosen.reduce(0) { $0 + (Int64($1[place + 1]) ?? 0) }
            )
        }
        for status in ["posted", "trial_balance"] {
            let (debit, credit) = try sums(status)
            #expect(debit == credit && debit > 0, "\(status)")
        }
        #expect(rows.contains { $0[1] == "november-ada" && $0.contains("paid_out") })
        let other = try stage.service.get("/v1/ledger/journal.csv?month=1999-01").text
        #expect(other.components(separatedBy: "\r\n").count == 2)
        #expect(try stage.service.get("/v1/ledger/journal.csv").status == 400)
    }
}
