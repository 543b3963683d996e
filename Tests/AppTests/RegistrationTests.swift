import Database
import Foundation
import JSON
import LeadRegistration
import Model
import Testing

@testable import App

/// Deal registrations from end to end: the first one wins, and every other learns nothing.
struct RegistrationTests {
    /// A program with these registration terms and two approved partners with tokens.
    struct Deals {
        let service: TestService
        let program: String
        let ada: Scene.Partner
        let ben: Scene.Partner

        init(_ terms: JSONValue = [:], _ more: [(String, JSONValue)] = []) throws {
            service = try TestService()
            var body: JSONObject = [
                "name": "Partners", "kind": "partner", "currency": "USD",
                "destination_url": "https://www.example.com/", "registration": terms,
            ]
            for (name, value) in more { body[name] = value }
            program = try service.make("/v1/programs", .object(body))
            try #require(try service.post("/v1/programs/\(program)/activate").status == 200)
            ada = try Scene.partner(service, program: program, name: "ada")
            ben = try Scene.partner(service, program: program, name: "ben")
        }

        static func body(
            _ partner: Scene.Partner, _ account: JSONValue, _ more: [(String, JSONValue)] = []
        ) -> JSONValue {
            var body: JSONObject = ["participant_id": .string(partner.id), "account": account]
            for (name, value) in more { body[name] = value }
            return .object(body)
        }

        func register(
            _ partner: Scene.Partner, _ domain: String, _ more: [(String, JSONValue)] = []
        ) throws -> TestAnswer {
            try service.post(
                "/v1/registrations",
                Deals.body(partner, ["domain": .string(domain), "name": "Acme Inc"], more),
                key: partner.token)
        }

        func act(
            _ id: String, _ action: String, _ body: JSONValue = [:], key: String? = "admin"
        ) throws -> TestAnswer {
            try service.post("/v1/registrations/\(id)/\(action)", body, key: key)
        }
    }

    @Test("the first claim is accepted, the second is refused without a hint of who was first")
    func firstWins() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example")
        #expect(first.status == 201, "\(first.text)")
        #expect(first["status"] == "submitted")
        let id = try first.id()

        let second = try deals.register(deals.ben, "WWW.Acme.example.")
        #expect(second.status == 409)
        #expect(second.code == "account_protected")
        #expect(!second.text.contains(id))
        #expect(!second.text.contains(deals.ada.id))

