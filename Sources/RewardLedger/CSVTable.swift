import Model

/// A table as comma-separated values (RFC 4180): CRLF after every record, a header first.
///
/// A cell that a spreadsheet would take for a formula, also where `;` or a tab parts cells, gets an
/// apostrophe before it; numbers written by `number` and `decimal` do not.
public struct CSVTable: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var isFirstCell = true

    /// With `hasMark`, it begins with a byte order mark (U+FEFF): some spreadsheets take it for
    /// another encoding than UTF-8 without.
    public init(columns: [String], hasMark: Bool = false) {
        if hasMark { bytes = [0xEF, 0xBB, 0xBF] }
        for column in columns { text(column) }
        endRecord()
    }

    /// Rows that go on where another table ends.
    public init() {}

    public mutating func text(_ text: String?) {
        separate()
        guard let text else { return }
        let isFormula = CSVTable.isFormula(text)
        // With `;` and tab too: spreadsheets of other languages take them for separators.
        let isQuoted = text.utf8.contains { "\",;\t\r\n".utf8.contains($0) }
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

    public mutating func decimal(_ money: Money) {
        separate()
        bytes.append(contentsOf: money.decimal.utf8)
    }

    public mutating func endRecord() {
        bytes.append(contentsOf: "\r\n".utf8)
        isFirstCell = true
    }

    /// Whether it begins with tab, carriage return or line feed, or with `=`, `+`, `-`, `@` or a
    /// full-width form of these (OWASP, CSV Injection), also behind what shows as nothing there.
    private static func isFormula(_ text: String) -> Bool {
        if let first = text.utf8.first, "\t\r\n".utf8.contains(first) { return true }
        var isStart = true
        for scalar in text.unicodeScalars {
            if scalar == ";" || scalar == "\t" {
                isStart = true
                continue
            }
            let isHidden =
                scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint
                || scalar.properties.generalCategory == .control
            if isHidden || scalar == "\"" { continue }
            if isStart, "=+-@＝＋－＠".unicodeScalars.contains(scalar) { return true }
            isStart = false
        }
        return false
    }

    /// The text of a cell that was written by `text`, without the apostrophe.
    public static func unmarked(_ cell: String) -> String {
        cell.first == "'" && isFormula(String(cell.dropFirst())) ? String(cell.dropFirst()) : cell
    }

    private mutating func separate() {
        if !isFirstCell { bytes.append(UInt8(ascii: ",")) }
        isFirstCell = false
    }
}
