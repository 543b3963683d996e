/// What can be written as a JSON value. Types outside this module conform by appending one value.
public protocol JSONEncodable {
    /// Appends exactly one JSON value.
    func encode(to buffer: inout JSONBuffer)
}

/// The growing text under all writers. Appends single values; commas and names are the writers'
/// part.
public struct JSONBuffer: Sendable {
    public private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Without a heap allocation: lends the buffer's place to a writer that is still empty.
    init() {}

    public mutating func appendNull() { append(literal: "null") }

    public mutating func append(bool value: Bool) { append(literal: value ? "true" : "false") }

    public mutating func append(integer value: Int64) {
        var magnitude = value.magnitude
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        if magnitude < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(magnitude))
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var place = 20
            repeat {
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[place..<20]))
        }
    }

    /// `value` in quotation marks; escapes `"`, `\` and the control characters (RFC 8259 section
    /// 7).
    public mutating func append(string value: String) {
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { text in
            var runStart = 0
            for place in 0..<text.count {
                let byte = text[place]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
                    continue
                }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart..<place]))
                append(escaped: byte)
                runStart = place + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// JSON text that is already valid, unchanged.
    public mutating func append(raw text: some Sequence<UInt8>) { bytes.append(contentsOf: text) }

    mutating func append(byte: UInt8) { bytes.append(byte) }

    mutating func append(literal: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    private mutating func append(escaped byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            append(literal: byte < 0x10 ? "u000" : "u001")
            let digit = byte & 0x0F
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension String: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) { buffer.append(string: self) }
}

extension Int64: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) { buffer.append(integer: self) }
}

extension Int: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) { buffer.append(integer: Int64(self)) }
}

extension Bool: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) { buffer.append(bool: self) }
}

extension Optional: JSONEncodable where Wrapped: JSONEncodable {
    /// Nil is written as null.
    public func encode(to buffer: inout JSONBuffer) {
        switch self {
        case .some(let value): value.encode(to: &buffer)
        case .none: buffer.appendNull()
        }
    }
}

extension JSONValue: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) {
        switch self {
        case .null: buffer.appendNull()
        case .bool(let value): buffer.append(bool: value)
        case .integer(let value): buffer.append(integer: value)
        case .number(let literal): buffer.append(raw: literal.utf8)
        case .string(let value): buffer.append(string: value)
        case .array(let values):
            buffer.append(byte: UInt8(ascii: "["))
            for (place, value) in values.enumerated() {
                if place > 0 { buffer.append(byte: UInt8(ascii: ",")) }
                value.encode(to: &buffer)
            }
            buffer.append(byte: UInt8(ascii: "]"))
        case .object(let object): object.encode(to: &buffer)
        }
    }
}

extension JSONObject: JSONEncodable {
    public func encode(to buffer: inout JSONBuffer) {
        buffer.append(byte: UInt8(ascii: "{"))
        var isFirst = true
        for (name, value) in self {
            if !isFirst { buffer.append(byte: UInt8(ascii: ",")) }
            isFirst = false
            buffer.append(string: name)
            buffer.append(byte: UInt8(ascii: ":"))
            value.encode(to: &buffer)
        }
        buffer.append(byte: UInt8(ascii: "}"))
    }
}
