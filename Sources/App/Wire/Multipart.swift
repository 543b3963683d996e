/// Reads `multipart/form-data` (RFC 7578, framing by RFC 2046 section 5.1), as browsers write it:
/// every part a named text field.
///
/// Strict where lenience would let two readers see two forms: CRLF only, an end boundary, one
/// `Content-Disposition: form-data` with a name in each part. What stands before the first boundary
/// and after the last is passed over. Files are refused, not dropped; a file input in which nothing
/// was chosen is no file.
enum Multipart {
    enum Fault: Error, Equatable {
        /// The boundary of Content-Type is missing, or none that RFC 2046 allows.
        case badBoundary
        /// The framing is not what the RFCs describe.
        case malformed
        case tooManyParts
        case headerTooLarge
        /// A part is a file.
        case fileNotTaken
        /// A value is not UTF-8, or holds U+0000.
        case notText
    }

    /// More fields than any form of ours has.
    static let partsMax = 30
    /// A part's header: one or two short fields.
    static let headerBytesMax = 1_024
    /// RFC 2046 section 5.1.1.
    static let boundaryBytesMax = 70

    /// The boundary that a `multipart/form-data` Content-Type names, quoted or bare.
    static func boundary(in contentType: String) throws(Fault) -> [UInt8] {
        for parameter in parameters(of: Array(contentType.utf8)[...])
        where parameter.name == Array("boundary".utf8) {
            guard (1...boundaryBytesMax).contains(parameter.value.count),
                parameter.value.allSatisfy(isBoundaryByte),
                parameter.value.last != UInt8(ascii: " ")
            else { throw .badBoundary }
            return parameter.value
        }
        throw .badBoundary
    }

    /// The fields of `body` in their order, as far as they are known; others may hold anything.
    static func fields(
        of body: [UInt8], boundary: [UInt8], isKnown: (String) -> Bool
    ) throws(Fault) -> [(name: String, value: String)] {
        let delimiter = Array("\r\n--".utf8) + boundary
        // The first delimiter may stand at the very start, where no line break comes before it.
        var place: Int
        if body.starts(with: delimiter.dropFirst(2)) {
            place = delimiter.count - 2
        } else if let first = find(delimiter, in: body, from: 0) {
            place = first + delimiter.count
        } else {
            throw .malformed
        }
        var fields: [(name: String, value: String)] = []
        var parts = 0
        while true {
            if body[place...].starts(with: "--".utf8) { return fields }
            guard let start = endOfDelimiterLine(body, place) else { throw .malformed }
            guard let end = find(delimiter, in: body, from: start) else { throw .malformed }
            guard parts < partsMax else { throw .tooManyParts }
            parts += 1
            if let field = try field(body[start..<end], isKnown) { fields.append(field) }
            place = end + delimiter.count
        }
    }

    /// Behind the line break that ends a delimiter; transport padding may stand before it.
    private static func endOfDelimiterLine(_ body: [UInt8], _ start: Int) -> Int? {
        var place = start
        while place < body.count, body[place] == 0x20 || body[place] == 0x09 { place += 1 }
        return body[place...].starts(with: "\r\n".utf8) ? place + 2 : nil
    }

    private static func field(
        _ part: ArraySlice<UInt8>, _ isKnown: (String) -> Bool
    ) throws(Fault) -> (name: String, value: String)? {
        var name: (text: [UInt8], isFile: Bool)?
        var place = part.startIndex
        while true {
            guard let end = lineEnd(part, from: place) else {
                throw part.endIndex - part.startIndex > headerBytesMax
                    ? .headerTooLarge : .malformed
            }
            guard end + 2 - part.startIndex <= headerBytesMax else { throw .headerTooLarge }
            let line = part[place..<end]
            place = end + 2
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex
            else { throw .malformed }
            guard lowercased(line[..<colon]) == Array("content-disposition".utf8) else { continue }
            guard name == nil else { throw .malformed }
            name = try self.name(in: line[(colon + 1)...])
        }
        guard let name else { throw .malformed }
        let value = part[place...]
        // Browsers send an empty file with an empty name for it (WHATWG HTML, constructing the
        // entry list).
        if name.isFile {
            guard value.isEmpty else { throw .fileNotTaken }
            return nil
        }
        guard let label = String(validating: name.text, as: UTF8.self), isKnown(label) else {
            return nil
        }
        guard !value.contains(0), let text = String(validating: value, as: UTF8.self) else {
            throw .notText
        }
        return (label, text)
    }