        let kept = try #require(second["registration_id"]?.stringValue)
        let refused = try deals.service.get("/v1/registrations/\(kept)", key: deals.ben.token)
        #expect(refused["status"] == "refused")
        #expect(
            try deals.service.get("/v1/registrations/\(kept)", key: deals.ada.token).status == 404)
        #expect(
            try deals.service.get("/v1/registrations/\(id)", key: deals.ben.token).status == 404)
        // Trying again adds no further evidence.
        #expect(try deals.register(deals.ben, "acme.example")["registration_id"] == .string(kept))
        #expect(
            try deals.service.get("/v1/registrations?participant_id=\(deals.ben.id)").ids == [kept])
    }

    @Test("protection tells the holder, direct sales and others what each may know")
    func protection() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let path = "/v1/protection?domain=shop.acme.example"
        #expect(try deals.service.get(path)["work"] == "anyone")
        let claim = try deals.register(deals.ada, "acme.example")
        #expect(claim["status"] == "approved", "\(claim.text)")

        #expect(try deals.service.get(path, key: deals.ada.token)["work"] == "you")
        let other = try deals.service.get(path, key: deals.ben.token)
        #expect(other["work"] == "another")
        #expect(other["claims"] == .array([]))
        let sales = try deals.service.get(path)
        #expect(sales["work"] == "partner")
        #expect(sales["claims.0.participant_id"] == .string(deals.ada.id))
        #expect(sales["claims.0.protected_until"] == claim["protected_until"])
        #expect(
            try deals.service.get(path + "&participant_id=\(deals.ben.id)")["work"] == "another")
    }

    @Test("a receipt proves the claim, and its chain has a head")
    func receipt() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ada, "acme.example")
        let receipt = try deals.service.get(
            "/v1/registrations/\(claim.id())/receipt", key: deals.ada.token)
        #expect(receipt.status == 200)
        #expect(receipt["body.sequence"] == 1)
        let head = try deals.service.get("/v1/registrations/head")
        #expect(head["sequence"] == 1)
        let key = try deals.service.get("/v1/registrations/verification_key", key: nil)
        #expect(key["key_id"] == receipt["body.key_id"])
    }

    @Test("a rejected claim frees the account, and the earliest refused partner is told")
    func release() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example").id()
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let rejected = try deals.act(
            first, "reject", ["reason_code": "no_evidence", "reason": "No meeting yet."])
        #expect(rejected["status"] == "rejected")
        let told = try Scene.events(deals.service, key: deals.ben.token).map { $0["type"] }
        #expect(told.contains("registration.account_free"))
        #expect(try deals.register(deals.ben, "acme.example").status == 201)
        #expect(
            try deals.service.get("/v1/registrations/\(refused)")["status"] == "refused")
    }

    @Test("a dispute hands the account to the other side, each of which sees its own")
    func transfer() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example")
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let dispute = try deals.service.post(
            "/v1/disputes",
            ["registration_id": .string(refused), "reason": "We met them in May."],
            key: deals.ben.token)
        #expect(dispute.status == 201, "\(dispute.text)")
        let path = "/v1/disputes/\(try dispute.id())"
        #expect(dispute["role"] == "claimant")
        #expect(dispute["respondent_id"] == .null)
        let seen = try deals.service.get(path, key: deals.ada.token)
        #expect(seen["role"] == "respondent")
        #expect(!seen.text.contains(deals.ben.id))
        #expect(!seen.text.contains("May"))

        for (partner, note) in [(deals.ada, "Signed offer"), (deals.ben, "Meeting notes")] {
            let added = try deals.service.post(
                path + "/evidence", ["note": .string(note)], key: partner.token)
            #expect(added.status == 200)
            #expect(added["evidence"]?.arrayValue?.count == 1)
        }
        #expect(try deals.service.post(path + "/review", ["owner": "mia"]).status == 200)
        let ruled = try deals.service.post(
            path + "/resolve", ["decision": "transfer", "reason": "The meeting was first."])
        #expect(ruled["status"] == "resolved", "\(ruled.text)")
        let now = try deals.service.get("/v1/protection?domain=acme.example")
        #expect(now["claims.0.participant_id"] == .string(deals.ben.id))
        #expect(now["claims"]?.arrayValue?.count == 1)
        #expect(
            try deals.service.get("/v1/registrations/\(try first.id())")["status"] == "rejected")
        #expect(
            try deals.service.get("/v1/registrations/\(refused)/receipt").status == 200)
    }
}

/// Whoever waits for an account, after a ruling.
struct WaitingTests {
    @Test("after a transfer the others wait for the new holder, and are told when that one is done")
    func transfer() throws {
        let deals = try RegistrationTests.Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let cora = try Scene.partner(deals.service, program: deals.program, name: "cora")
        _ = try deals.register(deals.ada, "acme.example")
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        _ = try deals.register(cora, "acme.example")
        let dispute = try deals.service.make(
            "/v1/disputes", ["registration_id": .string(refused), "reason": "We were first."])
        _ = try deals.service.post(
            "/v1/disputes/\(dispute)/resolve", ["decision": "transfer", "reason": "They were."])
        func told() throws -> Int {
            try Scene.events(deals.service).count { $0["type"] == "registration.account_free" }
        }
        #expect(try told() == 0)
        #expect(try deals.act(refused, "withdraw")["status"] == "withdrawn")
        #expect(try told() == 1)
        let last = try Scene.events(deals.service, key: cora.token).last
        #expect(last?["type"] == "registration.account_free")
    }
}

