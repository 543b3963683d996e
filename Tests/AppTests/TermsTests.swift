import JSON
import Testing

@testable import App

/// The legal terms of a program: published by version, accepted by participants, kept with what
/// came in under them.
struct TermsTests {
    private func publish(_ scene: Scene, _ text: String) throws -> TestAnswer {
        try scene.service.post("/v1/programs/\(scene.program)/terms", ["text": .string(text)])
    }

    @Test("a changed text is the next version, and earlier ones can still be read")
    func versions() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/programs/\(scene.program)/terms"
        #expect(try scene.service.get(path).status == 404)
        #expect(try publish(scene, "First.").json["version"] == 1)
        let repeated = try publish(scene, "First.")
        #expect(repeated.status == 200)
        #expect(repeated.json["version"] == 1)
        #expect(try publish(scene, "Second.").json["version"] == 2)
        #expect(try scene.service.get(path).json["text"] == "Second.")
        let first = try scene.service.get(path + "?version=1").json
        #expect(first["text"] == "First.")
        #expect(first["newest_version"] == 2)
        #expect(try scene.service.get(path + "?version=3").status == 404)
    }

    @Test("leads and registrations keep the version that their referrer had accepted then")
    func kept() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (service, ada) = (scene.service, scene.ada)
        _ = try publish(scene, "First.")
        let before = try scene.lead(ada, "one@buyer.example")
        #expect(try service.get("/v1/leads/\(before)").json["terms_version"] == .null)

        let accept = "/v1/participants/\(ada.id)/accept_terms"
        let accepted = try service.post(accept, ["version": 1], key: ada.token)
        #expect(accepted.json["terms_version"] == 1)
        #expect(accepted.json["terms_accepted_at"]?.stringValue != nil)
        let under1 = try scene.lead(ada, "two@buyer.example")
        _ = try publish(scene, "Second.")
        let still1 = try scene.lead(ada, "three@buyer.example")
        let deal = try service.make(
            "/v1/registrations",
            ["participant_id": .string(ada.id), "account": ["domain": "deal.example"]])
        _ = try service.post(accept, ["version": 2])
        let under2 = try scene.lead(ada, "four@buyer.example")

        for (lead, version) in [(under1, 1), (still1, 1), (under2, 2)] {
            let kept = try service.get("/v1/leads/\(lead)").json["terms_version"]
            #expect(kept == .integer(Int64(version)))
        }
        #expect(try service.get("/v1/registrations/\(deal)").json["terms_version"] == 1)
        #expect(try service.post(accept, ["version": 1]).status == 409)
    }

    @Test("nobody accepts terms for another, nor terms that nobody published")
    func refused() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (service, ada, ben) = (scene.service, scene.ada, scene.ben)
        _ = try publish(scene, "First.")
        let accept = "/v1/participants/\(ben.id)/accept_terms"
        #expect(try service.post(accept, ["version": 1], key: ada.token).status == 404)
        #expect(try service.post(accept, ["version": 2], key: ben.token).status == 404)
        #expect(
            try service.post(
                "/v1/programs/\(scene.program)/terms", ["text": "Mine."], key: ben.token
            ).status == 403)
        let seen = try service.get("/v1/programs/\(scene.program)/terms", key: ben.token)
        #expect(seen.json["actor"] == .null)
    }
}
