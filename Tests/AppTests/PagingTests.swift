import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// Lists, page by page.
struct PagingTests {
    /// A service with 25 leads; their ids, newest first.
    private static func leads(_ service: TestService) throws -> [String] {
        let program = try TwoReferrers.program(service)
        let ada = try TwoReferrers.participant("ada", in: program, service)
        return try (1...25).map { number in
            try service.make(
                "/v1/leads",
                ["participant_id": .string(ada), "email": .string("n\(number)@buyer.example")])
        }.reversed()
    }

    private static func ids(_ page: TestAnswer) -> [String] {
        (page["data"]?.arrayValue ?? []).compactMap { $0.objectValue?["id"]?.stringValue }
    }

    /// The path and query of a link relation of the `Link` field.
    private static func link(_ relation: String, _ page: TestAnswer) throws -> String? {
        let links = (page.header("link") ?? "").components(separatedBy: ", ")
        guard let link = links.first(where: { $0.hasSuffix("; rel=\"\(relation)\"") }) else {
            return nil
        }
        let url = try #require(
            URLComponents(string: String(link.drop { $0 == "<" }.prefix { $0 != ">" })))
        return "\(url.percentEncodedPath)?\(url.percentEncodedQuery ?? "")"
    }

    @Test("25 objects come in pages of 10 by following Link, forward and back, each once")
    func links() throws {
        let service = try TestService()
        defer { service.stop() }
        let all = try Self.leads(service)
        var pages = [try service.get("/v1/leads?limit=10")]
        #expect(try Self.link("prev", pages[0]) == nil)
        while let next = try Self.link("next", pages[pages.count - 1]), pages.count < 10 {
            pages.append(try service.get(next))
        }
        #expect(pages.map { Self.ids($0).count } == [10, 10, 5])
        #expect(pages.flatMap(Self.ids) == all)
        #expect(pages.map { $0["has_more"] } == [true, true, false])

        var back = [pages[2]]
        while let previous = try Self.link("prev", back[0]), back.count < 10 {
            back.insert(try service.get(previous), at: 0)
        }
        #expect(back.map(Self.ids) == pages.map(Self.ids))
    }

    @Test("a page is 10 unless told, with the rest of the query kept in its links")
    func defaults() throws {
        let service = try TestService()
        defer { service.stop() }
        let all = try Self.leads(service)
        let page = try service.get("/v1/leads?status=submitted")
        #expect(Self.ids(page) == Array(all.prefix(10)))
        #expect(page["object"] == "list")
        #expect(page["url"] == "/v1/leads")
        #expect(
            try Self.link("next", page)
                == "/v1/leads?status=submitted&starting_after=\(all[9])")
    }

    @Test("cursors are exclusive: what they name is not on the page", arguments: [1, 7, 24])
    func cursors(place: Int) throws {
        let service = try TestService()
        defer { service.stop() }
        let all = try Self.leads(service)
        let older = try service.get("/v1/leads?limit=100&starting_after=\(all[place])")
        #expect(Self.ids(older) == Array(all[(place + 1)...]))
        #expect(older["has_more"] == false)
        let newer = try service.get("/v1/leads?limit=100&ending_before=\(all[place])")
        #expect(Self.ids(newer) == Array(all[..<place]))
        let nearest = try service.get("/v1/leads?limit=1&ending_before=\(all[place])")
        #expect(Self.ids(nearest) == [all[place - 1]])
        #expect(nearest["has_more"] == .bool(place > 1))
    }

    @Test("what is created meanwhile neither shifts nor repeats what follows")
    func growingList() throws {
        let service = try TestService()
        defer { service.stop() }
        let all = try Self.leads(service)
        let first = try service.get("/v1/leads?limit=10")
        let lead = try service.get("/v1/leads/\(all[0])")
        _ = try service.make(
            "/v1/leads",
            [
                "participant_id": try #require(lead["participant_id"]),
                "email": "late@buyer.example",
            ])
        let next = try #require(try Self.link("next", first))
        #expect(Self.ids(try service.get(next)) == Array(all[10..<20]))
    }

    @Test("a page that is exactly full says whether there is more")
    func fullPage() throws {
        let service = try TestService()
        defer { service.stop() }
        let all = try Self.leads(service)
        let full = try service.get("/v1/leads?limit=25")
        #expect(Self.ids(full) == all)
        #expect(full["has_more"] == false)
        #expect(full.header("link") == nil)
        let short = try service.get("/v1/leads?limit=24")
        #expect(short["has_more"] == true)
    }

    /// The lists that have cursors, with an id of each.
    private static func lists(_ service: TestService) throws -> [(path: String, id: String)] {
        let both = try TwoReferrers(service)
        let program = "/v1/programs/\(both.program)"
        func first(_ path: String) throws -> String {
            try #require(try service.get(path)["data.0.id"]?.stringValue, "\(path) is empty")
        }
        _ = try service.send("GET", "/r/ada", key: nil)
        return try [
            "/v1/programs", "\(program)/reward_rules", "/v1/participants",
            "/v1/participants/\(both.ada.id)/tokens", "/v1/links", "/v1/clicks", "/v1/leads",
            "/v1/conversions", "/v1/rewards", "/v1/payouts", "/v1/ledger/accounts",
            "/v1/ledger/transactions", "/v1/api_keys",
        ].map { ($0, try first($0)) }
    }

    @Test("every list takes cursors, and refuses those that name nothing in it")
    func everyList() throws {
        let service = try TestService()
        defer { service.stop() }
        let lists = try Self.lists(service)
        let withCursors = RouteTable.all.endpoints.filter { endpoint in
            endpoint.about.query.contains { $0.name == "starting_after" }
        }
        #expect(lists.count == withCursors.count)
        for (path, id) in lists {
            let absent = id.prefix { $0 != "_" } + "_01h45ytscbebyvny4gc8cr8ma2"
            for name in ["starting_after", "ending_before"] {
                let target = "\(path)?\(name)="
                #expect(try service.get(target + id).status == 200, "\(target)")
                for wrong in [String(absent), "none", "req_01h45ytscbebyvny4gc8cr8ma2"] {
                    let answer = try service.get(target + wrong)
                    #expect(answer.status == 400, "\(target)\(wrong)")
                    #expect(answer["errors.0.pointer"] == .string("/\(name)"), "\(target)")
                    #expect(answer["errors.0.code"] == "unknown_cursor", "\(target)")
                }
            }
            let both = try service.get("\(path)?starting_after=\(id)&ending_before=\(id)")
            #expect(both.status == 400, "\(path)")
            #expect(both["errors.0.code"] == "exclusive", "\(path)")
        }
    }

    @Test("a list between two times holds what was created from the first on, before the second")
    func createdWindow() throws {
        let service = try TestService()
        defer { service.stop() }
        let all = try Self.leads(service)
        let middle = try service.get("/v1/leads/\(all[12])")
        let instant = try #require(middle["created_at"]?.stringValue)
        let from = Self.ids(try service.get("/v1/leads?limit=100&created_at[gte]=\(instant)"))
        let before = Self.ids(try service.get("/v1/leads?limit=100&created_at[lt]=\(instant)"))
        #expect(from.contains(all[12]))
        #expect(from + before == all)
        let none = try service.get(
            "/v1/leads?created_at[gte]=\(instant)&created_at[lt]=\(instant)")
        #expect(none["data"] == .array([]))
    }
}
