/// A table as comma-separated values (RFC 4180): CRLF after every record, a header first.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it; numbers written
/// by `number` do not.
public struct CSVTable: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var isFirstCell = true

    public init(columns: [String]) {
        for column in columns { text(column) }
        endRecord()
    }

    /// Rows that go on where another table ends.
    public init() {}

    public mutating func text(_ text: String?) {
        separate()
        guard let text else { return }
        let isFormula = CSVTable.isFormula(text)
        let isQuoted = text.utf8.contains { "\",\r\n".utf8.contains($0) }
        if isQuoted { bytes.append(UInt8(ascii: "\"")) }
        if isFormula { bytes.append(UInt8(ascii: "'")) }
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        if isQuoted { bytes.append(UInt8(ascii: "\"")) }
    }

    public mutating func number(_ number: Int64) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    public mutating func endRecord() {
        bytes.append(contentsOf: "\r\n".utf8)
        isFirstCell = true
    }

    /// Whether it begins with tab, carriage return or line feed, or with `=`, `+`, `-`, `@` or a
    /// full-width form of these (OWASP, CSV Injection), also behind what shows as nothing there.
    private static func isFormula(_ text: String) -> Bool {
        if let first = text.utf8.first, "\t\r\n".utf8.contains(first) { return true }
        let shown = text.unicodeScalars.first { scalar in
            !scalar.properties.isWhitespace && !scalar.properties.isDefaultIgnorableCodePoint
                && scalar.properties.generalCategory != .control
        }
        return shown.map { "=+-@＝＋－＠".unicodeScalars.contains($0) } ?? false
    }

    private mutating func separate() {
        if !isFirstCell { bytes.append(UInt8(ascii: ",")) }
        isFirstCell = false
    }
}
