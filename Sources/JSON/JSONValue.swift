/// Any JSON value (RFC 8259), as read by `parse` or built from literals.
///
/// An Int64 written in digits alone is `.integer`; every other number keeps its literal text, so
/// nothing is ever rounded, and `20.00` can be told from `20`. Equality compares strings and names
/// byte by byte (RFC 8259 section 8.3), not by canonical equivalence, and `.number` by its text.
/// Objects are equal whatever the order of their members.
///
/// Noncharacters such as U+FFFF are kept, although RFC 7493 section 2.1 forbids them: to a JSON
/// Schema they are text like any other, and they harm nothing here.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// The literal text of every other number, such as `0.5`, `20.00`, `1e2` or `1e400`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    /// Reads one JSON text. Refuses what I-JSON (RFC 7493) forbids and what exceeds `limits`.
    public static func parse(
        _ bytes: [UInt8], limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) -> JSONValue in
            try parse(buffer, limits: limits)
        }
    }

    /// Reads one JSON text from memory that the caller keeps alive during the call.
    public static func parse(
        _ buffer: UnsafeBufferPointer<UInt8>, limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(buffer, limits: limits)
        return try parser.parseDocument()
    }

    /// The compact text of this value, members in their order.
    public func encoded() -> [UInt8] {
        var buffer = JSONBuffer(capacity: 128)
        encode(to: &buffer)
        return buffer.bytes
    }

    /// `encoded()` as a string.
    public var text: String { String(decoding: encoded(), as: UTF8.self) }

    /// This value changed by a merge patch (RFC 7396): null removes a member, arrays are replaced.
    public func merging(_ patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var merged = objectValue ?? JSONObject()
        for (name, change) in changes {
            if case .null = change {
                merged[name] = nil
            } else {
                merged[name] = (merged[name] ?? .null).merging(change)
            }
        }
        return .object(merged)
    }
}

extension JSONValue {
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number if it is exactly an Int64, however it is spelled: `100`, `100.0`, `1e2`, `-0`.
    public var integerValue: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let text): ExactInteger.value(of: text)
        default: nil
        }
    }

    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }
}

extension JSONValue: Hashable {
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(value)
        case .number(let text), .string(let text): hasher.combine(text)
        case .array(let values): hasher.combine(values)
        case .object(let object): hasher.combine(object)
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// The last of several members with one name wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension String {
    /// Byte for byte equality: Swift's `==` would call differently composed accents equal.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
