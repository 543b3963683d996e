import Foundation
import JSON
import Testing

@testable import App

/// Lists in pages: nothing twice, nothing left out, forward and back.
struct PagingTests {
    /// 25 leads, oldest first.
    static func leads(_ scene: Scene) throws -> [String] {
        try (0..<25).map { try scene.lead(scene.ada, "lead\($0)@buyer.example") }
    }

    static func links(_ answer: TestAnswer) -> [String: String] {
        var links: [String: String] = [:]
        for match in (answer.header("link") ?? "").matches(of: /<([^>]*)>; rel="([a-z]*)"/) {
            links[String(match.2)] = String(match.1)
        }
        return links
    }

    /// The path and query of a link to the service itself.
    static func target(_ service: TestService, _ link: String) throws -> String {
        let base = "http://127.0.0.1:\(service.port)"
        try #require(link.hasPrefix(base))
        return String(link.dropFirst(base.count))
    }

    @Test("following next gives every item once, newest first")
    func forward() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let leads = try Self.leads(scene)
        var seen: [String] = []
        var next: String? = "/v1/leads?limit=10"
        var sizes: [Int] = []
        while let target = next {
            let page = try scene.service.get(target)
            seen += page.ids
            sizes.append(page.ids.count)
            let link = Self.links(page)["next"]
            #expect((page["has_more"] == true) == (link != nil))
            next = try link.map { try Self.target(scene.service, $0) }
        }
        #expect(sizes == [10, 10, 5])
        #expect(seen == leads.reversed())
    }

    @Test("following prev from the end gives the same pages' items, newest first in each")
    func back() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let leads = try Self.leads(scene)
        var seen: [String] = []
        var previous: String? = "/v1/leads?limit=7&ending_before=\(leads[0])"
        while let target = previous {
            let page = try scene.service.get(target)
            seen = page.ids + seen
            previous = try Self.links(page)["prev"].map { try Self.target(scene.service, $0) }
        }
        #expect(seen == leads.dropFirst().reversed())
    }

    @Test("the first page has no prev, the last no next, the middle both")
    func linkHeaders() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let leads = try Self.leads(scene)
        let pages = try ["", "&starting_after=\(leads[15])", "&starting_after=\(leads[5])"].map {
            Set(Self.links(try scene.service.get("/v1/leads?limit=10\($0)")).keys)
        }
        #expect(pages == [["next"], ["next", "prev"], ["prev"]])
    }

    @Test("an item added meanwhile does not move the pages that follow")
    func stable() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let leads = try Self.leads(scene)
        let first = try scene.service.get("/v1/leads?limit=10")
        _ = try scene.lead(scene.ada, "late@buyer.example")
        let next = try Self.target(scene.service, try #require(Self.links(first)["next"]))
        #expect(try scene.service.get(next).ids == leads[5..<15].reversed())
    }

    @Test("a link keeps the filters of its list")
    func keepsFilters() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for index in 0..<3 { _ = try scene.lead(scene.ada, "a\(index)@buyer.example") }
        let ben = try (0..<3).map { try scene.lead(scene.ben, "b\($0)@buyer.example") }
        let first = try scene.service.get("/v1/leads?limit=2&participant_id=\(scene.ben.id)")
        let next = try Self.target(scene.service, try #require(Self.links(first)["next"]))
        #expect(next.contains("participant_id=\(scene.ben.id)"))
        #expect(try scene.service.get(next).ids == [ben[0]])
    }

    @Test("both cursors at once are 400")
    func bothCursors() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let answer = try scene.service.get(
            "/v1/leads?starting_after=\(lead)&ending_before=\(lead)")
        #expect(answer.status == 400)
        #expect(answer.pointer == "/ending_before")
    }

    @Test("an empty list has no links and no more")
    func empty() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.get("/v1/leads")
        #expect(answer["data"] == [])
        #expect(answer["has_more"] == false)
        #expect(answer["object"] == "list")
        #expect(answer["url"] == "/v1/leads")
        #expect(answer.header("link") == nil)
    }

    @Test(
        "every list of objects pages without gap or repeat",
        arguments: [
            "programs", "participants", "links", "leads", "conversions", "rewards", "payouts",
            "payout_runs", "api_keys", "clicks", "ledger/accounts", "ledger/transactions",
        ])
    func everyList(noun: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.make("/v1/programs", IdempotencyTests.program)
        for partner in [scene.ada, scene.ben] {
            _ = try scene.lead(partner, "\(partner.code)@buyer.example")
            try scene.sale(partner, "sale-\(partner.code)")
            _ = try scene.payout(partner, "pay-\(partner.code)")
            _ = try scene.service.make(
                "/v1/programs/\(scene.program)/payout_runs",
                ["reference": .string("run-\(partner.code)")])
            for agent in ["1", "2", "3"] {
                _ = try JourneyTests.click(scene.service, partner.code, agent: agent)
            }
        }
        let all = try scene.service.get("/v1/\(noun)?limit=100").ids
        #expect(all.count >= 2)
        var forward: [String] = []
        while forward.count <= all.count {
            let cursor = forward.last.map { "&starting_after=\($0)" } ?? ""
            let page = try scene.service.get("/v1/\(noun)?limit=1\(cursor)")
            forward += page.ids
            if page["has_more"] != true { break }
        }
        #expect(forward == all)
        var back = [try #require(all.last)]
        while back.count <= all.count {
            let page = try scene.service.get("/v1/\(noun)?limit=1&ending_before=\(back[0])")
            back = page.ids + back
            if page["has_more"] != true { break }
        }
        #expect(back == all)
    }

    @Test("a window by time takes its start and leaves its end out")
    func createdWindow() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        var leads: [(id: String, at: String)] = []
        for index in 0..<3 {
            scene.service.clock.advance(seconds: 60)
            let id = try scene.lead(scene.ada, "w\(index)@buyer.example")
            let at = try scene.service.get("/v1/leads/\(id)")["created_at"]?.stringValue
            leads.append((id, try #require(at)))
        }
        let answer = try scene.service.get(
            "/v1/leads?created_at[gte]=\(leads[1].at)&created_at[lt]=\(leads[2].at)")
        #expect(answer.ids == [leads[1].id])
    }

    @Test("an object's tag is its version, and every change raises it")
    func tags() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/links/\(scene.ada.link)"
        #expect(try scene.service.get(path).header("etag") == "\"1\"")
        #expect(
            try scene.service.send("PATCH", path, ["channel": "social"]).header("etag") == "\"2\"")
        #expect(try scene.service.post("\(path)/disable").header("etag") == "\"3\"")
        #expect(try scene.service.get(path).header("etag") == "\"3\"")
    }
}
