/// A table as comma-separated values (RFC 4180): CRLF after every record, a header first.
///
/// A cell that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, tab, line
/// feed or carriage return) gets an apostrophe before it; numbers written by `number` do not.
public struct CSVTable: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var isFirstCell = true

    public init(columns: [String]) {
        for column in columns { text(column) }
        endRecord()
    }

    public mutating func text(_ text: String?) {
        separate()
        guard let text, let first = text.utf8.first else { return }
        let isFormula = "=+-@\t\r\n".utf8.contains(first)
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

    private mutating func separate() {
        if !isFirstCell { bytes.append(UInt8(ascii: ",")) }
        isFirstCell = false
    }
}
