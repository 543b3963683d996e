import JSON
import Testing

@testable import App

/// `/v1/programs/{id}/offer`: what a program promises, in sentences of exact figures (R13, R14).
struct OfferTests {
    private func sentences(_ answer: TestAnswer) -> [String] {
        (answer["rewards"]?.arrayValue ?? []).compactMap {
            $0.objectValue?["sentence"]?.stringValue
        }
    }

    private func words(_ answer: TestAnswer, _ name: String) -> [String] {
        (answer[name]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    @Test("R14: every kind of rule is a sentence with its figure and its event")
    func everyKind() throws {
        let usd = MoneyStage.usd
        let table: [(rule: JSONValue, sentence: String)] = [
            (
                ["trigger": "signup", "amount": usd(20_000)],
                "You get $200 in cash for each person you refer who signs up, if that person was "
                    + "not a customer before."
            ),
            (
                ["trigger": "conversion", "basis_points": 2_500, "customers": "any"],
                "You get 25% of the sale in cash for each sale of a person you referred."
            ),
            (
                [
                    "trigger": "purchase", "basis_points": 1_250, "max_amount": usd(1_999),
                    "customers": "any", "min_sale": usd(5_000), "first_months": 12,
                    "kind": "account_credit",
                ],
                "You get 12.5% of the sale (at most $19.99) of account credit for each purchase of "
                    + "a person you referred, if the sale comes to at least $50, within 12 months "
                    + "of the first paid sale."
            ),
            (
                [
                    "trigger": "lead.qualified", "kind": "points", "points": 1,
                    "customers": "any",
                ],
                "You get 1 point for each referral that is qualified."
            ),
            (
                [
                    "trigger": "purchase", "recipient": "referee", "kind": "discount",
                    "discount_basis_points": 2_000, "duration_months": 3,
                ],
                "The person you refer gets 20% off invoices of 3 months once, for a purchase, if "
                    + "that person was not a customer before."
            ),
            (
                [
                    "trigger": "lead.won", "kind": "perk", "description": "a month for free",
                    "value": usd(4_000), "customers": "returning",
                ],
                "You get a month for free (worth $40) for each person you refer who becomes a "
                    + "customer, if that person was a customer before."
            ),
            (
                [
                    "trigger": "milestone", "milestone": ["counts": "won", "at": 5],
                    "amount": usd(50_000), "customers": "any",
                ],
                "You get $500 in cash once 5 referrals of yours are won."
            ),
            (
                [
                    "trigger": "lead.qualified", "customers": "any",
                    "tiers": [
                        "counts": "qualified",
                        "levels": [
                            ["from": 1, "amount": usd(20_000)], ["from": 3, "amount": usd(25_000)],
                        ],
                    ],
                ],
                "You get $200 from your 1st qualified referral on and $250 from your 3rd "
                    + "qualified referral on in cash for each person you refer who is qualified."
            ),
        ]
        for (rule, sentence) in table {
            let stage = try MoneyStage(rules: [rule])
            defer { stage.service.stop() }
            let answer = try stage.service.get("/v1/programs/\(stage.program)/offer")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(sentences(answer) == [sentence])
        }
    }

    @Test("a token reads the rules of its kind and segment, another's never")
    func ownRules() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "signup", "amount": MoneyStage.usd(100)],
            ["trigger": "signup", "amount": MoneyStage.usd(777), "segments": ["gold"]],
            [
                "trigger": "signup", "amount": MoneyStage.usd(888),
                "participant_kinds": ["reseller"],
            ],
        ])
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)/offer"
        let all = try stage.service.get(path)
        #expect(sentences(all).count == 3)
        #expect(sentences(all)[1].hasSuffix(", for participants in the segment gold."))
        let key = try Scene.token(stage.service, of: stage.participant)
        let own = try stage.service.get(path, key: key)
        #expect(own["participant_id"] == .string(stage.participant))
        #expect(sentences(own).count == 1)
        #expect(!own.text.contains("7.77") && !own.text.contains("gold"))
        let gold = try stage.service.make(
            "/v1/participants",
            [
                "program_id": .string(stage.program), "name": "Gold", "segment": "gold",
                "email": "gold@partner.example", "status": "approved", "kind": "reseller",
            ])
        #expect(try sentences(stage.service.get(path + "?participant_id=\(gold)")).count == 3)
        #expect(try stage.service.get(path + "?participant_id=\(gold)", key: key).status == 404)
        let other = try stage.service.make("/v1/programs", ["name": "Other", "currency": "EUR"])
        #expect(try stage.service.get("/v1/programs/\(other)/offer", key: key).status == 404)
    }

    @Test("R13: hold, limits and a cancellation are stated; an ended program promises nothing")
    func terms() throws {
        let stage = try MoneyStage(holdDays: 30)
        defer { stage.service.stop() }
        let program = "/v1/programs/\(stage.program)"
        let changed = try stage.service.send(
            "PATCH", program,
            ["reward_limits": ["participant_year": 50_000], "clawback_days": 60])
        #expect(changed.status == 200, "\(changed.text)")
        let offer = try stage.service.get(program + "/offer")
        #expect(words(offer, "limits") == ["At most $500 in a calendar year."])
        #expect(words(offer, "payment").first?.contains("30 days") == true)
        #expect(words(offer, "cancellation").last?.contains("60 days") == true)
        #expect(words(offer, "qualification").contains { $0.contains("90 days") })
        #expect(offer["rewards.0.hold_days"] == 30)
        #expect(try stage.service.post(program + "/end").status == 200)
        let over = try stage.service.get(program + "/offer")
        #expect(over["program_status"] == "ended")
        #expect(sentences(over).isEmpty)
    }
}
