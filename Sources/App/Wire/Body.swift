import HTTP
import JSON
import Model

/// A JSON object that has passed its schema: typed access to its members. What is absent or null is
/// nil.
struct Body: Sendable {
    let object: JSONObject

    init(_ object: JSONObject = [:]) { self.object = object }

    /// What `value` means by `schema`. Throws a 400 with every fault.
    init(_ value: JSONValue, by schema: Schema, isMergePatch: Bool = false) throws {
        let reading = schema.read(value, isMergePatch: isMergePatch)
        if !reading.faults.isEmpty { throw Refused(.invalid(reading.faults)) }
        self.init(reading.value.objectValue ?? [:])
    }

    /// Whether the member is there, be it null.
    func has(_ name: String) -> Bool { object[name] != nil }

    func text(_ name: String) -> String? { object[name]?.stringValue }
    func integer(_ name: String) -> Int64? { object[name]?.integerValue }
    func flag(_ name: String) -> Bool? { object[name]?.boolValue }
    func time(_ name: String) -> Instant? { text(name).flatMap { Instant(rfc3339: $0) } }
    func moment(_ name: String) -> Moment? { text(name).flatMap { Moment($0) } }
    func email(_ name: String) -> EmailAddress? { text(name).flatMap { EmailAddress($0) } }
    func url(_ name: String) -> WebURL? { text(name).flatMap { WebURL($0) } }
    func currency(_ name: String) -> Currency? { text(name).flatMap { Currency($0) } }
    func id<Kind>(_ name: String) -> Identifier<Kind>? { text(name).flatMap { Identifier($0) } }

    func nested(_ name: String) -> Body? { object[name]?.objectValue.map(Body.init) }

    func texts(_ name: String) -> [String]? {
        object[name]?.arrayValue.map { $0.compactMap(\.stringValue) }
    }

    func money(_ name: String) -> Money? {
        guard let nested = nested(name), let amount = nested.integer("amount"),
            let currency = nested.currency("currency")
        else { return nil }
        return Money(amount: amount, currency: currency)
    }

    /// With days in place of times made instants by the clocks of `zone`: of `starts` the first of
    /// the day, of `ends` the first after it.
    func timed(in zone: TimeZone, starts: [String] = [], ends: [String] = []) -> Body {
        var object = object
        for (names, isEnd) in [(starts, false), (ends, true)] {
            for name in names {
                guard let moment = moment(name) else { continue }
                let instant = isEnd ? moment.end(in: zone) : moment.start(in: zone)
                object[name] = .string(instant.rfc3339)
            }
        }
        return Body(object)
    }

    /// The `metadata` member, empty when absent.
    var metadata: JSONObject { object["metadata"]?.objectValue ?? [:] }

    /// A member that the schema requires. Throws a 400 that names it when the schema was lax.
    func required<Value>(_ name: String, _ value: Value?) throws -> Value {
        if let value { return value }
        throw Refused(.invalidField("/\(name)", code: "required", detail: "is missing"))
    }

    func requiredText(_ name: String) throws -> String { try required(name, text(name)) }
    func requiredInteger(_ name: String) throws -> Int64 { try required(name, integer(name)) }
}
