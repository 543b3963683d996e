import Database
import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// Drives the API with `KeyTable`.
struct KeyTableTests {
    @Test("what comes again under a key is answered as the table says", arguments: KeyProbe.all)
    func keys(name: String) throws {
        let stage = try KeyProbe(name)
        defer { stage.scene.service.stop() }
        let found = try stage.row()
        let row = KeyTable.keys.first { $0.name == name }
        #expect(row == found, "the service answers:\n\(found.source)")
    }

    @Test("an action that comes again is answered as the table says", arguments: ActionRow.all)
    func actions(row: ActionRow) throws {
        let found = try ActionProbe(row).found()
        #expect(row == found, "the service answers:\n\(found.text)")
    }

    @Test("every action of the API has its row")
    func everyAction() {
        let actions = RouteTable.all.endpoints.filter {
            $0.method == .post && $0.path.hasPrefix("/v1/") && $0.path.contains("}/")
        }.map { ActionRow.name($0.path) }
        #expect(Set(actions) == Set(ActionRow.all.map(\.name)))
    }

    /// Unique for the service's own reasons: no sender gives these.
    private static let own: Set<String> = [
        "api_keys(secret_hash)", "program_terms(program_id,version)", "receipts(registration_id)",
        "ledger_accounts(program_id,kind,currency)",
        "ledger_accounts(participant_id,kind,currency)", "reward_clocks(reward_id,promise)",
        "first_come_places(offer_id,customer_id)", "first_come_places(offer_id,lead_id)",
        "referral_counts(lead_id,event,participant_id)",
        "referral_counts(conversion_id,event,participant_id)",
        "payout_runs(program_id,kind,period)",
        "rewards(conversion_id,rule_id,participant_id,attribution_id)",
        "rewards(lead_id,rule_id,participant_id)", "benefits(conversion_id,rule_id)",
        "benefits(lead_id,rule_id)", "payouts(run_id,participant_id)",
    ]

    @Test("every name that the database keeps unique has its row")
    func everyKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let reader = try service.service.app.database.makeReader()
        let unique = try reader.all(
            """
            SELECT tables.name || '(' || group_concat(columns.name) || ')'
            FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS indexes,
                pragma_index_info(indexes.name) AS columns
            WHERE tables.type = 'table' AND indexes."unique" = 1 AND indexes.origin <> 'pk'
            GROUP BY tables.name, indexes.name
            """
        ) { try $0.text(0) }.filter { !$0.hasSuffix("(id)") }
        let named = Set(KeyProbe.columns.values.flatMap { $0 })
        for index in unique {
            #expect(named.contains(index) || Self.own.contains(index), "\(index)")
        }
    }
}
