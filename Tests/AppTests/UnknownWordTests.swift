import Foundation
import HTTP
import JSON
import Testing

@testable import App
@testable import Database

/// A word that this version does not know stands in each column of text in turn, of every table
/// that the migrations make: no list, feed, export, report or metric is thrown away by it.
struct UnknownWordTests {
    private struct Column {
        let table: String
        let name: String
        var text: String { "\(table).\(name)" }
    }

    @Test("an unknown word in any column throws no list, feed, export or metric away")
    func everyColumn() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try fill(scene)
        let service = scene.service
        let database = service.service.app.database
        let targets =
            RouteTable.all.endpoints.filter {
                $0.method == .get && $0.path.hasPrefix("/v1/")
                    && (!$0.path.contains("{")
                        || $0.path.hasPrefix("/v1/programs/{id}/")
                            && !$0.path.contains("{rule_id}"))
            }.map { $0.path.replacingOccurrences(of: "{id}", with: scene.program) }
            .filter { !$0.contains("{") } + ["/metrics"]
        var healthy: Set<String> = []
        for target in targets where try service.get(target).status == 200 {
            healthy.insert(target)
        }
        #expect(healthy.count > 30, "\(healthy)")
        var thrown: [String: [String]] = [:]
        var unnamed: [String] = []
        for column in try columns(database) {
            guard let old = try set(column, nil, database) else { continue }
            let isDocument = ["{", "["].contains(old.prefix(1))
            let before = UnreadableRows.count
            for target in targets where healthy.contains(target) {
                // The object that the path names cannot be read: no list is asked.
                if column.table == "programs" && target.contains(scene.program) { continue }
                let answer = try TestConnection.exchange(
                    port: service.port, method: "GET", target: target,
                    headers: [("Authorization", "Bearer \(service.key)")], body: nil)
                if answer.status >= 500 || isCut(answer) {
                    thrown[column.text, default: []].append("\(target) \(answer.status)")
                }
            }
            if UnreadableRows.count > before, !isDocument, column.name != "email",
                try StoredWords.unknown(database.makeReader()).isEmpty
            {
                unnamed.append(column.text)
            }
            _ = try set(column, old, database)
        }
        #expect(thrown.isEmpty, "\(thrown.map { "\($0): \($1)" }.joined(separator: "\n"))")
        #expect(unnamed.isEmpty, "verify does not name: \(unnamed)")
    }

    private func isCut(_ answer: TestAnswer) -> Bool {
        answer.header("content-type")?.hasPrefix("application/json") == true && answer.json.isEmpty
    }

    /// A row of as many tables as a short life of a program fills.
    private func fill(_ scene: Scene) throws {
        let service = scene.service
        let rules = "/v1/programs/\(scene.program)/reward_rules"
        for rule: JSONValue in [
            ["trigger": "lead.submitted", "kind": "perk", "description": "A mug"],
            ["trigger": "purchase", "kind": "points", "points": 1_000],
        ] { _ = try service.make(rules, rule) }
        _ = try JourneyTests.click(service, "ada")
        let lead = try scene.lead(scene.ada, "sam@buyer.example")
        for action in ["qualify", "advance", "win"] {
            #expect(try service.post("/v1/leads/\(lead)/\(action)").status == 200)
        }
        let sale = try scene.sale(scene.ada, "s1")
        let refund = try service.make(
            "/v1/conversions/\(sale.id())/refund",
            ["external_id": "r1", "amount": MoneyStage.usd(100)])
        #expect(
            try service.post(
                "/v1/refunds/\(refund)/reverse", ["external_id": "b", "kind": "mistake"]
            ).status == 201)
        let payout = try scene.payout(scene.ada, "p1")
        for action in ["submit", "confirm"] {
            #expect(try service.post("/v1/payouts/\(payout)/\(action)").status == 200)
        }
        let item = try Scene.catalogItem(service, in: scene.program)
        _ = try service.make(
            "/v1/redemptions",
            ["participant_id": .string(scene.ada.id), "item_id": .string(item)])
        let account: JSONValue = ["domain": "contested.example"]
        for partner in [scene.ada, scene.ben] {
            let claim = try service.post(
                "/v1/registrations",
                ["participant_id": .string(partner.id), "account": account])
            guard claim.status == 409, let id = claim["registration_id"] else { continue }
            _ = try service.make(
                "/v1/disputes", ["registration_id": id, "reason": "We were first."])
        }
        _ = try service.make("/v1/accounts", ["domain": "known.example", "relation": "customer"])
        let program = "/v1/programs/\(scene.program)"
        _ = try service.make(program + "/payout_runs", ["reference": "run"])
        _ = try service.make(
            program + "/campaigns",
            [
                "name": "Double", "starts_at": "2099-01-01T00:00:00Z",
                "ends_at": "2099-02-01T00:00:00Z", "multiplier_basis_points": 20_000,
            ])
        _ = try service.post("/v1/customers/bulk", ["items": [["email": "k@known.example"]]])
        service.clock.advance(days: 1)
        try scene.sale(scene.ada, "s2")
    }

    private func columns(_ database: Database) throws -> [Column] {
        try database.perform { tx in
            try tx.run("PRAGMA ignore_check_constraints = ON")
            let triggers = try tx.all("SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
                try $0.text(0)
            }
            for trigger in triggers {
                try tx.connection.statement(text: "DROP TRIGGER \(trigger)").run([]) {
                    try $0.finish()
                }
            }
            return try tx.all(
                """
                SELECT tables.name, columns.name
                FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
                WHERE tables.type = 'table' AND columns.type = 'TEXT' AND columns.pk = 0
                    AND tables.name NOT LIKE 'sqlite%' AND EXISTS (
                        SELECT 1 FROM pragma_table_info(tables.name) WHERE name = 'seq')
                ORDER BY tables.name, columns.cid
                """
            ) { Column(table: try $0.text(0), name: try $0.text(1)) }
        }
    }

    /// A word, or a document with nothing in it that is known.
    private static func unknown(in old: String) -> String {
        switch old.first {
        case "{": #"{"of_another_version": "of_another_version"}"#
        case "[": #"[{"of_another_version": "of_another_version"}]"#
        default: "of_another_version"
        }
    }

    /// Puts `value`, else an unknown word, into the oldest row; returns what was there, nil if
    /// there is nothing.
    private func set(_ column: Column, _ value: String?, _ database: Database) throws -> String? {
        let place = "WHERE seq = (SELECT min(seq) FROM \(column.table))"
        return try database.perform { tx in
            let old = try tx.connection.statement(
                text: "SELECT \(column.name) FROM \(column.table) \(place)"
            ).run([]) { statement in
                try statement.step()
                    ? Row(statement: statement.handle).optionalText(0) : nil
            }
            guard let old else { return nil }
            try tx.connection.statement(
                text: "UPDATE \(column.table) SET \(column.name) = ? \(place)"
            ).run([value ?? Self.unknown(in: old)]) { try $0.finish() }
            return old
        }
    }
}
