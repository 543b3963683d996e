import Attribution
import Database
import LeadRegistration
import Model
import Programs
import ReferralLinks
import RewardLedger

/// The words that rows are kept with, and that this version knows. A row with another word is read
/// as far as may be; `verify` names it.
enum StoredWords {
    private struct Column: Sendable {
        let table: StaticString
        let query: StaticString
        let isKnown: @Sendable (String) -> Bool
    }

    private static func column<Word: RawRepresentable<String> & Sendable>(
        _ table: StaticString, _ query: StaticString, _ type: Word.Type
    ) -> Column {
        Column(table: table, query: query) { Word(rawValue: $0) != nil }
    }

    private static func currency(_ table: StaticString, _ query: StaticString) -> Column {
        Column(table: table, query: query) { Currency(stored: $0) != nil }
    }

    private static let columns: [Column] = [
        column("programs.kind", "SELECT DISTINCT kind FROM programs", Program.Kind.self),
        column("programs.state", "SELECT DISTINCT state FROM programs", Program.State.self),
        currency("programs.currency", "SELECT DISTINCT currency FROM programs"),
        column(
            "accounts.relation", "SELECT DISTINCT relation FROM accounts", Account.Relation.self),
        column("links.channel", "SELECT DISTINCT channel FROM links", Link.Channel.self),
        column(
            "disputes.opened_by", "SELECT DISTINCT opened_by FROM disputes", Dispute.Opener.self),
        column("campaigns.state", "SELECT DISTINCT state FROM campaigns", Campaign.State.self),
        column("benefits.kind", "SELECT DISTINCT kind FROM benefits", RewardRule.Kind.self),
        column(
            "benefits.trigger", "SELECT DISTINCT trigger_name FROM benefits",
            RewardRule.TriggerName.self),
        column(
            "catalog_items.kind", "SELECT DISTINCT kind FROM catalog_items", CatalogItem.Kind.self),
        column(
            "catalog_items.state", "SELECT DISTINCT state FROM catalog_items",
            CatalogItem.State.self),
        column(
            "redemptions.kind", "SELECT DISTINCT kind FROM redemptions", CatalogItem.Kind.self),
        column("payout_runs.kind", "SELECT DISTINCT kind FROM payout_runs", Payout.Kind.self),
        currency("payout_runs.currency", "SELECT DISTINCT currency FROM payout_runs"),
        currency("refunds.currency", "SELECT DISTINCT currency FROM refunds"),
        column("api_keys.kind", "SELECT DISTINCT kind FROM api_keys", APIKey.Kind.self),
        column(
            "attributions.model", "SELECT DISTINCT model FROM attributions", AttributionModel.self),
        column(
            "attributions.cause", "SELECT DISTINCT cause FROM attributions",
            Attribution.Cause.self),
        column(
            "participants.kind", "SELECT DISTINCT kind FROM participants", Participant.Kind.self),
        column(
            "participants.state", "SELECT DISTINCT state FROM participants",
            Participant.State.self),
        column("links.state", "SELECT DISTINCT state FROM links", Link.State.self),
        column("leads.state", "SELECT DISTINCT state FROM leads", Lead.State.self),
        column("leads.source", "SELECT DISTINCT source FROM leads", Lead.Source.self),
        column("lead_clocks.kind", "SELECT DISTINCT kind FROM lead_clocks", LeadClock.Kind.self),
        column(
            "registrations.state", "SELECT DISTINCT state FROM registrations",
            Registration.State.self),
        column("disputes.state", "SELECT DISTINCT state FROM disputes", Dispute.State.self),
        column(
            "touchpoints.source", "SELECT DISTINCT source FROM touchpoints", TouchSource.self),
        column("touchpoints.kind", "SELECT DISTINCT kind FROM touchpoints", Touchpoint.Kind.self),
        column("conversions.kind", "SELECT DISTINCT kind FROM conversions", Conversion.Kind.self),
        currency("conversions.currency", "SELECT DISTINCT currency FROM conversions"),
        column("refunds.kind", "SELECT DISTINCT kind FROM refunds", Refund.Kind.self),
        column(
            "attributions.reason", "SELECT DISTINCT reason FROM attributions",
            AttributionReason.self),
        column(
            "reward_rules.state", "SELECT DISTINCT state FROM reward_rules",
            RewardRule.State.self),
        column("rewards.kind", "SELECT DISTINCT kind FROM rewards", RewardRule.Kind.self),
        column("rewards.state", "SELECT DISTINCT state FROM rewards", Reward.State.self),
        column(
            "rewards.trigger", "SELECT DISTINCT trigger_name FROM rewards",
            RewardRule.TriggerName.self),
        currency("rewards.currency", "SELECT DISTINCT currency FROM rewards"),
        column("benefits.state", "SELECT DISTINCT state FROM benefits", Benefit.State.self),
        column(
            "reward_clocks.promise", "SELECT DISTINCT promise FROM reward_clocks",
            RewardClock.Promise.self),
        column("payouts.kind", "SELECT DISTINCT kind FROM payouts", Payout.Kind.self),
        column("payouts.state", "SELECT DISTINCT state FROM payouts", Payout.State.self),
        currency("payouts.currency", "SELECT DISTINCT currency FROM payouts"),
        column("payout_runs.state", "SELECT DISTINCT state FROM payout_runs", PayoutRun.State.self),
        column(
            "ledger_accounts.kind", "SELECT DISTINCT kind FROM ledger_accounts",
            LedgerAccount.Kind.self),
        currency("ledger_accounts.currency", "SELECT DISTINCT currency FROM ledger_accounts"),
        column(
            "redemptions.state", "SELECT DISTINCT state FROM redemptions", Redemption.State.self),
    ]

    /// A sentence for each word that is not known.
    static func unknown(_ reader: Reader) throws -> [String] {
        try columns.flatMap { column in
            try reader.all(Query(column.query)) { try $0.optionalText(0) }
                .compactMap { $0 }
                .filter { !column.isKnown($0) }
                .map {
                    "\(column.table) holds \"\($0.prefix(60))\", which this version does not know"
                }
        }
    }
}
