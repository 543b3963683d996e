import HTTP
import JSON
import Model
import Records

extension Schema {
    /// A list answer of `item`.
    static func page(of item: Schema) -> Schema {
        .object([
            .required("object", .choice(["list"])),
            .required("data", .list(item, count: 0...100)),
            .required("has_more", .boolean), .required("url", .text(1...2000)),
            .optional("total_count", .integer(0...10_000), "With count=true: how many in all."),
            .optional(
                "total_count_exact", .boolean, "false: there are more than were counted."),
        ])
    }

    /// For actions that take no members: no body, or `{}`.
    static let emptyBody = Schema.object([])

    /// This input as a merge patch (RFC 7396): every member may be absent; those that need not be
    /// given may be null, which sets them back to their default.
    var asPatch: Schema {
        guard case .object(let fields) = self else { return self }
        return .object(
            fields.map { .optional($0.name, $0.schemaInPatch, $0.about) })
    }

    /// This value of a request as an answer holds it: a key is text by then, a day is a time.
    var asAnswered: Schema {
        switch self {
        case .key(let rule): .text(rule.length)
        case .string(let rule) where rule.words == Schema.dayOrTimeWords: .time
        case .nullable(let schema): .nullable(schema.asAnswered)
        default: self
        }
    }

    /// This object with `field` in place of the one of the same name.
    func replacing(_ field: Field) -> Schema {
        guard case .object(let fields) = self else { return self }
        return .object(fields.map { $0.name == field.name ? field : $0 })
    }

    /// This value within a merge patch: members that need not be there can be taken away by null.
    /// Those that must be stay required, as there may be nothing yet to merge them with.
    fileprivate var inPatch: Schema {
        switch self {
        case .nullable(let schema): .nullable(schema.inPatch)
        case .metadata: .metadataPatch
        case .object(let fields):
            .object(
                fields.map { field in
                    field.isRequired
                        ? field : .optional(field.name, field.schemaInPatch, field.about)
                })
        default: self
        }
    }
}

extension Field {
    fileprivate var schemaInPatch: Schema {
        let schema = schema.inPatch
        if case .nullable = schema { return schema }
        return isRequired ? schema : .nullable(schema)
    }
}

extension Contract {
    static let patchTypes = ["application/merge-patch+json", "application/json"]
}

extension Call {
    /// `form` after this call's merge patch, checked against `input` as a new object would be.
    func patched(_ form: JSONValue, by input: Schema) throws -> Body {
        try Body(form.merging(.object(body.object)), by: input)
    }
}

extension Money {
    var json: JSONValue {
        ["amount": .integer(amount), "currency": .string(currency.code)]
    }
}

extension JSONObjectWriter {
    /// `{"amount": …, "currency": …}`, or null.
    mutating func money(_ name: StaticString, _ money: Money?) {
        guard let money else { return null(name) }
        object(name) { json in
            json.field("amount", money.amount)
            json.field("currency", money.currency.code)
        }
    }

}

extension Response {
    /// A list without a cursor, of at most `most` items. `items` are read up to one more than that,
    /// so that `has_more` is true where some are left out.
    static func whole<Item>(
        _ items: [Item], _ call: Call, most: Int = wholeMax,
        write: (Item, inout JSONArrayWriter) -> Void
    ) -> Response {
        let request = PageRequest(limit: most, window: .older(than: nil))
        let page = Page(
            items: Array(items.prefix(most)), hasMore: items.count > most, request: request)
        return .list(page, call, id: nil, write: write)
    }

    /// Items of a list without a cursor, where the caller does not say how many.
    static let wholeMax = 100
}

/// How a device is told of, wherever somebody does something with it.
enum DeviceWire {
    /// Long enough for a name of one device; `unknown` is none.
    static let schema = Schema.text(8...200)
    static let about =
        "As your app or fingerprinting names it. Kept as a keyed hash, to find out who refers "
        + "himself."

    static func trace(_ body: Body?) -> TraceValue? { body?.text("device_id").map { .device($0) } }
}

/// RFC 3339.
extension Instant: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) { buffer.append(string: rfc3339) }
}

extension Identifier: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) { buffer.append(string: description) }
}
