import JSON
import Model

extension Schema {
    /// This shape as JSON Schema 2020-12; named shapes become references.
    var document: JSONValue {
        switch self {
        case .anything: return [:]
        case .boolean: return ["type": "boolean"]
        case .number: return ["type": "number"]
        case .integer(let range), .minorUnits(let range):
            return [
                "type": "integer", "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ]
        case .choice(let names):
            return ["type": "string", "enum": .array(names.map { .string($0) })]
        case .string(let rule): return rule.document
        case .key(let rule):
            var document = rule.document.objectValue ?? [:]
            document["type"] = ["string", "integer"]
            if let least = rule.leastNumber { document["minimum"] = .integer(least) }
            return .object(document)
        case .list(let schema, let count):
            return [
                "type": "array", "items": schema.document,
                "minItems": .integer(Int64(count.lowerBound)),
                "maxItems": .integer(Int64(count.upperBound)),
            ]
        case .metadata: return Schema.metadataDocument(of: "string")
        case .metadataPatch: return Schema.metadataDocument(of: ["string", "null"])
        case .nullable(let schema): return schema.nullableDocument
        case .itemised(let schema): return schema.document
        case .named(let name, _): return ["$ref": .string("#/components/schemas/\(name)")]
        case .object(let fields): return Schema.objectDocument(fields)
        }
    }

    /// As the body of a request that is no merge patch, where null for an optional member is as
    /// good as none: so it is documented as taken.
    var takingNull: Schema {
        switch self {
        case .object(let fields):
            .object(
                fields.map { field in
                    let schema = field.schema.takingNull
                    let takes = if case .nullable = schema { true } else { field.isRequired }
                    return Field(
                        name: field.name, schema: takes ? schema : .nullable(schema),
                        isRequired: field.isRequired, about: field.about)
                })
        case .list(let schema, let count): .list(schema.takingNull, count: count)
        case .itemised(let schema): .itemised(schema.takingNull)
        case .nullable(let schema): .nullable(schema.takingNull)
        default: self
        }
    }

    /// Within a merge patch null keeps its meaning, but not within the lists that it replaces.
    var takingNullInLists: Schema {
        switch self {
        case .object(let fields):
            .object(
                fields.map {
                    Field(
                        name: $0.name, schema: $0.schema.takingNullInLists,
                        isRequired: $0.isRequired, about: $0.about)
                })
        case .list: takingNull
        case .nullable(let schema): .nullable(schema.takingNullInLists)
        default: self
        }
    }

    /// Every named shape inside this one, with its document.
    func collectNamed(into shapes: inout [String: JSONValue]) {
        switch self {
        case .named(let name, let schema):
            guard shapes[name] == nil else { return }
            shapes[name] = schema.document
            schema.collectNamed(into: &shapes)
        case .nullable(let schema), .list(let schema, _), .itemised(let schema):
            schema.collectNamed(into: &shapes)
        case .object(let fields): for field in fields { field.schema.collectNamed(into: &shapes) }
        default: break
        }
    }

    private var nullableDocument: JSONValue {
        let inner = document
        if case .choice(let names) = self {
            return [
                "type": ["string", "null"], "enum": .array(names.map { .string($0) } + [.null]),
            ]
        }
        guard var object = inner.objectValue, let type = object["type"], object["$ref"] == nil
        else {
            return ["oneOf": [inner, ["type": "null"]]]
        }
        object["type"] = .array((type.arrayValue ?? [type]) + ["null"])
        return .object(object)
    }

    private static func metadataDocument(of type: JSONValue) -> JSONValue {
        [
            "type": "object", "maxProperties": 50,
            "propertyNames": [
                "type": "string", "minLength": 1, "maxLength": 40,
                "pattern": #"^[^\u0000\[\]]*$"#,
            ],
            "additionalProperties": [
                "type": type, "maxLength": 500, "pattern": #"^[^\u0000]*$"#,
            ],
        ]
    }

    private static func objectDocument(_ fields: [Field]) -> JSONValue {
        var properties = JSONObject()
        for field in fields {
            var property = field.schema.document
            if !field.about.isEmpty, var object = property.objectValue, object["$ref"] == nil {
                object["description"] = .string(field.about)
                property = .object(object)
            }
            properties[field.name] = property
        }
        var document: JSONObject = [
            "type": "object", "properties": .object(properties), "additionalProperties": false,
        ]
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { document["required"] = .array(required) }
        return .object(document)
    }
}

extension TextRule {
    /// The least number whose digits are enough for a key that must have several characters.
    fileprivate var leastNumber: Int64? {
        guard length.lowerBound > 1 else { return nil }
        return (1..<length.lowerBound).reduce(1) { least, _ in least * 10 }
    }

    var document: JSONValue {
        var document: JSONObject = [
            "type": "string", "minLength": .integer(Int64(length.lowerBound)),
            "maxLength": .integer(Int64(length.upperBound)),
        ]
        if let pattern { document["pattern"] = .string(pattern) }
        if let format { document["format"] = .string(format) }
        return .object(document)
    }
}
