import Testing

@testable import HTTP

private let router: Router<String> = {
    var router = Router<String>()
    router.add(.get, "/", "root")
    router.add(.get, "/r/{code}", "redirect")
    router.add(.get, "/v1/leads", "list")
    router.add(.post, "/v1/leads", "create")
    router.add(.get, "/v1/leads/{id}", "lead")
    router.add(.delete, "/v1/leads/{id}", "remove")
    router.add(.post, "/v1/leads/bulk", "bulk")
    router.add(.post, "/v1/leads/{id}/qualify", "qualify")
    router.add(.get, "/v1/{kind}/{id}/events/{event}", "event")
    return router
}()

struct RouteCase: Sendable {
    let method: HTTP.Method
    let path: String
    let outcome: String

    init(_ method: HTTP.Method, _ path: String, _ outcome: String) {
        self.method = method
        self.path = path
        self.outcome = outcome
    }
}

private func describe(_ match: Router<String>.Match) -> String {
    switch match {
    case .found(let endpoint, let parameters):
        ([endpoint] + (0..<parameters.count).map { parameters[$0] ?? "nil" }).joined(separator: " ")
    case .methodNotAllowed(let allow): "405 \(allow)"
    case .notFound: "404"
    }
}

private let routes: [RouteCase] = [
    RouteCase(.get, "/", "root"),
    RouteCase(.head, "/", "root"),
    RouteCase(.get, "/r/abc", "redirect abc"),
    RouteCase(.get, "/r/a%62c", "redirect abc"),
    RouteCase(.get, "/r/a+b", "redirect a+b"),
    RouteCase(.get, "/r/%C3%A9", "redirect é"),
    RouteCase(.get, "/r/%2561", "redirect %61"),
    RouteCase(.get, "/v1/leads", "list"),
    RouteCase(.post, "/v1/leads", "create"),
    RouteCase(.get, "/v1/leads/l1", "lead l1"),
    RouteCase(.post, "/v1/leads/bulk", "bulk"),
    RouteCase(.post, "/v1/leads/bulk/qualify", "qualify bulk"),
    RouteCase(.post, "/v1/leads/l1/qualify", "qualify l1"),
    RouteCase(.get, "/v1/leads/l1/events/e1", "event leads l1 e1"),
    RouteCase(.get, "/v1/leads/bulk", "405 POST, OPTIONS"),
    RouteCase(.put, "/v1/leads/l1", "405 GET, HEAD, DELETE, OPTIONS"),
    RouteCase(.trace, "/v1/leads", "405 GET, HEAD, POST, OPTIONS"),
    RouteCase(.other, "/v1/leads", "405 GET, HEAD, POST, OPTIONS"),
    RouteCase(.options, "/v1/leads", "405 GET, HEAD, POST, OPTIONS"),
    RouteCase(.head, "/v1/leads/bulk", "405 POST, OPTIONS"),
    RouteCase(.get, "/v1", "404"),
    RouteCase(.get, "/v1/leads/", "404"),
    RouteCase(.get, "/v1//leads", "404"),
    RouteCase(.get, "//", "404"),
    RouteCase(.get, "", "404"),
    RouteCase(.options, "*", "404"),
    RouteCase(.get, "/v1/./leads", "404"),
    RouteCase(.get, "/r/../v1/leads", "404"),
    RouteCase(.get, "/r/..", "404"),
    RouteCase(.get, "/r/%2e%2E", "404"),
    RouteCase(.get, "/r/%2e", "404"),
    RouteCase(.get, "/r/", "404"),
    RouteCase(.get, "/r/a%2Fb", "404"),
    RouteCase(.get, "/r/a%00", "404"),
    RouteCase(.get, "/r/a%0A", "404"),
    RouteCase(.get, "/r/%C3", "404"),
    RouteCase(.get, "/r/%", "404"),
    RouteCase(.get, "/r/%4", "404"),
    RouteCase(.get, "/r/%zz", "404"),
    RouteCase(.put, "/r/%zz", "404"),
    RouteCase(.get, "/%76%31/leads", "404"),
    RouteCase(.get, "/V1/leads", "404"),
]

@Test("a path finds its route and nothing else does", arguments: routes)
func route(_ row: RouteCase) {
    #expect(describe(router.match(row.method, path: row.path)) == row.outcome)
}

@Test("parameters are found by the template's names")
func parameterNames() {
    guard case .found(_, let parameters) = router.match(.get, path: "/v1/a/b/events/c") else {
        Issue.record("not found")
        return
    }
    #expect(parameters["kind"] == "a")
    #expect(parameters["id"] == "b")
    #expect(parameters["event"] == "c")
    #expect(parameters["other"] == nil)
    #expect(parameters[3] == nil)
}
