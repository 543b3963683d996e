import JSON
import Testing

@testable import App

/// By what somebody who refers himself is found out, beside mailbox, account and domain (R235,
/// R241): each signal over the API, where it hits and where it does not.
struct SelfReferralTests {
    private static func change(
        _ stage: CreditStage, _ participant: String, _ patch: JSONValue
    ) throws {
        let answer = try stage.service.send("PATCH", "/v1/participants/\(participant)", patch)
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// The signals of the first reward of a sale that Ada's code brought, to `customer`.
    private static func signals(
        _ stage: CreditStage, _ customer: JSONObject, name: String = "s1"
    ) throws -> [String] {
        var customer = customer
        customer["email"] = customer["email"] ?? "sam@buyer.example"
        let sale = try stage.sell(
            name, customer: nil, ["customer": .object(customer), "ref": "code-ada"])
        return signals(sale)
    }

    private static func signals(_ sale: TestAnswer) -> [String] {
        let flags = sale["rewards.0.flags"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(sale["rewards.0.status"] == (flags.isEmpty ? "approved" : "review"))
        return flags.compactMap { $0["evidence"]?.objectValue?["signal"]?.stringValue }
    }

    @Test(
        "the buyer's phone is the participant's, however it is typed",
        arguments: [
            ("customer", "+49 (0)30 901820", ["phone"]), ("partner", "0049 30-901820", ["phone"]),
            ("employee", "+4930901820", ["phone"]), ("customer", "+49 30 901821", []),
            // Without a country's code it could be anybody's.
            ("customer", "030 901820", []), ("customer", "ask for Ada", []),
        ])
    func phone(kind: String, phone: String, signals: [String]) throws {
        let stage = try CreditStage(kind: kind)
        defer { stage.service.stop() }
        try Self.change(stage, stage.ada, ["phone": "+49 30 901820"])
        #expect(try Self.signals(stage, ["phone": .string(phone)]) == signals)
        // What a customer was known by once, it is known by.
        #expect(try Self.signals(stage, [:], name: "s2") == signals)
        #expect(try stage.service.get("/v1/participants/\(stage.ada)")["phone"] == "+4930901820")
    }

    @Test("a contact tells of its customer too, and a program may switch the detection off")
    func touch() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try Self.change(stage, stage.ada, ["phone": "+1 212 555 0123"])
        try stage.touch(
            stage.ada, 1, ["customer": ["external_id": "c1", "phone": "+1-212-555-0123"]])
        let sale = try stage.sell("s1")
        #expect(Self.signals(sale) == ["phone"])
        let evidence = sale["rewards.0.flags.0.evidence"]?.objectValue
        #expect(evidence?["customer_id"] == sale["customer_id"])
        #expect(!sale.text.contains("555"))
        let ignore: JSONValue = ["fraud": ["self_referral": "ignore"]]
        _ = try stage.service.send("PATCH", "/v1/programs/\(stage.program)", ignore)
        #expect(Self.signals(try stage.sell("s2")).isEmpty)
    }

    @Test("a lead's phone is a national one where its country is known")
    func phoneOfLead() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let path = "/v1/participants/\(stage.participant)"
        #expect(try stage.service.send("PATCH", path, ["phone": "+49 30 901820"]).status == 200)
        for (name, country, signal) in [("a", "DE", "phone"), ("b", "FR", nil)] {
            let lead = try stage.service.make(
                "/v1/leads",
                [
                    "participant_id": .string(stage.participant),
                    "email": .string("\(name)@buyer.example"), "phone": "030 / 90 18 20",
                    "country": .string(country),
                ])
            #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
            let reward = try #require(try stage.rewards("&lead_id=\(lead)").first)
            let flag = reward["flags"]?.arrayValue?.first?.objectValue
            #expect(flag?["evidence"]?.objectValue?["signal"]?.stringValue == signal)
            #expect(flag?["evidence"]?.objectValue?["lead_id"] == signal.map { _ in .string(lead) })
        }
    }

    @Test(
        "the buyer pays from where the participant is paid, however it is typed",
        arguments: [
            ("customer", "DE89 3704 0044 0532 0130 00", ["payout_account"]),
            ("partner", "de89-3704-0044-0532-0130-00", ["payout_account"]),
            ("employee", "DE89370400440532013000", ["payout_account"]),
            ("customer", "DE75 5121 0800 1245 1261 99", []), ("customer", "unknown", []),
        ])
    func payoutAccount(kind: String, account: String, signals: [String]) throws {
        let stage = try CreditStage(kind: kind)
        defer { stage.service.stop() }
        let iban: JSONValue = "DE89 3704 0044 0532 0130 00"
        try Self.change(stage, stage.ada, ["payout_account": iban])
        // Two participants may be paid to one account.
        try Self.change(stage, stage.ben, ["payout_account": iban])
        #expect(try Self.signals(stage, ["payment_account": .string(account)]) == signals)
        #expect(try Self.signals(stage, [:], name: "s2") == signals)
    }

