/// Writes one JSON text from the shape of the calling code:
///
///     var json = JSONWriter()
///     json.object { o in
///         o.field("id", id)
///         o.object("money") { m in m.field("amount", 100) }
///     }
///
/// The writers put in commas and brackets by themselves. A field costs no allocation beyond the
/// growth of the text. Whether names repeat is for the caller to see to.
public struct JSONWriter {
    private var buffer: JSONBuffer

    /// `capacity` in bytes is a guess at the length; the text may grow beyond it.
    public init(capacity: Int = 512) { buffer = JSONBuffer(capacity: capacity) }

    public var bytes: [UInt8] { buffer.bytes }

    /// Writes an object as the whole text.
    public mutating func object(_ body: (inout JSONObjectWriter) throws -> Void) rethrows {
        try JSONObjectWriter.write(to: &buffer, body)
    }

    /// Writes an array as the whole text.
    public mutating func array(_ body: (inout JSONArrayWriter) throws -> Void) rethrows {
        try JSONArrayWriter.write(to: &buffer, body)
    }
}

/// Writes the members of one object; see `JSONWriter`. Names written as literals are not escaped:
/// they must hold no quotation mark, backslash or control character. `String` names are.
///
/// `@_disfavoredOverload` makes a literal choose `StaticString`; left alone, it prefers `String`.
public struct JSONObjectWriter {
    private var buffer = JSONBuffer()
    private var isEmpty = true

    /// Moves the text into a writer for the time of `body`, so that it is never copied.
    static func write(
        to buffer: inout JSONBuffer, _ body: (inout JSONObjectWriter) throws -> Void
    ) rethrows {
        var writer = JSONObjectWriter()
        swap(&writer.buffer, &buffer)
        writer.buffer.append(byte: UInt8(ascii: "{"))
        defer {
            writer.buffer.append(byte: UInt8(ascii: "}"))
            swap(&writer.buffer, &buffer)
        }
        try body(&writer)
    }

    public mutating func field(_ name: StaticString, _ value: some JSONEncodable) {
        begin(name)
        value.encode(to: &buffer)
    }

    @_disfavoredOverload
    public mutating func field(_ name: String, _ value: some JSONEncodable) {
        begin(name)
        value.encode(to: &buffer)
    }

    public mutating func null(_ name: StaticString) {
        begin(name)
        buffer.appendNull()
    }

    @_disfavoredOverload
    public mutating func null(_ name: String) {
        begin(name)
        buffer.appendNull()
    }

    /// `text` must be one valid JSON value: it is not looked at.
    public mutating func raw(_ name: StaticString, _ text: [UInt8]) {
        begin(name)
        buffer.append(raw: text)
    }

    @_disfavoredOverload
    public mutating func raw(_ name: String, _ text: [UInt8]) {
        begin(name)
        buffer.append(raw: text)
    }

    public mutating func object(
        _ name: StaticString, _ body: (inout JSONObjectWriter) throws -> Void
    ) rethrows {
        begin(name)
        try JSONObjectWriter.write(to: &buffer, body)
    }

    @_disfavoredOverload
    public mutating func object(
        _ name: String, _ body: (inout JSONObjectWriter) throws -> Void
    ) rethrows {
        begin(name)
        try JSONObjectWriter.write(to: &buffer, body)
    }

    public mutating func array(
        _ name: StaticString, _ body: (inout JSONArrayWriter) throws -> Void
    ) rethrows {
        begin(name)
        try JSONArrayWriter.write(to: &buffer, body)
    }

    @_disfavoredOverload
    public mutating func array(
        _ name: String, _ body: (inout JSONArrayWriter) throws -> Void
    ) rethrows {
        begin(name)
        try JSONArrayWriter.write(to: &buffer, body)
    }

    private mutating func begin(_ name: StaticString) {
        buffer.append(literal: isEmpty ? "\"" : ",\"")
        isEmpty = false
        buffer.append(literal: name)
        buffer.append(literal: "\":")
    }

    private mutating func begin(_ name: String) {
        if !isEmpty { buffer.append(byte: UInt8(ascii: ",")) }
        isEmpty = false
        buffer.append(string: name)
        buffer.append(byte: UInt8(ascii: ":"))
    }
}

/// Writes the elements of one array; see `JSONWriter`.
public struct JSONArrayWriter {
    private var buffer = JSONBuffer()
    private var isEmpty = true

    static func write(
        to buffer: inout JSONBuffer, _ body: (inout JSONArrayWriter) throws -> Void
    ) rethrows {
        var writer = JSONArrayWriter()
        swap(&writer.buffer, &buffer)
        writer.buffer.append(byte: UInt8(ascii: "["))
        defer {
            writer.buffer.append(byte: UInt8(ascii: "]"))
            swap(&writer.buffer, &buffer)
        }
        try body(&writer)
    }

    public mutating func element(_ value: some JSONEncodable) {
        begin()
        value.encode(to: &buffer)
    }

    public mutating func null() {
        begin()
        buffer.appendNull()
    }

    /// `text` must be one valid JSON value: it is not looked at.
    public mutating func raw(_ text: [UInt8]) {
        begin()
        buffer.append(raw: text)
    }

    public mutating func object(_ body: (inout JSONObjectWriter) throws -> Void) rethrows {
        begin()
        try JSONObjectWriter.write(to: &buffer, body)
    }

    public mutating func array(_ body: (inout JSONArrayWriter) throws -> Void) rethrows {
        begin()
        try JSONArrayWriter.write(to: &buffer, body)
    }

    private mutating func begin() {
        if !isEmpty { buffer.append(byte: UInt8(ascii: ",")) }
        isEmpty = false
    }
}
