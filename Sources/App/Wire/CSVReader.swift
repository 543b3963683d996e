/// Reads CSV (RFC 4180) piece by piece: quoted fields with line breaks in them, CRLF or LF, a byte
/// order mark. A row that is not well-formed is told with its line and passed over.
struct CSVReader {
    /// One row, or why there is none.
    enum Row: Equatable {
        case fields([String], line: Int)
        case malformed(String, line: Int)
    }

    /// Longest row, in bytes, and most fields in one.
    static let rowBytesMax = 32_768
    static let fieldsMax = 64

    private enum Place { case start, plain, quoted, quoteInQuoted, closed, skipping }

    /// U+FEFF at the beginning, as spreadsheets write it.
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private var place = Place.start
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var rowBytes = 0
    private var line = 1
    private var rowLine = 1
    private var fault: String?
    /// How much of the byte order mark has been read; all of it when none can come any more.
    private var markBytes = 0

    /// Takes `bytes` and returns the rows that are complete now.
    mutating func feed(_ bytes: some Collection<UInt8>) -> [Row] {
        var rows: [Row] = []
        for byte in bytes { take(byte, &rows) }
        return rows
    }

    /// The last row, when the file does not end with a line end.
    mutating func finish() -> [Row] {
        if place == .quoted { fault = "a quote is not closed" }
        let isEmpty = place == .start && fields.isEmpty && field.isEmpty && fault == nil
        return isEmpty ? [] : [endRow()].compactMap { $0 }
    }

    private mutating func take(_ byte: UInt8, _ rows: inout [Row]) {
        if markBytes < CSVReader.mark.count, takesMark(byte) { return }
        rowBytes += 1
        if rowBytes > CSVReader.rowBytesMax, fault == nil {
            fault = "the row is longer than \(CSVReader.rowBytesMax) bytes"
            place = .skipping
        }
        let isLineEnd = byte == UInt8(ascii: "\n")
        defer { if isLineEnd { line += 1 } }
        switch (place, byte) {
        case (.quoted, UInt8(ascii: "\"")): place = .quoteInQuoted
        case (.quoted, _): field.append(byte)
        case (.quoteInQuoted, UInt8(ascii: "\"")):
            field.append(byte)
            place = .quoted
        case (_, UInt8(ascii: "\n")):
            if let row = endRow() { rows.append(row) }
            rowLine = line + 1
        case (.skipping, _): break
        case (.closed, _): spoil("text follows a closing quote")
        case (_, UInt8(ascii: ",")): endField()
        case (.start, UInt8(ascii: "\"")) where field.isEmpty: place = .quoted
        case (.quoteInQuoted, UInt8(ascii: "\r")): place = .closed
        case (.quoteInQuoted, _): spoil("text follows a closing quote")
        case (.plain, UInt8(ascii: "\"")): spoil("a quote stands within a field")
        default:
            field.append(byte)
            place = .plain
        }
    }

    /// Whether the byte is one of the mark's. What only began like it is text.
    private mutating func takesMark(_ byte: UInt8) -> Bool {
        let read = markBytes
        if byte == CSVReader.mark[read] {
            markBytes += 1
            return true
        }
        markBytes = CSVReader.mark.count
        if read > 0 {
            field += CSVReader.mark[..<read]
            place = .plain
        }
        return false
    }

    private mutating func spoil(_ why: String) {
        fault = fault ?? why
        place = .skipping
    }

    private mutating func endField() {
        guard let text = String(validating: field, as: UTF8.self) else {
            return spoil("the text is not UTF-8")
        }
        field.removeAll(keepingCapacity: true)
        fields.append(text)
        if fields.count > CSVReader.fieldsMax {
            return spoil("there are more than \(CSVReader.fieldsMax) fields")
        }
        place = .start
    }

    /// Ends the row; nil for an empty line.
    private mutating func endRow() -> Row? {
        if place == .plain, field.last == UInt8(ascii: "\r") { field.removeLast() }
        if place != .skipping { endField() }
        defer {
            field.removeAll(keepingCapacity: true)
            fields.removeAll(keepingCapacity: true)
            fault = nil
            place = .start
            rowBytes = 0
        }
        if let fault { return .malformed(fault, line: rowLine) }
        if fields == [""] { return nil }
        return .fields(fields, line: rowLine)
    }
}