/// Receipts as files, checked offline.
struct ReceiptTests {
    @Test("a receipt is accepted by its key, and refused after any single byte is changed")
    func everyByte() throws {
        let deals = try RegistrationTests.Deals()
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ada, "acme.example").id()
        _ = try deals.register(deals.ben, "other.example")
        let file = try deals.service.get("/v1/registrations/\(claim)/receipt").body
        let key = deals.service.service.app.signingKey.publicKey
        let body = try ReceiptRules.check(file, publicKeys: [key])
        #expect(body.registration.description == claim)
        #expect(try ReceiptRules.check(file + Array("\n".utf8), publicKeys: [key]) == body)
        for place in file.indices {
            for change: UInt8 in [1, 0x20, 0x80] {
                var changed = file
                changed[place] ^= change
                #expect(throws: ReceiptFault.self, "byte \(place)") {
                    try ReceiptRules.check(changed, publicKeys: [key])
                }
            }
        }
        for place in file.indices {
            var shorter = file
            shorter.remove(at: place)
            #expect(throws: ReceiptFault.self, "byte \(place)") {
                try ReceiptRules.check(shorter, publicKeys: [key])
            }
        }
        #expect(throws: ReceiptFault.self) {
            try ReceiptRules.check(file, publicKeys: [[UInt8](repeating: 7, count: 32)])
        }
    }

    @Test("the command accepts a saved receipt with the published key, and refuses a forged one")
    func command() throws {
        let deals = try RegistrationTests.Deals()
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ada, "acme.example").id()
        let receipt = deals.service.folder.appending(path: "receipt.json")
        let key = deals.service.folder.appending(path: "key.json")
        let file = try deals.service.get("/v1/registrations/\(claim)/receipt").body
        try Data(file).write(to: receipt)
        try Data(deals.service.get("/v1/registrations/verification_key", key: nil).body)
            .write(to: key)
        let words = ["verify-receipt", receipt.path, "--key", key.path]
        #expect(Referrald.run(words, environment: [:]) == 0)
        let forged = String(decoding: file, as: UTF8.self)
            .replacingOccurrences(of: deals.ada.id, with: deals.ben.id)
        try Data(forged.utf8).write(to: receipt)
        #expect(Referrald.run(words, environment: [:]) == 1)
    }

    @Test("receipts form one chain, which verification walks, and a changed one is named")
    func chain() throws {
        let deals = try RegistrationTests.Deals()
        defer { deals.service.stop() }
        for index in 1...5 { _ = try deals.register(deals.ada, "firm-\(index).example") }
        let database = deals.service.service.app.database
        let (count, faults) = try ReceiptVerifier.verify(database.makeReader())
        #expect(count == 5)
        #expect(faults.isEmpty)
        try database.perform { tx in
            try tx.run("DROP TRIGGER receipts_are_not_updated")
            try tx.run("UPDATE receipts SET body = replace(body, '1', '2') WHERE seq = 3")
        }
        let found = try ReceiptVerifier.verify(database.makeReader()).faults
        #expect(found.first?.hasPrefix("Receipt 3 ") == true, "\(found)")
    }

    @Test("a key file that is there is used again, one that is not is made for its owner alone")
    func keyFile() throws {
        let deals = try RegistrationTests.Deals()
        defer { deals.service.stop() }
        let path = deals.service.service.app.configuration.signingKeyPath
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let key = deals.service.service.app.signingKey.publicKey
        #expect(try SigningKey.load(path).publicKey == key)
        let other = deals.service.folder.appending(path: "other").path
        try Data("nonsense".utf8).write(to: URL(filePath: other))
        #expect(throws: ConfigurationError.self) { try SigningKey.load(other) }
    }

    @Test("whatever is no plain key file is refused at once, with words that say what it is")
    func noKeyFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appending(path: name).path }
        mkfifo(path("pipe"), 0o600)
        mkdir(path("folder"), 0o700)
        symlink(path("nowhere"), path("link"))
        for (name, words) in [
            ("pipe", "not a plain file"), ("folder", "is a directory"), ("link", "symbolic link"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try SigningKey.load(path(name))
            }
            #expect(error?.description.contains(words) == true, "\(name)")
        }
    }

    @Test("a key that others may read is told of, and used")
    func looseKeyFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
        defer { unlink(path) }
        var warnings: [String] = []
        let key = try SigningKey.load(path) { warnings.append($0) }.publicKey
        #expect(warnings.isEmpty)
        for mode: mode_t in [0o640, 0o604] {
            warnings = []
            chmod(path, mode)
            #expect(try SigningKey.load(path) { warnings.append($0) }.publicKey == key)
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("chmod 600") == true)
        }
    }

    @Test("receipts of an earlier key are still checked after a change of keys")
    func rotation() throws {
        let deals = try RegistrationTests.Deals()
        let old = try deals.service.get(
            "/v1/registrations/\(try deals.register(deals.ada, "acme.example").id())/receipt")
        let path = deals.service.service.app.configuration.signingKeyPath
        deals.service.stop(keepingFiles: true)
        try FileManager.default.removeItem(atPath: path)
        let next = try TestService(folder: deals.service.folder)
        defer { next.stop() }
        let body: JSONValue = [
            "participant_id": .string(deals.ada.id), "account": ["domain": "new.example"],
        ]
        #expect(try next.post("/v1/registrations", body).status == 201)
        let published = try next.get("/v1/registrations/verification_key", key: nil)
        #expect(published["key_id"] != old["body.key_id"])
        #expect(published["earlier.0.key_id"] == old["body.key_id"])
        #expect(try ReceiptVerifier.verify(next.service.app.database.makeReader()).faults.isEmpty)
    }
}

