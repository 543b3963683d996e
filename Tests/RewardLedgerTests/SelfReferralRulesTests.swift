import JSON
import Model
import Testing

@testable import RewardLedger

/// Who refers himself, as a table.
struct SelfReferralRulesTests {
    private typealias Rules = SelfReferralRules

    private static func identity(
        _ source: String, _ email: String?, _ domain: String?, _ account: String? = nil
    ) -> Rules.Identity {
        Rules.Identity(
            source: source, id: "id-of-\(source)", email: email.flatMap { EmailAddress($0) },
            domain: domain.flatMap { DomainName($0) }, account: account)
    }

    private static let participant = identity(
        "participant_id", "ada@acme.com", "acme.com", "account-1")

    @Test(
        "the mailbox, the account and the company's domain tell",
        arguments: [
            ("Ada+me@ACME.com", "acme.com", nil, ["email", "domain"]),
            ("ada@acme.com", nil, "account-1", ["email", "account"]),
            ("bob@acme.com", "acme.com", nil, ["domain"]),
            ("bob@other.example", "other.example", "account-1", ["account"]),
            ("bob@other.example", "other.example", "account-2", []),
            (nil, nil, nil, []),
        ] as [(String?, String?, String?, [String])])
    func signals(email: String?, domain: String?, account: String?, hits: [String]) {
        let flags = Rules.flags(
            participant: Self.participant,
            buyer: [Self.identity("lead_id", email, domain, account)],
            signals: Rules.Signal.allCases)
        #expect(flags.map { $0.evidence["signal"]?.stringValue } == hits)
        for flag in flags {
            #expect(flag.code == .selfReferral)
            #expect(flag.evidence["participant_id"] == "id-of-participant_id")
            #expect(flag.evidence["lead_id"] == "id-of-lead_id")
            #expect(RewardFlag(json: flag.json) == flag)
        }
    }

    @Test("what is not known of either side is not the same")
    func unknown() {
        let nobody = Self.identity("participant_id", nil, nil)
        let flags = Rules.flags(
            participant: nobody, buyer: [nobody], signals: Rules.Signal.allCases)
        #expect(flags.isEmpty)
    }

    @Test("only the signals asked for are looked at")
    func chosen() {
        let buyer = [Self.participant]
        #expect(
            Rules.flags(participant: Self.participant, buyer: buyer, signals: [.email]).count == 1)
        #expect(Rules.flags(participant: Self.participant, buyer: buyer, signals: []).isEmpty)
    }

    @Test("evidence names the first identity of the buyer that was hit, and no personal value")
    func evidence() {
        let flags = Rules.flags(
            participant: Self.participant,
            buyer: [
                Self.identity("lead_id", "bob@other.example", nil),
                Self.identity("customer_id", "ada@acme.com", nil),
            ], signals: Rules.Signal.allCases)
        #expect(flags.count == 1)
        #expect(flags.first?.evidence["customer_id"] == "id-of-customer_id")
        #expect(flags.first?.evidence["lead_id"] == nil)
        #expect(flags.first?.json.text.contains("acme.com") == false)
    }
}
