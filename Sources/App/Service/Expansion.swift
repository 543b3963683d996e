import Database
import HTTP
import JSON
import Programs

/// `expand=participant,customer`: puts the objects that an answer names by their ids into it, each
/// as the same caller would read it by its own GET; null if the caller may not.
enum Expansion {
    /// Nouns that one request may name.
    private static let most = 3

    /// Where the object is read that `noun_id` names.
    private static let paths: [(noun: String, path: String)] = [
        ("program", "/v1/programs/"), ("participant", "/v1/participants/"),
        ("link", "/v1/links/"), ("click", "/v1/clicks/"), ("lead", "/v1/leads/"),
        ("registration", "/v1/registrations/"), ("account", "/v1/accounts/"),
        ("customer", "/v1/customers/"), ("conversion", "/v1/conversions/"),
        ("reward", "/v1/rewards/"), ("payout", "/v1/payouts/"),
    ]

    /// The nouns that an object of these members names.
    fileprivate static func nouns(_ fields: [Field]) -> [String] {
        paths.map(\.noun).filter { noun in
            fields.contains { $0.name == noun + "_id" } && !fields.contains { $0.name == noun }
        }
    }

    /// The parameter of an endpoint that answers with objects of this schema; nil where they name
    /// nothing.
    static func parameter(_ answer: Schema?) -> Field? {
        guard let nouns = answer?.expandableNouns, !nouns.isEmpty else { return nil }
        let one = "(" + nouns.joined(separator: "|") + ")"
        let rule = TextRule(
            1...200, pattern: "^\(one)(,\(one)){0,\(most - 1)}$",
            words: "up to \(most) of " + nouns.joined(separator: ", ") + ", with commas between"
        ) { text in
            let names = text.split(separator: ",", omittingEmptySubsequences: false).map(
                String.init)
            return names.count <= most && names.allSatisfy(nouns.contains)
        }
        return .optional(
            "expand", .string(rule), "Puts these objects in, as their own GET would show them.")
    }

    /// The answer with what `expand` asks for. `read` gives the object at a path, or null.
    private static func expand(
        _ response: Response, _ names: String, read: (String) throws -> JSONValue
    ) throws -> Response {
        let nouns = Set(names.split(separator: ",").map(String.init))
        let wanted = paths.filter { nouns.contains($0.noun) }
        guard response.status == 200, var body = try JSONValue.parse(response.body).objectValue
        else { return response }
        var seen: [String: JSONValue] = [:]
        func expanded(_ object: JSONObject) throws -> JSONObject {
            var object = object
            for (noun, path) in wanted {
                guard let id = object[noun + "_id"] else { continue }
                guard let text = id.stringValue else {
                    object[noun] = .null
                    continue
                }
                let value = try seen[text] ?? read(path + text)
                seen[text] = value
                object[noun] = value
            }
            return object
        }
        if let items = body["data"]?.arrayValue, body["object"] == "list" {
            body["data"] = .array(
                try items.map { item in
                    try item.objectValue.map { .object(try expanded($0)) } ?? item
                })
        } else {
            body = try expanded(body)
        }
        var response = response
        response.body = JSONValue.object(body).encoded()
        return response
    }
}

extension Schema {
    /// The nouns of an object, or of those in a list.
    fileprivate var expandableNouns: [String] {
        switch self {
        case .named(_, let schema): schema.expandableNouns
        case .object(let fields):
            if let data = fields.first(where: { $0.name == "data" }),
                case .list(let item, _) = data.schema
            {
                item.expandableNouns
            } else {
                fields.filter { $0.name.hasSuffix("_id") }.isEmpty
                    ? [] : Expansion.nouns(fields.filter { !$0.isExpansion })
            }
        default: []
        }
    }

    /// This answer with the members that `expand` may put into its named objects.
    var withExpansions: Schema {
        switch self {
        case .named(let name, .object(let fields)):
            .named(
                name,
                .object(
                    fields.map {
                        Field(
                            name: $0.name, schema: $0.schema.withExpansions,
                            isRequired: $0.isRequired, about: $0.about)
                    } + Expansion.nouns(fields).map { .expansion($0) }))
        case .named(let name, let schema): .named(name, schema.withExpansions)
        case .object(let fields):
            .object(
                fields.map {
                    Field(
                        name: $0.name, schema: $0.schema.withExpansions,
                        isRequired: $0.isRequired, about: $0.about)
                })
        case .list(let schema, let count): .list(schema.withExpansions, count: count)
        case .nullable(let schema): .nullable(schema.withExpansions)
        default: self
        }
    }
}

extension Field {
    private static let expansionWords = "With expand."

    fileprivate static func expansion(_ noun: String) -> Field {
        .optional(noun, .anything, expansionWords)
    }

    fileprivate var isExpansion: Bool { about == Field.expansionWords }
}

extension Expansion {
    /// The answer with what `expand` asks for, if it does.
    static func expanded(
        _ response: Response, _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        guard let names = call.query["expand"] else { return response }
        return try expand(response, names) { try object(at: $0, for: call, app, reader) }
    }

    /// The object at a path, as the caller may read it; null if it may not.
    private static func object(
        at path: String, for call: Call, _ app: Application, _ reader: Reader
    ) throws -> JSONValue {
        guard case .found(let index, let parameters) = app.router.match(.get, path: path) else {
            return .null
        }
        let endpoint = app.routes.endpoints[index]
        let inner = Call(
            request: call.request, parameters: parameters, principal: call.principal, query: [:],
            body: Body(), publicURL: call.publicURL)
        do {
            try endpoint.access.check(call.principal, isHere: true)
            switch endpoint.action {
            case .read(let handler): return try JSONValue.parse(handler(inner, reader).body)
            case .serviceRead(let handler):
                return try JSONValue.parse(handler(inner, app, reader).body)
            default: return .null
            }
        } catch let error {
            guard BulkRequest.problem(of: error) != nil else { throw error }
            return .null
        }
    }
}
