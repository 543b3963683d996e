import JSON
import Model
import Testing

@testable import App

/// Whether somebody who refers himself is found out by his address of the network (R241), and by
/// what he is not.
struct SelfReferralAddressTests {
    private static let here = "203.0.113.7"
    private static let browser = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"

    private let stage: CreditStage
    private var service: TestService { stage.service }

    /// An hour after midnight UTC, so that no test runs into the next day.
    init() throws { try self.init(kind: "customer") }

    private init(kind: String) throws {
        stage = try CreditStage(kind: kind)
        let dayMilliseconds: Int64 = 86_400_000
        let passed = stage.service.clock.clock.now().milliseconds % dayMilliseconds
        stage.service.clock.advance(seconds: (dayMilliseconds - passed) / 1_000 + 3_600)
    }

    private func headers(_ address: String?, _ more: [(String, String)] = []) -> [(String, String)]
    {
        (address.map { [("X-Forwarded-For", $0)] } ?? []) + [("User-Agent", Self.browser)] + more
    }

    /// A participant's portal in the browser refers somebody.
    private func refer(
        _ participant: String, from address: String?, _ more: [(String, String)] = []
    ) throws {
        let token = try Scene.token(service, of: participant)
        let answer = try service.send(
            "POST", "/v1/leads", ["email": .string("\(participant)@other.example")], key: token,
            headers: headers(address, more))
        #expect(answer.status == 201, "\(answer.text)")
    }

    /// The flags of the first reward for a sale to whom a form refers by Ada's code.
    private func flags(
        from address: String?, _ fields: [(String, String)] = [("ref", "code-ada")],
        _ more: [(String, String)] = []
    ) throws -> [JSONObject] {
        let lead = try service.postForm(
            stage.program, [("email", "sam@buyer.example")] + fields, accept: "application/json",
            headers: headers(address, more))
        let sale = try stage.sell("s1", customer: nil, ["lead_id": .string(try lead.id())])
        #expect(!sale.text.contains("203.0"))
        #expect(sale["rewards.0.participant_id"] == .string(stage.ada), "\(sale.text)")
        return sale["rewards.0.flags"]?.arrayValue?.compactMap(\.objectValue) ?? []
    }

    private func signals(_ flags: [JSONObject]) -> [String] {
        flags.compactMap { $0["evidence"]?.objectValue?["signal"]?.stringValue }
    }

    @Test(
        "a form posted from where the participant is that day is flagged in customer programs",
        arguments: [
            ("customer", here, here, ["address"]), ("customer", here, "203.0.113.8", []),
            // Of IPv6 the network tells.
            ("customer", "2001:db8:1:2::3", "2001:db8:1:2:9::", ["address"]),
            ("customer", "2001:db8:1:2::3", "2001:db8:1:3::3", []),
            ("partner", here, here, []), ("employee", here, here, []),
            // A proxy of our own is everybody.
            ("customer", nil, nil, []), ("customer", "127.0.0.9", "127.0.0.9", []),
        ] as [(String, String?, String?, [String])])
    func form(kind: String, participant: String?, buyer: String?, hits: [String]) throws {
        let test = try SelfReferralAddressTests(kind: kind)
        defer {
            test.service.stop()
            service.stop()
        }
        try test.refer(test.stage.ada, from: participant)
        let flags = try test.flags(from: buyer)
        #expect(signals(flags) == hits)
        for flag in flags { #expect(flag["evidence"]?.objectValue?["lead_id"] != nil) }
    }

    @Test("on another day the same address is another")
    func nextDay() throws {
        defer { service.stop() }
        try refer(stage.ada, from: Self.here)
        service.clock.advance(days: 1)
        #expect(try flags(from: Self.here).isEmpty)
    }

    @Test("nothing is kept of who objects to be known again", arguments: [true, false])
    func untracked(isParticipant: Bool) throws {
        defer { service.stop() }
        let objection = [("Sec-GPC", "1")]
        try refer(stage.ada, from: Self.here, isParticipant ? objection : [])
        let flags = try flags(
            from: Self.here, [("ref", "code-ada")], isParticipant ? [] : objection)
        #expect(flags.isEmpty)
    }

    @Test("a referrer who fills in the form himself is not the referred person")
    func ownForm() throws {
        defer { service.stop() }
        try refer(stage.ada, from: Self.here)
        #expect(
            try flags(from: Self.here, [("referrer_email", "ada@partner.example")]).isEmpty)
    }

    @Test("what only reads or is refused tells nothing of where a participant is")
    func nothingWritten() throws {
        defer { service.stop() }
        let token = try Scene.token(service, of: stage.ada)
        let headers = headers(Self.here)
        #expect(try service.send("GET", "/v1/leads", key: token, headers: headers).status == 200)
        let rehearsed = try service.send(
            "POST", "/v1/leads", ["email": "kim@other.example"], key: token,
            headers: headers + [("Dry-Run", "true")])
        #expect(rehearsed.status == 201)
        #expect(try flags(from: Self.here).isEmpty)
    }

    @Test(
        "an address that more than three participants share tells nothing", arguments: [3, 4])
    func shared(participants: Int) throws {
        defer { service.stop() }
        let more = try Scene.partner(service, program: stage.program, name: "kim")
        for participant in [stage.ada, stage.ben, stage.eve, more.id].prefix(participants) {
            try refer(participant, from: Self.here)
        }
        #expect(signals(try flags(from: Self.here)) == (participants > 3 ? [] : ["address"]))
    }

    @Test(
        "a click in the participant's own browser is flagged, and another's at his address is not",
        arguments: [(browser, true), ("Mozilla/5.0 (Macintosh) Safari/605.1.15", false)])
    func click(agent: String, isHit: Bool) throws {
        defer { service.stop() }
        try refer(stage.ada, from: Self.here)
        let answer = try service.send(
            "GET", "/r/code-ada", key: nil,
            headers: [("X-Forwarded-For", Self.here), ("User-Agent", agent)])
        let place = try #require(answer.header("location"))
        let click = try #require(place.split(separator: "click_id=").last).prefix { $0 != "&" }
        let sale = try stage.sell(
            "s1", customer: nil,
            ["click_id": .string(String(click)), "customer": ["email": "sam@buyer.example"]])
        let flags = sale["rewards.0.flags"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(signals(flags) == (isHit ? ["address"] : []), "\(sale.text)")
        let evidence = flags.first?["evidence"]?.objectValue
        #expect(evidence?["click_id"] == (isHit ? .string(String(click)) : nil))
    }
}