    @Test("people see a payout account masked; it is changed, kept and taken away")
    func maskedAccount() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let path = "/v1/participants/\(stage.ada)"
        func patch(_ account: JSONValue) throws -> TestAnswer {
            try stage.service.send("PATCH", path, ["payout_account": account])
        }
        #expect(try patch("Ada@paypal.example")["payout_account"] == "A…@paypal.example")
        #expect(try patch("1234567")["payout_account"] == "…")
        #expect(try patch("acct_1Ab2Cd6789")["payout_account"] == "…6789")
        let token = try Scene.token(stage.service, of: stage.ada)
        #expect(try stage.service.get(path, key: token)["payout_account"] == "…6789")
        for text in ["unknown", "1", "--"] {
            let refused = try patch(.string(text))
            #expect(refused.status == 422 && refused.code == "payout_account_unreadable")
        }
        let buyer: JSONObject = ["payment_account": "acct_1ab2cd6789"]
        // What was read and is sent back is no other account, nor is what is left out.
        #expect(try patch("…6789")["payout_account"] == "…6789")
        try Self.change(stage, stage.ada, ["name": "Ada B."])
        #expect(try Self.signals(stage, buyer, name: "s1") == ["payout_account"])
        #expect(try patch(.null)["payout_account"] == .null)
        #expect(try Self.signals(stage, buyer, name: "s2").isEmpty)
        #expect(try patch("…6789").code == "payout_account_unreadable")
    }

    private static func device(_ name: String) -> JSONObject { ["device_id": .string(name)] }

    @Test(
        "a sale on a device that the participant uses is flagged, and on another is not",
        arguments: [
            ("customer", "device-of-ada", ["device"]), ("partner", "device-of-ada", ["device"]),
            ("employee", "device-of-ada", ["device"]), ("customer", "DEVICE-OF-ADA", []),
            ("customer", "device-of-sam", []),
        ])
    func device(kind: String, device: String, signals: [String]) throws {
        let stage = try CreditStage(kind: kind)
        defer { stage.service.stop() }
        let tokens = "/v1/participants/\(stage.ada)/tokens"
        let token = try stage.service.post(tokens, .object(Self.device("device-of-ada")))
        #expect(token.status == 201 && !token.text.contains("device"))
        #expect(try Self.signals(stage, Self.device(device)) == signals)
        #expect(try Self.signals(stage, [:], name: "s2") == signals)
    }

    @Test("a participant may use several devices, of which the newest count")
    func devices() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        for number in 100...110 {
            stage.service.clock.advance(days: 1)
            try Self.change(stage, stage.ada, .object(Self.device("device-\(number)")))
        }
        let none = try stage.service.send(
            "PATCH", "/v1/participants/\(stage.ada)", .object(Self.device("unknown")))
        #expect(none.status == 400 && none.pointer == "/device_id")
        for (number, signals) in [(100, []), (101, ["device"]), (110, ["device"])] {
            var customer = Self.device("device-\(number)")
            customer["email"] = .string("\(number)@buyer.example")
            #expect(try Self.signals(stage, customer, name: "s\(number)") == signals)
        }
    }

    /// How a lead of Ada's comes in, all from the one device.
    enum Door: String, CaseIterable { case key, token, form, ownForm }

    @Test(
        "a lead's device is the referred person's, unless the referrer sends it himself",
        arguments: [(Door.key, ["device"]), (.token, []), (.form, ["device"]), (.ownForm, [])])
    func deviceOfLead(door: Door, signals: [String]) throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let device = "device-of-ada"
        try Self.change(stage, stage.ada, .object(Self.device(device)))
        let body: JSONValue = [
            "participant_id": .string(stage.ada), "email": "sam@buyer.example",
            "device_id": .string(device),
        ]
        let form = [("email", "sam@buyer.example"), ("device_id", device)]
        let answer =
            switch door {
            case .key: try stage.service.post("/v1/leads", body)
            case .token:
                try stage.service.post(
                    "/v1/leads", body, key: Scene.token(stage.service, of: stage.ada))
            case .form:
                try stage.service.postForm(
                    stage.program, form + [("ref", "code-ada")], accept: "application/json")
            case .ownForm:
                try stage.service.postForm(
                    stage.program, form + [("referrer_email", "ada@partner.example")],
                    accept: "application/json")
            }
        #expect(answer.status == 201, "\(answer.text)")
        let lead = try answer.id()
        let sale = try stage.sell("s1", customer: nil, ["lead_id": .string(lead)])
        #expect(Self.signals(sale) == signals)
        guard !signals.isEmpty else { return }
        #expect(sale["rewards.0.flags.0.evidence.lead_id"] == .string(lead))
    }

    @Test("a lead that a participant's token sends tells of the participant's own device")
    func deviceOfSender() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let token = try Scene.token(stage.service, of: stage.ada)
        let lead: JSONValue = ["email": "kim@buyer.example", "device_id": "device-of-ada"]
        #expect(try stage.service.post("/v1/leads", lead, key: token).status == 201)
        #expect(try Self.signals(stage, Self.device("device-of-ada")) == ["device"])
    }

    @Test("a participant's phone is changed, taken away, and refused when it cannot be dialled")
    func phoneOfParticipant() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        let refused = try scene.service.send("PATCH", path, ["phone": "030 901820"])
        #expect(refused.status == 422 && refused.code == "phone_not_international")
        #expect(!refused.text.contains("901820"))
        #expect(try scene.service.send("PATCH", path, ["phone": "+49 30 901820"]).status == 200)
        let renamed = try scene.service.send("PATCH", path, ["name": "Ada B."])
        #expect(renamed["phone"] == "+4930901820", "\(renamed.text)")
        #expect(try scene.service.get(path, key: scene.ada.token)["phone"] == "+4930901820")
        #expect(try scene.service.get(path, key: scene.ben.token).status == 404)
        #expect(try scene.service.send("PATCH", path, ["phone": .null])["phone"] == .null)
    }
}
