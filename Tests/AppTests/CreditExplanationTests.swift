import Foundation
import JSON
import Testing

@testable import App
@testable import Attribution
@testable import Model

/// Every answer to "why did this person get the credit, and why was there none".
struct CreditExplanationTests {
    /// The explanation's arithmetic adds up again to what was credited, line by line and in all.
    private static func expectReadded(_ stage: CreditStage, _ conversion: String) throws {
        let sale = try stage.service.get("/v1/conversions/\(conversion)")
        let whole = try #require(sale["amount.amount"]?.integerValue)
        let explanation = try stage.explain(conversion)
        let lines = try #require(explanation["arithmetic"]?.arrayValue).map {
            $0.objectValue ?? [:]
        }
        var sums: [String: Int64] = [:]
        for line in lines {
            func number(_ name: String) -> Int64 { line[name]?.integerValue ?? -1 }
            let exact = Int128(whole) * Int128(number("parts"))
            #expect(Int128(number("units")) == exact / Int128(number("whole")))
            #expect(Int128(number("remainder")) == exact % Int128(number("whole")))
            let amount = line["amount"]?.objectValue?["amount"]?.integerValue
            #expect(amount == number("units") + number("extra"))
            sums[line["participant_id"]?.stringValue ?? "nobody", default: 0] += amount ?? 0
        }
        #expect(sums == (try stage.credits(conversion)))
        if !lines.isEmpty { #expect(sums.values.reduce(0, +) == whole) }
        let touches = explanation["touches"]?.arrayValue ?? []
        #expect(touches.allSatisfy { $0.objectValue?["because"]?.stringValue != "" })
    }