/// A live registration decides who is credited.
struct RegistrationCreditTests {
    typealias Deals = RegistrationTests.Deals

    private func sale(_ deals: Deals, _ email: String, _ id: String) throws -> TestAnswer {
        try deals.service.post(
            "/v1/conversions",
            [
                "program_id": .string(deals.program), "external_id": .string(id), "ref": "ben",
                "customer": ["email": .string(email)], "kind": "purchase",
                "amount": ["amount": 100_001, "currency": "USD"],
            ])
    }

    @Test("a registration outranks the click of another, and is visible in the explanation (R89)")
    func override() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        _ = try deals.service.make(
            "/v1/programs/\(deals.program)/reward_rules",
            ["trigger": "conversion", "basis_points": 1_000])
        let before = try sale(deals, "cto@acme.example", "one")
        #expect(before["attribution.credits.0.participant_id"] == .string(deals.ben.id))
        let claim = try deals.register(deals.ada, "acme.example").id()
        let answer = try sale(deals, "cfo@mail.acme.example", "two")
        #expect(answer["attribution.reason"] == "registration", "\(answer.text)")
        #expect(answer["attribution.credits.0.participant_id"] == .string(deals.ada.id))
        #expect(answer["attribution.credits.0.registration_id"] == .string(claim))
        #expect(answer["attribution.touches.0.verdict"] == "overridden")
        #expect(answer["rewards.0.participant_id"] == .string(deals.ada.id))
        let words = try deals.service.get("/v1/conversions/\(try answer.id())/explain")
        #expect(words["summary"]?.stringValue?.contains("registration") == true)
    }

    @Test("a ruling that splits an account splits its credit to the cent")
    func split() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        _ = try deals.register(deals.ada, "acme.example")
        let refused = try #require(try deals.register(deals.ben, "acme.example")["registration_id"])
        let dispute = try deals.service.post(
            "/v1/disputes", ["registration_id": refused, "reason": "We worked on it together."])
        let ruled = try deals.service.post(
            "/v1/disputes/\(try dispute.id())/resolve",
            ["decision": "split", "claimant_share": 3_000, "reason": "Both have worked on it."])
        #expect(ruled.status == 200, "\(ruled.text)")
        let answer = try sale(deals, "cto@acme.example", "one")
        let credits = answer["attribution.credits"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(credits.compactMap { $0["parts"]?.integerValue } == [7_000, 3_000])
        let amounts = credits.compactMap { $0["amount"]?.objectValue?["amount"]?.integerValue }
        #expect(amounts == [70_001, 30_000])
    }
}
