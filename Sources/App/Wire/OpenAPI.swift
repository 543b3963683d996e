import HTTP
import JSON
import Model

/// `/openapi.json`: the contract of every route, made from the table that routes the requests.
enum OpenAPI {
    static func document(of endpoints: [Endpoint]) -> JSONValue {
        var paths = JSONObject()
        var shapes: [String: JSONValue] = ["Problem": problem]
        for endpoint in endpoints where endpoint.isDocumented {
            var item = paths[endpoint.path]?.objectValue ?? [:]
            item[endpoint.method.rawValue.lowercased()] = operation(endpoint)
            paths[endpoint.path] = .object(item)
            endpoint.about.body?.collectNamed(into: &shapes)
            endpoint.about.answer?.collectNamed(into: &shapes)
            for field in endpoint.about.query { field.schema.collectNamed(into: &shapes) }
        }
        var responses = JSONObject()
        for (status, meaning) in common {
            let examples = CommonRefusals.all.filter { $0.status == status }
            responses["Status\(status)"] = refusal(meaning, isPage: false, examples)
        }
        var schemas = JSONObject()
        for name in shapes.keys.sorted() { schemas[name] = shapes[name] }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "referrald", "version": .string(Version.number),
                "summary": "Referral links, leads, attribution and a reward ledger in one service.",
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas), "responses": .object(responses),
                "securitySchemes": [
                    "bearer": ["type": "http", "scheme": "bearer"],
                    "basic": ["type": "http", "scheme": "basic"],
                ],
            ],
        ]
    }

    private static func operation(_ endpoint: Endpoint) -> JSONValue {
        let about = endpoint.about
        var operation: JSONObject = [
            "operationId": .string(about.operationID), "summary": .string(about.summary),
            "tags": [.string(tag(endpoint.path))],
        ]
        let parameters = pathParameters(endpoint) + queryParameters(about) + headers(endpoint)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = about.body {
            // What a form brings beyond its fields is ignored.
            let taken =
                about.bodyTypes == Contract.patchTypes ? body.takingNullInLists : body.takingNull
            var schema = taken.document
            if !about.parsesBody, var open = schema.objectValue {
                open["additionalProperties"] = nil
                schema = .object(open)
            }
            var content = JSONObject()
            for type in about.bodyTypes { content[type] = ["schema": schema] }
            operation["requestBody"] = [
                "required": .bool(body.requiresMembers), "content": .object(content),
            ]
        }
        operation["responses"] = responses(endpoint)
        switch endpoint.access {
        case .everyone, .operations: operation["security"] = []
        default: operation["security"] = [["bearer": []], ["basic": []]]
        }
        return .object(operation)
    }

    private static func tag(_ path: String) -> String {
        let parts = path.split(separator: "/")
        if parts.first == "v1", parts.count > 1 { return String(parts[1]) }
        return parts.first.map(String.init) ?? "root"
    }

    private static func pathParameters(_ endpoint: Endpoint) -> [JSONValue] {
        let segments = endpoint.path.split(separator: "/")
        return segments.indices.filter { segments[$0].hasPrefix("{") }.map { index in
            let name = String(segments[index].dropFirst().dropLast())
            let noun = index > 0 ? String(segments[index - 1]) : ""
            // Accounts of the ledger and accounts of companies are two nouns.
            let path = segments[..<index].joined(separator: "/")
            let schema = identifiers[path] ?? identifiers[noun] ?? .text(1...64)
            return [
                "name": .string(name), "in": "path", "required": true, "schema": schema.document,
            ]
        }
    }

    /// What the path segment after a noun must look like; anything else is simply not found.
    private static let identifiers: [String: Schema] = [
        "programs": .id(ProgramID.self), "f": .id(ProgramID.self),
        "participants": .id(ParticipantID.self), "tokens": .id(APIKeyID.self),
        "links": .id(LinkID.self), "clicks": .id(ClickID.self), "leads": .id(LeadID.self),
        "customers": .id(CustomerID.self), "customer_merges": .id(CustomerMergeID.self),
        "touchpoints": .id(TouchpointID.self), "conversions": .id(ConversionID.self),
        "rewards": .id(RewardID.self), "benefits": .id(BenefitID.self),
        "catalog_items": .id(CatalogItemID.self), "redemptions": .id(RedemptionID.self),
        "reward_rules": .id(RewardRuleID.self), "campaigns": .id(CampaignID.self),
        "rehearsals": .id(RehearsalID.self), "payouts": .id(PayoutID.self),
        "payout_runs": .id(PayoutRunID.self),
        "api_keys": .id(APIKeyID.self), "v1/ledger/accounts": .id(LedgerAccountID.self),
        "accounts": .id(AccountID.self),
        "transactions": .id(LedgerTransactionID.self),
        "registrations": .id(RegistrationID.self), "disputes": .id(DisputeID.self),
        "r": .token(
            3...64, pattern: "^[A-Za-z0-9_-]+$",
            allowed: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"),
    ]

    private static func queryParameters(_ about: Contract) -> [JSONValue] {
        about.query.map { field in
            var parameter: JSONObject = [
                "name": .string(field.name), "in": "query", "required": .bool(field.isRequired),
                "schema": field.schema.inQuery.document,
            ]
            if !field.about.isEmpty { parameter["description"] = .string(field.about) }
            return .object(parameter)
        }
    }

    private static func headers(_ endpoint: Endpoint) -> [JSONValue] {
        var headers: [JSONValue] = []
        func add(_ name: String, _ schema: JSONValue, required: Bool, _ about: String) {
            headers.append([
                "name": .string(name), "in": "header", "required": .bool(required),
                "schema": schema, "description": .string(about),
            ])
        }
        let isWrite = endpoint.action.isWrite && endpoint.path.hasPrefix("/v1/")
        if isWrite || endpoint.about.takesDryRun {
            add(
                "Dry-Run", ["type": "string", "enum": ["true", "false"]], required: false,
                "true: the whole answer, nothing written.")
        }
        guard isWrite else { return headers }
        if endpoint.idempotency != .none {
            add(
                "Idempotency-Key",
                [
                    "type": "string", "minLength": 1, "maxLength": 257,
                    "pattern": #"^("[!#-~]{1,255}"|[!#-~]{1,255})$"#,
                ], required: endpoint.idempotency == .required,
                "Makes a retry safe: the same key and request give the stored answer for 24 hours.")
        }
        if takesVersion(endpoint) {
            add(
                "If-Match", ["type": "string"], required: false,
                "The ETag of the version that is to be changed; another one is 412.")
        }
        return headers
    }

    /// Whether it changes an object that has a version.
    private static func takesVersion(_ endpoint: Endpoint) -> Bool {
        endpoint.action.isWrite && endpoint.path.contains("{")
            && endpoint.about.success == 200 && endpoint.about.answer?.member("version") != nil
    }

    private static func responses(_ endpoint: Endpoint) -> JSONValue {
        let about = endpoint.about
        var responses = JSONObject()
        var success: JSONObject = ["description": "Done."]
        if let answer = about.answer {
            success["content"] = .object([about.answerType: ["schema": answer.document]])
        } else if about.answerType != "application/json" {
            success["content"] = .object([about.answerType: ["schema": [:]]])
        }
        responses[String(about.success)] = .object(success)
        for status in commonStatuses(endpoint) {
            responses[String(status)] = ["$ref": .string("#/components/responses/Status\(status)")]
        }
        for status in about.pages.sorted() {
            let meaning = common.first { $0.status == status }?.meaning ?? "As a page."
            responses[String(status)] = refusal(meaning, isPage: true)
        }
        for (status, meaning) in about.others {
            if status < 400 {
                responses[String(status)] = [
                    "description": .string(meaning),
                    "content": .object([about.answerType: ["schema": about.answer?.document ?? [:]]]
                    ),
                ]
            } else {
                responses[String(status)] = refusal(meaning, isPage: about.pages.contains(status))
            }
        }
        for (status, problems) in Dictionary(grouping: about.refusals, by: \.status) {
            let meaning =
                about.others.first { $0.status == status }?.meaning
                ?? common.first { $0.status == status }?.meaning ?? "Refused."
            let examples = problems + CommonRefusals.all.filter { $0.status == status }
            responses[String(status)] = refusal(
                meaning, isPage: about.pages.contains(status), examples)
        }
        return .object(responses)
    }

    /// Each code once, with the answer that bears it.
    private static func refusal(
        _ meaning: String, isPage: Bool, _ problems: [Problem] = []
    ) -> JSONValue {
        var media: JSONObject = ["schema": ["$ref": "#/components/schemas/Problem"]]
        var examples = JSONObject()
        for problem in problems {
            let answer = problem.response(requestID: "req_01h455vb4pex5vsknk084sn02q")
            guard examples[problem.code] == nil, let value = try? JSONValue.parse(answer.body)
            else { continue }
            examples[problem.code] = ["value": value]
        }
        if !examples.isEmpty { media["examples"] = .object(examples) }
        var content: JSONObject = ["application/problem+json": .object(media)]
        if isPage { content["text/html"] = ["schema": [:]] }
        return ["description": .string(meaning), "content": .object(content)]
    }

    /// What most operations may answer.
    private static let common: [(status: Int, meaning: String)] = [
        (400, "Malformed: see errors."), (401, "No valid key."), (403, "The key may not do this."),
        (404, "There is no such object."), (405, "The path does not take this method."),
        (408, "The request came too slowly."), (409, "The state does not allow this."),
        (412, "If-Match names another version."), (413, "The body is too large."),
        (414, "The request line is too long."), (415, "Another media type than listed."),
        (422, "Well-formed, but not possible; or an Idempotency-Key used twice."),
        (429, "The token has as many reports under way as it may."),
        (431, "The header is too large."), (500, "A fault here, logged under the request id."),
        (503, "Overloaded, draining or out of space; nothing was changed."),
    ]

    /// Those of them that an operation of this kind may answer.
    private static func commonStatuses(_ endpoint: Endpoint) -> [Int] {
        var statuses = [400, 405, 408, 413, 414, 431, 500, 503]
        switch endpoint.access {
        case .everyone, .operations: break
        default: statuses += [401, 403]
        }
        if endpoint.path.contains("{") || namesObjects(endpoint.about) { statuses.append(404) }
        if endpoint.about.body != nil { statuses.append(415) }
        switch endpoint.action {
        case .longRead, .shortRead, .pageRead, .export, .previewed: statuses.append(429)
        default: break
        }
        if endpoint.action.isWrite, endpoint.path.hasPrefix("/v1/") {
            statuses += [409, 422]
            if takesVersion(endpoint) { statuses.append(412) }
        }
        return statuses.sorted()
    }

    /// Whether the body or the query names other objects, which may not exist.
    private static func namesObjects(_ about: Contract) -> Bool {
        let names = (about.body?.memberNames ?? []) + about.query.map(\.name)
        return names.contains { name in
            name == "ref" || (name.hasSuffix("_id") && name != "external_id")
        }
    }

    private static let problem: JSONValue = [
        "type": "object",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"],
            "status": ["type": "integer", "minimum": 400, "maximum": 599],
            "detail": ["type": "string"], "code": ["type": "string"],
            "request_id": ["type": "string"],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["pointer", "code", "detail"],
                    "properties": [
                        "pointer": ["type": "string"], "code": ["type": "string"],
                        "detail": ["type": "string"],
                    ],
                ],
            ],
        ],
    ]
}

extension Endpoint {
    /// The private socket's routes are no part of the public contract.
    var isDocumented: Bool { if case .privateSocket = access { false } else { true } }
}

extension Schema {
    /// In an address everything is text.
    fileprivate var inQuery: Schema {
        if case .key(let rule) = self { .string(rule) } else { self }
    }

    /// The member of this name, of an object.
    fileprivate func member(_ name: String) -> Field? {
        switch self {
        case .object(let fields): fields.first { $0.name == name }
        case .named(_, let schema): schema.member(name)
        default: nil
        }
    }

    /// The names of all members, at any depth.
    fileprivate var memberNames: [String] {
        switch self {
        case .object(let fields): fields.flatMap { [$0.name] + $0.schema.memberNames }
        case .named(_, let schema), .nullable(let schema), .list(let schema, _),
            .itemised(let schema):
            schema.memberNames
        default: []
        }
    }

    /// Whether a body must be sent at all.
    var requiresMembers: Bool {
        switch self {
        case .object(let fields): fields.contains(where: \.isRequired)
        case .named(_, let schema): schema.requiresMembers
        default: true
        }
    }
}
