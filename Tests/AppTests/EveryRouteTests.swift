import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// What holds for every route, so that a new one cannot be left out: without a row here for its
/// noun, these tests fail.
struct EveryRouteTests {
    private static let endpoints = RouteTable.all.endpoints

    /// One id for every noun of a path, all of one partner.
    private struct Objects {
        let ids: [String: String]

        init(_ scene: Scene, of partner: Scene.Partner) throws {
            let service = scene.service
            let sale = try scene.sale(partner, "sale-of-\(partner.code)")
            let rules = "/v1/programs/\(scene.program)/reward_rules"
            let tokens = "/v1/participants/\(partner.id)/tokens"
            _ = try JourneyTests.click(service, partner.code)
            _ = try service.post("/v1/programs/\(scene.program)/terms", ["text": "First."])
            let clicks = try service.get("/v1/clicks?link_id=\(partner.link)").ids
            ids = [
                "programs": scene.program, "participants": partner.id, "links": partner.link,
                "reward_rules": try #require(
                    try service.get(rules + "?status=active").ids.first),
                "campaigns": try service.make(
                    "/v1/programs/\(scene.program)/campaigns", Objects.campaign),
                "benefits": try Objects.benefit(scene, of: partner),
                "catalog_items": try Scene.catalogItem(
                    service, in: scene.program, sku: partner.code),
                "redemptions": try Objects.redemption(scene, of: partner),
                "tokens": try #require(try service.get(tokens).ids.first),
                "leads": try scene.lead(partner, "\(partner.code)@buyer.example"),
                "conversions": try sale.id(),
                "attributions": try #require(sale["attribution.id"]?.stringValue),
                "refunds": try Objects.refund(service, sale),
                "rewards": try #require(sale["rewards.0.id"]?.stringValue),
                "payouts": try scene.payout(partner, "payout-of-\(partner.code)"),
                "payout_runs": try service.make(
                    "/v1/programs/\(scene.program)/payout_runs",
                    ["reference": .string("run-of-\(partner.code)")]),
                "api_keys": try Scene.key(service, "read").id,
                "clicks": try #require(clicks.first),
                "ledger/accounts": try #require(
                    try service.get("/v1/ledger/accounts").ids.first),
                "accounts": try service.make(
                    "/v1/accounts",
                    ["domain": .string("\(partner.code)-known.example"), "relation": "former"]),
                "registrations": try service.make(
                    "/v1/registrations",
                    [
                        "participant_id": .string(partner.id),
                        "account": ["domain": .string("\(partner.code)-deal.example")],
                    ]),
                "disputes": try Objects.dispute(service, of: partner, scene),
                "touchpoints": try service.make(
                    "/v1/touchpoints",
                    [
                        "participant_id": .string(partner.id), "source": "partner",
                        "customer": ["external_id": .string("touched-by-\(partner.code)")],
                    ]),
                "rehearsals": try service.make(
                    "/v1/programs/\(scene.program)/rehearsals", Objects.rehearsal),
                "customers": try #require(sale["customer_id"]?.stringValue),
                "customer_merges": try Objects.merge(service, sale),
                "transactions": try #require(try service.get("/v1/ledger/transactions").ids.first),
            ]
        }

        /// A cent of the sale.
        static func refund(_ service: TestService, _ sale: TestAnswer) throws -> String {
            try service.make(
                "/v1/conversions/\(sale.id())/refund",
                [
                    "external_id": .string("cent-of-\(sale.id())"),
                    "amount": ["amount": 1, "currency": "USD"],
                ])
        }

        /// A perk for sending a lead, of a rule that is over by now.
        static func benefit(_ scene: Scene, of partner: Scene.Partner) throws -> String {
            let rules = "/v1/programs/\(scene.program)/reward_rules"
            let rule = try scene.service.make(
                rules, ["trigger": "lead.submitted", "kind": "perk", "description": "A mug"])
            _ = try scene.lead(partner, "sam@\(partner.code)-perk.example")
            #expect(try scene.service.post("\(rules)/\(rule)/archive").status == 200)
            let benefits = try scene.service.get("/v1/benefits?participant_id=\(partner.id)")
            return try #require(benefits.ids.first)
        }

        /// Half of the points of a sale, by a rule that is over by now.
        static func redemption(_ scene: Scene, of partner: Scene.Partner) throws -> String {
            let rules = "/v1/programs/\(scene.program)/reward_rules"
            let rule = try scene.service.make(
                rules, ["trigger": "purchase", "kind": "points", "points": 1_000])
            try scene.sale(partner, "points-of-\(partner.code)")
            #expect(try scene.service.post("\(rules)/\(rule)/archive").status == 200)
            let item = try Scene.catalogItem(
                scene.service, in: scene.program, sku: "redeemed-by-\(partner.code)")
            return try scene.service.make(
                "/v1/redemptions",
                ["participant_id": .string(partner.id), "item_id": .string(item)])
        }

        /// In days to come, so that it can be changed.
        static let campaign: JSONValue = [
            "name": "Double", "starts_at": "2099-01-01T00:00:00Z",
            "ends_at": "2099-02-01T00:00:00Z", "multiplier_basis_points": 20_000,
        ]

        /// A dispute between the partner and a third one.
        static func dispute(
            _ service: TestService, of partner: Scene.Partner, _ scene: Scene
        ) throws -> String {
            let third = try Scene.partner(
                service, program: scene.program, name: "third-\(partner.code)")
            let account: JSONValue = ["domain": .string("\(partner.code)-contested.example")]
            _ = try service.make(
                "/v1/registrations",
                ["participant_id": .string(third.id), "account": account])
            let refused = try service.post(
                "/v1/registrations",
                ["participant_id": .string(partner.id), "account": account])
            return try service.make(
                "/v1/disputes",
                [
                    "registration_id": try #require(refused["registration_id"]),
                    "reason": "We were first.",
                ])
        }

        static let rehearsal: JSONValue = [
            "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z",
            "attribution": ["model": "linear"],
        ]

        /// Another customer that is the same person as the sale's.
        static func merge(_ service: TestService, _ sale: TestAnswer) throws -> String {
            let touch = try service.post(
                "/v1/touchpoints",
                [
                    "program_id": try #require(sale["program_id"]), "source": "sales",
                    "customer": ["external_id": .string(UUID().uuidString)],
                ])
            let kept = try #require(sale["customer_id"]?.stringValue)
            return try service.make(
                "/v1/customers/\(kept)/merge",
                ["customer_id": try #require(touch["customer_id"]), "reason": "They said so."])
        }

        /// The endpoint's path with these ids in place of its parameters.
        func target(_ endpoint: Endpoint) throws -> String {
            var parts = endpoint.path.components(separatedBy: "/")
            for index in parts.indices where parts[index].hasPrefix("{") {
                let noun = parts[index - 1]
                parts[index] = try #require(
                    ids["\(parts[index - 2])/\(noun)"] ?? ids[noun], "no id for \(endpoint.path)")
            }
            return parts.joined(separator: "/")
        }
    }

    private static func name(_ endpoint: Endpoint) -> String {
        "\(endpoint.method.rawValue) \(endpoint.path)"
    }

    private static func isShared(_ endpoint: Endpoint) -> Bool {
        if case .keyOrParticipant = endpoint.access { true } else { false }
    }

    // MARK: - Tokens

    @Test("every reading route that tokens share answers 404 for what is another participant's")
    func tokenReads() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (own, other) = try (
            Objects(scene, of: scene.ada), Objects(scene, of: scene.ben)
        )
        let reads = Self.endpoints.filter {
            Self.isShared($0) && $0.method == .get && $0.path.contains("{")
                && !$0.path.hasPrefix("/v1/programs") && !$0.path.hasPrefix("/v1/catalog_items")
        }
        #expect(reads.count >= 11)
        for endpoint in reads {
            let (mine, theirs) = try (own.target(endpoint), other.target(endpoint))
            #expect(try scene.service.get(mine, key: scene.ada.token).status == 200, "\(mine)")
            #expect(try scene.service.get(theirs).status == 200, "\(theirs)")
            let answer = try scene.service.get(theirs, key: scene.ada.token)
            #expect(answer.status == 404, "\(theirs)")
            #expect(answer.code == "not_found", "\(theirs)")
        }
    }

    @Test(
        "tokens write nothing but links, leads, claims, disputes, redemptions and what they accept")
    func tokenWrites() {
        let writes = Self.endpoints.filter { Self.isShared($0) && $0.method != .get }
        #expect(
            writes.map(Self.name) == [
                "POST /v1/participants/{id}/accept_terms", "POST /v1/links", "POST /v1/leads",
                "POST /v1/leads/bulk",
                "POST /v1/registrations", "PATCH /v1/registrations/{id}",
                "POST /v1/registrations/{id}/extend",
                "POST /v1/registrations/{id}/withdraw", "POST /v1/disputes",
                "POST /v1/disputes/{id}/evidence", "POST /v1/rewards/{id}/choose",
                "POST /v1/redemptions",
            ])
    }

    // MARK: - Lists

    @Test("every list refuses a cursor to what is not in it, for tokens as for keys")
    func cursors() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (own, other) = try (
            Objects(scene, of: scene.ada), Objects(scene, of: scene.ben)
        )
        let elsewhere = try scene.service.make("/v1/programs", IdempotencyTests.program)
        // Of what all participants of a program share.
        let foreigners = [
            "programs": elsewhere,
            "catalog_items": try Scene.catalogItem(scene.service, in: elsewhere),
        ]
        for endpoint in Self.endpoints
        where endpoint.about.query.contains(where: { $0.name == "ending_before" }) {
            let last = try #require(endpoint.path.split(separator: "/").last.map(String.init))
            let noun = endpoint.path.hasPrefix("/v1/ledger/a") ? "ledger/accounts" : last
            let target = try own.target(endpoint)
            let id = try #require(own.ids[noun], "no id for \(endpoint.path)")
            let foreign = try #require(foreigners[noun] ?? other.ids[noun])
            let absent = id.prefix { $0 != "_" } + "_01h455vb4pex5vsknk084sn02q"
            for name in ["starting_after", "ending_before"] {
                func ask(_ cursor: String, _ key: String) throws -> TestAnswer {
                    try scene.service.get("\(target)?\(name)=\(cursor)", key: key)
                }
                #expect(try ask(id, "admin").status == 200, "\(target) \(name)")
                for wrong in [String(absent), "none", "req_01h455vb4pex5vsknk084sn02q"] {
                    let answer = try ask(wrong, "admin")
                    #expect(answer.status == 400, "\(target) \(wrong)")
                    #expect(answer.pointer == "/\(name)", "\(target) \(wrong)")
                }
                #expect(
                    try ask(String(absent), "admin")["errors.0.code"] == "unknown_cursor",
                    "\(target)")
                guard Self.isShared(endpoint) else { continue }
                #expect(try ask(id, scene.ada.token).status == 200, "\(target) \(name)")
                let refused = try ask(foreign, scene.ada.token)
                #expect(refused["errors.0.code"] == "unknown_cursor", "\(target) \(name)")
            }
        }
    }

    @Test("a list of one participant's tokens, or one program's rules, takes no cursor of another")
    func nestedCursors() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (own, other) = try (
            Objects(scene, of: scene.ada), Objects(scene, of: scene.ben)
        )
        let tokens = "/v1/participants/\(scene.ada.id)/tokens?starting_after="
        #expect(try scene.service.get(tokens + (own.ids["tokens"] ?? "")).status == 200)
        #expect(try scene.service.get(tokens + (other.ids["tokens"] ?? "")).status == 400)
        let elsewhere = try scene.service.make("/v1/programs", IdempotencyTests.program)
        let rules = "/v1/programs/\(elsewhere)/reward_rules?starting_after="
        #expect(try scene.service.get(rules + (own.ids["reward_rules"] ?? "")).status == 400)
    }

    // MARK: - Writes

    /// A valid body for every write; routes without a row take none.
    private static func body(
        _ endpoint: Endpoint, _ scene: Scene, _ objects: Objects
    ) throws -> JSONValue {
        let ada = JSONValue.string(scene.ada.id)
        let cents: JSONValue = ["amount": 100, "currency": "USD"]
        switch name(endpoint) {
        case "POST /v1/programs": return IdempotencyTests.program
        case "PATCH /v1/programs/{id}": return ["name": "C"]
        case "POST /v1/programs/{id}/reward_rules":
            return ["trigger": "lead.won", "amount": cents]
        case "POST /v1/programs/{id}/campaigns": return Objects.campaign
        case "PATCH /v1/programs/{id}/campaigns/{campaign_id}": return ["name": "Triple"]
        case "PATCH /v1/programs/{id}/reward_rules/{rule_id}": return ["basis_points": 500]
        case "POST /v1/participants":
            return [
                "program_id": .string(scene.program), "name": "Eve",
                "email": "eve@partner.example",
            ]
        case "PATCH /v1/participants/{id}": return ["name": "Ada L."]
        case "POST /v1/links": return ["participant_id": ada]
        case "POST /v1/links/bulk": return ["items": [["participant_id": ada]]]
        case "PATCH /v1/links/{id}": return ["campaign": "spring"]
        case "POST /v1/leads": return ["participant_id": ada, "email": "dry@buyer.example"]
        case "POST /v1/leads/bulk":
            return ["items": [["participant_id": ada, "email": "dry@buyer.example"]]]
        case "POST /v1/leads/{id}/attach":
            return ["lead_id": "lead_01h455vb4pex5vsknk084sn02q"]
        case "PATCH /v1/leads/{id}": return ["company": "Acme"]
        case "POST /v1/leads/{id}/disqualify", "POST /v1/leads/{id}/lose":
            return ["reason_code": "no_budget", "reason": "next year"]
        case "POST /v1/leads/{id}/nurture": return ["follow_up_at": "2099-01-01T00:00:00Z"]
        case "POST /v1/leads/{id}/reopen": return ["reason": "they called"]
        case "POST /v1/programs/{id}/terms": return ["text": "Second."]
        case "POST /v1/participants/{id}/accept_terms": return ["version": 1]
        case "POST /v1/programs/{id}/rehearsals": return Objects.rehearsal
        case "POST /v1/touchpoints":
            return [
                "program_id": .string(scene.program), "customer": ["external_id": "dry"],
                "source": "sales",
            ]
        case "POST /v1/touchpoints/bulk":
            return [
                "items": [
                    [
                        "program_id": .string(scene.program), "customer": ["external_id": "dry"],
                        "source": "sales",
                    ]
                ]
            ]
        case "POST /v1/customers/bulk": return ["items": [["email": "dry@buyer.example"]]]
        case "POST /v1/customers/{id}/merge":
            let customer = try #require(objects.ids["customers"])
            return ["customer_id": .string(customer), "reason": "because"]
        case "POST /v1/customer_merges/{id}/undo": return ["reason": "because"]
        case "POST /v1/conversions":
            return ["external_id": "dry", "ref": "ada", "kind": "purchase", "amount": cents]
        case "POST /v1/conversions/{id}/refund": return ["external_id": "dry", "amount": cents]
        case "POST /v1/refunds":
            return [
                "program_id": .string(scene.program), "conversion_external_id": "dry",
                "external_id": "dry",
            ]
        case "POST /v1/refunds/{id}/reverse": return ["external_id": "dry", "kind": "mistake"]
        case "POST /v1/rewards":
            return ["participant_id": ada, "amount": cents, "reason": "because"]
        case "POST /v1/conversions/{id}/reattribute":
            return ["reason": "because", "credits": [["participant_id": ada, "parts": 1]]]
        case "POST /v1/rewards/{id}/reject", "POST /v1/rewards/{id}/void",
            "POST /v1/rewards/{id}/claw_back",
            "POST /v1/benefits/{id}/void", "POST /v1/redemptions/{id}/cancel",
            "POST /v1/payouts/{id}/fail":
            return ["reason": "because"]
        case "POST /v1/rewards/{id}/choose": return ["kind": "cash"]
        case "POST /v1/programs/{id}/payout_runs": return ["reference": "dry"]
        case "POST /v1/payouts": return ["participant_id": ada, "reference": "dry"]
        case "POST /v1/payouts/{id}/return": return ["reason": "because"]
        case "POST /v1/catalog_items": return catalogItem(scene)
        case "POST /v1/catalog_items/bulk": return ["items": [catalogItem(scene)]]
        case "PATCH /v1/catalog_items/{id}": return ["points": 600]
        case "POST /v1/redemptions":
            let item = try #require(objects.ids["catalog_items"])
            return ["participant_id": ada, "item_id": .string(item)]
        case "POST /v1/accounts": return ["domain": "dry.example", "relation": "customer"]
        case "POST /v1/accounts/bulk":
            return ["items": [["domain": "dry.example", "relation": "customer"]]]
        case "PATCH /v1/accounts/{id}": return ["relation": "customer"]
        case "POST /v1/registrations":
            return ["participant_id": ada, "account": ["domain": "dry.example"]]
        case "PATCH /v1/registrations/{id}": return ["contact": ["name": "Grace"]]
        case "POST /v1/registrations/{id}/reject", "POST /v1/registrations/{id}/lose":
            return ["reason_code": "other", "reason": "because"]
        case "POST /v1/registrations/{id}/extend":
            return ["evidence": [["kind": "budget_talk"]]]
        case "POST /v1/disputes":
            // It was not refused, hence has nothing to dispute: 422.
            let registration = try #require(objects.ids["registrations"])
            return ["registration_id": .string(registration), "reason": "We were first."]
        case "POST /v1/disputes/{id}/evidence": return ["note": "A photograph."]
        case "POST /v1/disputes/{id}/resolve": return ["decision": "uphold", "reason": "So be it."]
        case "POST /v1/api_keys": return ["name": "dry", "scopes": ["read"]]
        default: return [:]
        }
    }

    private static func catalogItem(_ scene: Scene) -> JSONValue {
        [
            "program_id": .string(scene.program), "sku": "dry", "name": "A mug", "kind": "perk",
            "points": 500,
        ]
    }

    @Test("a dry run of every write writes nothing, shows no secret and does not use up its key")
    func dryRuns() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let objects = try Objects(scene, of: scene.ada)
        // Something that no payout holds yet.
        try scene.sale(scene.ada, "second")
        // What works in the background is to have ended, for it writes.
        for noun in ["payout_runs", "rehearsals"] {
            let path = "/v1/\(noun)/\(objects.ids[noun] ?? "")"
            #expect(
                try eventually {
                    ["done", "failed"].contains(
                        try scene.service.get(path)["status"]?.stringValue)
                })
        }
        let before = try Scene.rowCount(scene.service)
        var accepted = 0
        let writes = Self.endpoints.filter { $0.path.hasPrefix("/v1/") && $0.action.isWrite }
        for endpoint in writes {
            let body = try Self.body(endpoint, scene, objects)
            let answer = try scene.service.send(
                endpoint.method.rawValue, objects.target(endpoint), body,
                headers: [("Dry-Run", "true"), ("Idempotency-Key", "dry")])
            // The state may forbid an action, but the body is right.
            #expect(
                answer.status < 300 || answer.status == 409
                    || answer.code == "nothing_contested",
                "\(Self.name(endpoint)): \(answer.text)")
            if answer.status < 300 { accepted += 1 }
            #expect(answer.header("dry-run") == "true", "\(Self.name(endpoint))")
            #expect(answer.header("idempotent-replayed") == nil, "\(Self.name(endpoint))")
            if endpoint.secretMember != nil { #expect(answer["secret"] == .null) }
            #expect(try Scene.rowCount(scene.service) == before, "\(Self.name(endpoint))")
        }
        #expect(accepted >= 25)
    }

    @Test("a refusal before anything was decided leaves the key free")
    func unstoredRefusals() throws {
        let service = try TestService()
        defer { service.stop() }
        let retry = [("Idempotency-Key", "one")]
        let wrong = try service.send("POST", "/v1/programs", ["name": 1], headers: retry)
        #expect(wrong.status == 400)
        let right = try service.send(
            "POST", "/v1/programs", IdempotencyTests.program, headers: retry)
        #expect(right.status == 201)
        #expect(right.header("idempotent-replayed") == nil)
    }

    @Test("a sale known by its code alone leaves nothing behind when it is sent again")
    func repeatedAnonymousSale() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale: JSONValue = [
            "external_id": "till", "ref": "ada", "kind": "purchase",
            "amount": ["amount": 1_000, "currency": "USD"],
        ]
        let first = try scene.service.send("POST", "/v1/conversions", sale)
        #expect(first.status == 201)
        let before = try Scene.rowCount(scene.service)
        let again = try scene.service.send("POST", "/v1/conversions", sale)
        #expect(again.status == 200)
        #expect(again["id"] == first["id"])
        #expect(try Scene.rowCount(scene.service) == before)
    }

    // MARK: - Contract

    @Test("every status that a route answers is one that its contract names")
    func statuses() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let reader = try Scene.key(scene.service, "read").secret
        let paths = try #require(try scene.service.get("/openapi.json")["paths"]?.objectValue)
        for endpoint in Self.endpoints where endpoint.isDocumented && endpoint.method != .options {
            let method = endpoint.method.rawValue
            let operation = paths[endpoint.path]?.objectValue?[method.lowercased()]?.objectValue
            let named = try #require(operation?["responses"]?.objectValue, "\(endpoint.path)")
            let target = KeyTests.filled(endpoint.path)
            let body: JSONValue? = endpoint.method == .get ? nil : ["no_such_member": 1]
            var answers = try ["admin", nil, reader, scene.ada.token].map {
                try scene.service.send(method, target, body, key: $0)
            }
            answers.append(try scene.service.send(method, target + "?no_such_parameter=1", body))
            if body != nil {
                answers.append(try scene.service.send(method, target, [:]))
                answers.append(
                    try scene.service.send(
                        method, target, body, headers: [("Content-Type", "text/x")]))
            }
            for answer in answers {
                #expect(
                    named[String(answer.status)] != nil,
                    "\(Self.name(endpoint)) answers \(answer.status)")
            }
        }
    }

    @Test("every route under /v1 refuses a query parameter that it does not know")
    func unknownParameter() throws {
        let service = try TestService()
        defer { service.stop() }
        for endpoint in Self.endpoints where endpoint.path.hasPrefix("/v1/") {
            let answer = try service.send(
                endpoint.method.rawValue, KeyTests.filled(endpoint.path) + "?colour=red")
            #expect(answer.status == 400, "\(Self.name(endpoint))")
            #expect(answer.code == "unknown_parameter", "\(Self.name(endpoint))")
        }
    }

    @Test(
        "a method that a path does not take is 405, its body left unread",
        arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "TRACE"])
    func otherMethods(method: String) throws {
        let service = try TestService()
        defer { service.stop() }
        for path in Set(Self.endpoints.filter(\.isDocumented).map(\.path)) {
            let taken = Self.endpoints.filter { $0.path == path }.map(\.method.rawValue)
            guard !taken.contains(method) else { continue }
            let answer = try service.send(method, KeyTests.filled(path), ["a": 1])
            #expect(answer.status == 405, "\(method) \(path)")
            #expect(answer.code == "method_not_allowed", "\(method) \(path)")
            let allow = (answer.header("allow") ?? "").split(separator: ",")
                .map { $0.filter { $0 != " " } }
            #expect(Set(taken).isSubset(of: allow), "\(method) \(path)")
            #expect(!allow.contains(method), "\(method) \(path)")
        }
    }
}