    /// The name in `form-data; name="…"`. A `filename` in any form makes it a file.
    private static func name(
        in disposition: ArraySlice<UInt8>
    ) throws(Fault) -> (text: [UInt8], isFile: Bool) {
        let type = disposition.prefix { $0 != UInt8(ascii: ";") }
        guard lowercased(trimmed(type)) == Array("form-data".utf8) else { throw .malformed }
        var name: [UInt8]?
        var isFile = false
        for parameter in parameters(of: disposition) {
            if parameter.name.starts(with: "filename".utf8) {
                guard parameter.value.isEmpty else { throw .fileNotTaken }
                isFile = true
            }
            guard parameter.name == Array("name".utf8) else { continue }
            guard name == nil else { throw .malformed }
            name = parameter.value
        }
        guard let name, !name.isEmpty else { throw .malformed }
        return (unescaped(name), isFile)
    }

    /// The parameters behind the first semicolon, names in lower case. A quoted value ends at the
    /// next quotation mark: browsers write one inside as `%22` (WHATWG HTML, multipart/form-data
    /// encoding).
    private static func parameters(
        of field: ArraySlice<UInt8>
    ) -> [(name: [UInt8], value: [UInt8])] {
        var parameters: [(name: [UInt8], value: [UInt8])] = []
        var rest = field.drop { $0 != UInt8(ascii: ";") }
        while rest.first == UInt8(ascii: ";") {
            rest = rest.dropFirst().drop(while: isBlank)
            let name = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest[name.endIndex...]
            var value: ArraySlice<UInt8> = []
            if rest.first == UInt8(ascii: "=") {
                rest = rest.dropFirst().drop(while: isBlank)
                if rest.first == UInt8(ascii: "\"") {
                    value = rest.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
                    rest = rest[value.endIndex...].drop { $0 != UInt8(ascii: ";") }
                } else {
                    let bare = rest.prefix { $0 != UInt8(ascii: ";") }
                    rest = rest[bare.endIndex...]
                    value = trimmed(bare)
                }
            }
            parameters.append((lowercased(trimmed(name)), Array(value)))
        }
        return parameters
    }

    /// Undoes `%22`, `%0D` and `%0A`, the three that browsers escape in names, and no others.
    private static func unescaped(_ name: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        var rest = name[...]
        while let byte = rest.first {
            let escape = rest.prefix(3).map { $0 & ($0 >= 0x61 ? 0xDF : 0xFF) }
            switch escape {
            case Array("%22".utf8): plain.append(UInt8(ascii: "\""))
            case Array("%0D".utf8): plain.append(0x0D)
            case Array("%0A".utf8): plain.append(0x0A)
            default:
                plain.append(byte)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst(3)
        }
        return plain
    }

    private static func lineEnd(_ part: ArraySlice<UInt8>, from start: Int) -> Int? {
        var place = start
        while place + 1 < part.endIndex {
            if part[place] == 0x0D && part[place + 1] == 0x0A { return place }
            place += 1
        }
        return nil
    }

    private static func find(_ needle: [UInt8], in body: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first, body.count >= needle.count else { return nil }
        var place = start
        while place <= body.count - needle.count {
            if body[place] == first, body[place..<(place + needle.count)].elementsEqual(needle) {
                return place
            }
            place += 1
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = bytes.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return [] }
        return start[...last]
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    /// `bchars` of RFC 2046 section 5.1.1.
    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "'()+_,-./:=? ".utf8.contains(byte)
        }
    }
}
