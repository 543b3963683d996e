import HTTP
import JSON
import Model

/// Checks the query against its contract: unknown and repeated parameters are 400.
enum QueryCheck {
    static let pairsMax = 50

    static func query(of request: Request, _ contract: Contract) throws -> [String: String] {
        let text = request.query
        if text.isEmpty { return try complete([:], contract) }
        guard let pairs = PercentCoding.formDecode(text, pairsMax: pairsMax) else {
            throw Refused(.badRequest("bad_query", "The query string cannot be decoded."))
        }
        var values: [String: String] = [:]
        var faults: [FieldError] = []
        for (name, value) in pairs {
            guard let field = contract.query.first(where: { $0.name == name }) else {
                if contract.keepsUnknownQuery { continue }
                let fault = FieldError(
                    pointer: "/" + name.prefix(60), code: "unknown_parameter",
                    detail: NearestName.words(name, among: contract.query.map(\.name)))
                throw Refused(
                    Problem(
                        status: 400, code: "unknown_parameter", detail: Problem.first([fault]),
                        errors: [fault]))
            }
            let reading = field.schema.read(typed(value, field.schema))
            guard values.updateValue(reading.value.stringValue ?? value, forKey: name) == nil else {
                throw Refused(.badRequest("repeated_parameter", "\(name) is given twice."))
            }
            faults += reading.faults.map {
                FieldError(pointer: "/" + name + $0.pointer, code: $0.code, detail: $0.detail)
            }
        }
        if !faults.isEmpty { throw Refused(.invalid(faults)) }
        return try complete(values, contract)
    }

    private static func complete(
        _ values: [String: String], _ contract: Contract
    ) throws -> [String: String] {
        for field in contract.query where field.isRequired && values[field.name] == nil {
            throw Refused(.invalidField("/\(field.name)", code: "required", detail: "is missing"))
        }
        return values
    }

    private static func typed(_ text: String, _ schema: Schema) -> JSONValue {
        switch schema {
        case .integer:
            Int64(text).map { .integer($0) } ?? .string(text)
        case .boolean:
            text == "true" ? true : text == "false" ? false : .string(text)
        default: .string(text)
        }
    }
}

/// Reads and checks a JSON body.
enum BodyCheck {
    static func body(of request: Request, _ schema: Schema, types: [String]) throws -> Body {
        try Body(
            json(of: request, types: types), by: schema, isMergePatch: request.method == .patch)
    }

    /// The body as JSON, whatever its shape. An absent body counts as `{}`.
    static func json(of request: Request, types: [String]) throws -> JSONValue {
        if request.body.isEmpty { return [:] }
        if let type = request.header("content-type"), !types.contains(mediaType(type)) {
            throw Refused(
                Problem(
                    status: 415, code: "unsupported_media_type",
                    detail: "The body must be " + types.joined(separator: " or ") + ".",
                    headers: [
                        request.method == .patch ? "Accept-Patch" : "Accept"
                    ].map { ($0, types.joined(separator: ", ")) }))
        }
        do {
            return try JSONValue.parse(request.body)
        } catch {
            throw Refused(
                Problem(
                    status: 400, code: error.code.rawValue, detail: "The body is not valid JSON.",
                    errors: [
                        FieldError(
                            pointer: error.pointer, code: error.code.rawValue, detail: error.detail)
                    ]))
        }
    }

    /// The type without its parameters, in lower case.
    static func mediaType(_ field: String) -> String {
        if field == "application/json" { return field }
        let type = field.prefix { $0 != ";" }
        return type.filter { $0 != " " && $0 != "\t" }.lowercased()
    }
}

/// `Dry-Run: true` on any write: the whole answer, nothing written.
enum DryRun {
    static func isAsked(_ request: Request) throws -> Bool {
        guard let field = request.header("dry-run") else { return false }
        switch field {
        case "true": return true
        case "false": return false
        default: throw Refused(.badRequest("bad_dry_run", "Dry-Run must be true or false."))
        }
    }
}