    @Test(
        "every model is explained, and its arithmetic adds up again",
        arguments: AttributionModel.allCases)
    func models(model: AttributionModel) throws {
        let stage = try CreditStage([
            "model": .string(model.rawValue), "half_life_days": 3, "window_days": 20,
        ])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 30)
        for (person, days) in [(stage.ada, 9.3), (stage.ben, 4.7), (stage.eve, 4), (stage.ada, 1)] {
            try stage.touch(person, days)
        }
        try stage.touch(nil, 0.5, source: "direct")
        let sale = try stage.sell("order-1", 99_999).id()
        try Self.expectReadded(stage, sale)
        let explanation = try stage.explain(sale)
        #expect(explanation["rule"]?.stringValue?.contains(model.rawValue) == true)
        let changes = explanation["alternatives"]?.arrayValue?.compactMap {
            $0.objectValue?["change"]?.stringValue
        }
        #expect(changes?.contains("without_touch") == true)
        #expect(changes?.contains("model") == true)
        // The same model asked for as another one gives the same.
        #expect(try stage.credits(sale, model: model.rawValue) == (try stage.credits(sale)))
    }

    @Test("every reason and every verdict is given and put into words")
    func reasons() throws {
        var reasons: Set<String> = []
        var verdicts: Set<String> = []
        func see(_ stage: CreditStage, _ conversion: String) throws {
            let explanation = try stage.explain(conversion)
            reasons.insert(explanation["reason"]?.stringValue ?? "")
            for touch in explanation["touches"]?.arrayValue ?? [] {
                verdicts.insert(touch.objectValue?["verdict"]?.stringValue ?? "")
            }
            try Self.expectReadded(stage, conversion)
        }
        let stage = try CreditStage(
            [
                "sources": ["referral", "partner", "direct", "sales"]
            ], kind: "partner")
        defer { stage.service.stop() }
        // Nobody and nothing; too early; nothing that may earn; nothing that belongs to somebody.
        try see(stage, stage.sell("s-none", customer: "none").id())
        try stage.touch(stage.ada, 40, customer: "early")
        try see(stage, stage.sell("s-early", customer: "early").id())
        try stage.touch(stage.ada, 1, customer: "ad", source: "ad")
        try see(stage, stage.sell("s-ad", customer: "ad").id())
        try stage.touch(nil, 1, customer: "sales", source: "sales")
        try see(stage, stage.sell("s-sales", customer: "sales").id())
        // A code before a click, and an older code behind it.
        try stage.touch(nil, 2, customer: "code", ["code": "code-ben"])
        try stage.touch(nil, 3, customer: "code", ["code": "code-ada"])
        try stage.touch(stage.eve, 1, customer: "code")
        let coded = try stage.sell("s-code", customer: "code").id()
        try see(stage, coded)
        #expect(try stage.credits(coded) == [stage.ben: 100_000])
        // A link that was off, a lead that came to nothing, and one that sales took on.
        let spare = try stage.service.make(
            "/v1/links", ["participant_id": .string(stage.eve), "code": "spare-eve"])
        #expect(try stage.service.post("/v1/links/\(spare)/disable").status == 200)
        stage.service.clock.advance(days: 1)
        try stage.touch(nil, 0, customer: "off", ["ref": "spare-eve"])
        try see(stage, stage.sell("s-off", customer: "off").id())
        for (step, more) in [
            ("disqualify", ["reason_code": "no_budget", "reason": "none"]), ("qualify", [:]),
        ] as [(String, JSONObject)] {
            let lead = try stage.service.make(
                "/v1/leads",
                [
                    "participant_id": .string(stage.eve),
                    "email": .string("\(step)@\(step).example"),
                ])
            #expect(
                try stage.service.post("/v1/leads/\(lead)/\(step)", .object(more)).status == 200)
            let buyer: JSONObject = ["customer": ["email": .string("\(step)@\(step).example")]]
            try see(stage, stage.sell("s-\(step)", customer: nil, buyer).id())
        }
        // Bound to nobody, and to somebody; then a word of the operator.
        try see(stage, stage.sell("s-renewed", customer: "none", ["kind": "renewal"]).id())
        stage.service.clock.advance(days: 90)
        try stage.touch(nil, 1, customer: "code", source: "sales")
        try see(stage, stage.sell("s-bound", customer: "code", ["kind": "renewal"]).id())
        _ = try stage.reattribute(
            coded, ["credits": [["participant_id": .string(stage.eve), "parts": 1]]])
        try see(stage, coded)
        // A registration that holds the account.
        let deal = try stage.service.make(
            "/v1/registrations",
            ["participant_id": .string(stage.ada), "account": ["domain": "buyer.example"]])
        #expect(try stage.service.post("/v1/registrations/\(deal)/approve").status == 200)
        let held = try stage.sell(
            "s-deal", customer: nil,
            ["customer": ["email": "cfo@buyer.example", "external_id": "deal"]]
        ).id()
        try see(stage, held)
        #expect(try stage.credits(held) == [stage.ada: 100_000])
        // A sale before a touch.
        try stage.touch(stage.ada, 1, customer: "past")
        let past = try stage.sell("s-past", customer: "past", ["occurred_at": stage.ago(2)]).id()
        try see(stage, past)

        #expect(reasons == Set(AttributionReason.allCases.map(\.rawValue)))
        let unseen = Set(TouchVerdict.allCases.map(\.rawValue)).subtracting(verdicts)
        // A touch of after the sale is not even looked at.
        #expect(unseen == ["after_conversion", "code_last"])
        try stage.expectSoundBooks()
    }

    @Test("the nearest change is named: a window of 31 days would have held the touch")
    func nearest() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 30.125)
        let sale = try stage.sell("order-1").id()
        let explanation = try stage.explain(sale)
        let because = explanation["touches.0.because"]?.stringValue ?? ""
        #expect(because.hasPrefix("It came 3 h"), "\(because)")
        #expect(explanation["alternatives.0.change"] == "window_days")
        #expect(explanation["alternatives.0.to"] == "31")
        #expect(explanation["alternatives.0.credits.0.participant_id"] == .string(stage.ada))
    }

    // MARK: - Nothing

    private static func codes(_ answer: TestAnswer) -> [String] {
        (answer["people"]?.arrayValue ?? []).flatMap { person in
            (person.objectValue?["findings"]?.arrayValue ?? []).compactMap {
                $0.objectValue?["code"]?.stringValue
            }
        }
    }

    @Test("what did not happen is explained too: nobody, no touch, a robot, the window, oneself")
    func nothing() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        func ask(_ query: String) throws -> TestAnswer {
            let answer = try stage.service.get("/v1/explain?" + query)
            #expect(answer.status == 200, "\(answer.text)")
            return answer
        }
        let unknown = try ask("email=who@buyer.example")
        #expect(unknown["people"] == [])
        #expect(unknown["summary"]?.stringValue?.contains("Nobody of that name") == true)

        _ = try stage.sell("s-1", customer: "plain")
        #expect(Self.codes(try ask("external_id=plain")) == ["not_credited", "no_touch"])
        #expect(Self.codes(try ask("external_id=s-1")) == ["not_credited", "no_touch"])

        try stage.touch(stage.ada, 30.125, customer: "late")
        _ = try stage.sell("s-2", customer: "late")
        let late = try ask("external_id=late")
        #expect(Self.codes(late) == ["not_credited"])
        let because = late["people.0.findings.0.because"]?.stringValue ?? ""
        #expect(because.contains("3 h") && because.contains("too early"), "\(because)")

        try stage.touch(stage.ada, 1, customer: "soon")
        #expect(Self.codes(try ask("external_id=soon")) == ["no_conversion"])

        _ = try stage.sell(
            "s-3", customer: nil, ["customer": ["email": "ada@partner.example"], "ref": "code-ada"])
        #expect(Self.codes(try ask("email=Ada@partner.example")) == ["credited", "self_referral"])

        let robot = try stage.service.send(
            "GET", "/r/code-ada", key: nil, headers: [("User-Agent", "Googlebot/2.1")])
        #expect(robot.status == 302)
        let click = try #require(try stage.service.get("/v1/clicks?class=bot").ids.first)
        _ = try stage.sell("s-4", customer: "bot", ["click_id": .string(click)])
        // Whoever brings it clicked.
        #expect(Self.codes(try ask("external_id=bot")) == ["credited"])

        let lead = try stage.service.make(
            "/v1/leads", ["program_id": .string(stage.program), "email": "l@buyer.example"])
        #expect(
            Self.codes(try ask("email=l@buyer.example"))
                == ["lead_without_referrer", "no_conversion"])
        #expect(
            try stage.service.post(
                "/v1/leads/\(lead)/disqualify", ["reason_code": "no_budget", "reason": "none"]
            ).status == 200)
        #expect(Self.codes(try ask("email=l@buyer.example")) == ["lead_out", "no_conversion"])

        #expect(try stage.service.post("/v1/programs/\(stage.program)/pause").status == 200)
        #expect(
            Self.codes(try ask("external_id=soon")) == ["no_conversion", "program_not_active"])
        try stage.touch(stage.ben, 2, customer: "late")
        #expect(Self.codes(try ask("external_id=late")).contains("late_touch"))
        for query in ["", "email=a@b.example&external_id=x"] {
            #expect(try stage.service.get("/v1/explain?" + query)["code"] == "one_name")
        }
    }

    @Test("a sale or a lead that brings an old cookie is kept, and it is said what was of no use")
    func ignored() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let other = try CreditStage(on: stage.service, suffix: "-others").program
        let click: JSONValue = "click_01h455vb4pex5vsknk084sn02q"
        try stage.touch(stage.ben, 2)
        let sale = try stage.sell(
            "order-1", customer: "c1", ["click_id": click, "ref": "gone-code"])
        #expect(
            sale["ignored"] == [
                ["name": "click_id", "value": click, "because": "unknown"],
                ["name": "ref", "value": "gone-code", "because": "unknown"],
            ])
        #expect(try stage.credits(sale.id()) == [stage.ben: 100_000])
        #expect(try stage.service.get("/v1/conversions/\(sale.id())")["ref"] == .null)
        let summary = try stage.explain(sale.id())["summary"]?.stringValue ?? ""
        #expect(summary.contains("Left out: click_id (unknown), ref (unknown)."), "\(summary)")
        #expect(
            Self.codes(try stage.service.get("/v1/explain?external_id=c1"))
                == ["credited", "unknown_click", "unknown_ref"])
        let event = try stage.service.list("/v1/events?type=conversion.attributed")[0]
        #expect(
            event["data"]?.objectValue?["ignored"] == [
                ["name": "click_id", "because": "unknown"],
                ["name": "ref", "because": "unknown"],
            ])

        // Another program's code is of no use either; the operator's own word is held to.
        let foreign = try stage.sell("order-2", customer: "c2", ["ref": "code-ada-others"])
        #expect(
            foreign["ignored"] == [
                ["name": "ref", "value": "code-ada-others", "because": "foreign"]
            ])
        #expect(foreign["attribution.credits"] == [])
        var body: JSONObject = [
            "external_id": "order-3", "kind": "purchase", "amount": MoneyStage.usd(1_000),
            "click_id": click,
        ]
        let nowhere = try stage.service.post("/v1/conversions", .object(body))
        #expect(nowhere.status == 422 && nowhere["code"] == "program_required")
        body["lead_id"] = "lead_01h455vb4pex5vsknk084sn02q"
        body["program_id"] = .string(other)
        #expect(try stage.service.post("/v1/conversions", .object(body)).status == 404)

        let lead = try stage.service.make(
            "/v1/leads",
            [
                "program_id": .string(stage.program), "email": "l@buyer.example",
                "click_id": click, "ref": "gone-code",
            ])
        let why = try stage.service.get("/v1/leads/\(lead)/explain")
        #expect(
            why["referrer_because"]
                == "What was given names nobody in the program: click_id, ref.")
    }

    @Test("a touch and a participant are explained by what they count for")
    func touchAndParticipant() throws {
        let stage = try CreditStage(["model": "linear"])
        defer { stage.service.stop() }
        let first = try stage.touch(stage.ada, 5)
        try stage.touch(stage.ben, 4)
        let sale = try stage.sell("order-1").id()
        let late = try stage.touch(stage.ben, 3)
        let counted = try stage.service.get("/v1/touchpoints/\(first)/explain")
        #expect(counted["conversions.0.conversion_id"] == .string(sale))
        #expect(counted["conversions.0.verdict"] == "credited")
        #expect(counted["conversions.0.parts"] == 1)
        #expect(counted["conversions.0.whole"] == 2)
        let missed = try stage.service.get("/v1/touchpoints/\(late)/explain")
        #expect(missed["conversions.0.verdict"] == .null)
        let person = try stage.service.get("/v1/participants/\(stage.ada)/explain")
        #expect(person["conversions.0.conversion_id"] == .string(sale))
        #expect(person["conversions.0.amount.amount"] == 50_000)
        let nobody = try stage.service.get("/v1/participants/\(stage.eve)/explain")
        #expect(nobody["conversions"] == [])
        #expect(nobody["summary"]?.stringValue?.contains("No sale credits it") == true)
    }

    @Test("an approved deal touches whom it names, once, and a lead says who a sale is credited to")
    func registrationAndLead() throws {
        let stage = try CreditStage(kind: "partner")
        defer { stage.service.stop() }
        let deal = try stage.service.make(
            "/v1/registrations",
            [
                "participant_id": .string(stage.ada), "account": ["domain": "buyer.example"],
                "contact": ["name": "Grace", "email": "grace@buyer.example"],
            ])
        #expect(try stage.service.get("/v1/touchpoints").ids.isEmpty)
        #expect(try stage.service.post("/v1/registrations/\(deal)/approve").status == 200)
        let touches = try stage.service.list("/v1/touchpoints")
        #expect(touches.count == 1)
        #expect(touches[0]["kind"] == "registration")
        #expect(touches[0]["participant_id"] == .string(stage.ada))
        let lead = try stage.service.make(
            "/v1/leads",
            ["program_id": .string(stage.program), "email": "grace@buyer.example"])
        let before = try stage.service.get("/v1/leads/\(lead)/explain")
        #expect(
            before["credit_because"]
                == .string(
                    "No sale is known; one of now would be credited to \(stage.ada)."))
        _ = try stage.sell("s-1", customer: nil, ["lead_id": .string(lead)])
        let after = try stage.service.get("/v1/leads/\(lead)/explain")
        #expect(after["credit_because"]?.stringValue?.contains(stage.ada) == true)
    }

    // MARK: - Comparison

    @Test("a comparison sums to the sales in every model, and tells who gains and who loses")
    func comparison() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        for (number, customer) in ["a", "b", "c"].enumerated() {
            try stage.touch(stage.ada, 9, customer: customer)
            try stage.touch(stage.ben, 5, customer: customer)
            if number > 0 { try stage.touch(nil, 2, customer: customer, source: "marketing") }
            if number > 1 { try stage.touch(stage.eve, 1, customer: customer) }
            _ = try stage.sell("s-\(customer)", Int64(1_001 * (number + 1)), customer: customer)
        }
        let none = try stage.sell("s-none", 7, customer: "none").id()
        let before = try Scene.rowCount(stage.service)
        let day = try #require(stage.ago(-1).stringValue)
        let start = try #require(stage.ago(9).stringValue)
        let path = "/v1/programs/\(stage.program)/compare"
        let answer = try stage.service.get("\(path)?from=\(start)&to=\(day)")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer["conversions"] == 4)
        #expect(answer["total.amount"] == 6_013)
        for model in answer["models"]?.arrayValue ?? [] {
            #expect(model.objectValue?["total"]?.objectValue?["amount"] == 6_013)
        }
        let people = answer["participants"]?.arrayValue ?? []
        #expect(people.count == 4)
        for place in 0..<6 {
            let sum = people.reduce(Int64(0)) { sum, person in
                let models = person.objectValue?["models"]?.arrayValue ?? []
                return sum + (models[place].objectValue?["difference"]?.integerValue ?? 0)
            }
            #expect(sum == 0)
        }
        let ada = people.first { $0.objectValue?["participant_id"]?.stringValue == stage.ada }
        #expect(ada?.objectValue?["actual"]?.objectValue?["amount"] == 0)
        #expect(
            ada?.objectValue?["models"]?.arrayValue?[0].objectValue?["amount"]?.objectValue?[
                "amount"]
                == 6_006)
        let one = try stage.service.get("/v1/conversions/\(none)/compare")
        #expect(one["participants.0.participant_id"] == .null)
        #expect(one["models.0.credited.amount"] == 0)
        #expect(try stage.service.get("\(path)?from=\(day)&to=\(start)")["code"] == "no_time")
        #expect(try Scene.rowCount(stage.service) == before)
    }
}
