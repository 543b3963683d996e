/// Reads one JSON text by recursive descent over the raw bytes (RFC 8259, restricted by RFC 7493).
///
/// Recursion is bounded by `JSONLimits.depthMax`. The pointer of an error is put together on the
/// way out, so a valid text pays nothing for it.
struct JSONParser {
    let input: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    var place = 0
    private var depth = 0
    private var values = 0

    init(_ input: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.input = input
        self.limits = limits
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        if input.count >= 3, input[0] == 0xEF, input[1] == 0xBB, input[2] == 0xBF {
            throw JSONError(.byteOrderMark, at: 0, "the text starts with a byte order mark")
        }
        skipSpace()
        let value = try parseValue()
        skipSpace()
        guard place == input.count else {
            throw JSONError(.syntax, at: place, "something follows the value")
        }
        return value
    }

    /// The byte at `place`, or 0 at the end: no rule of the grammar accepts a NUL.
    var next: UInt8 { place < input.count ? input[place] : 0 }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        values += 1
        guard values <= limits.valuesMax else {
            throw JSONError(.tooManyValues, at: place, "the text holds too many values")
        }
        switch next {
        case UInt8(ascii: "\""):
            place += 1
            return .string(try parseString())
        case UInt8(ascii: "{"):
            return try nested { parser throws(JSONError) in
                try parser.parseObject()
            }
        case UInt8(ascii: "["):
            return try nested { parser throws(JSONError) in
                try parser.parseArray()
            }
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default:
            throw place < input.count
                ? JSONError(.syntax, at: place, "no value starts like this")
                : JSONError(.syntax, at: place, "the text ends where a value should be")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONValue
    ) throws(JSONError) -> JSONValue {
        guard depth < limits.depthMax else {
            throw JSONError(.tooDeep, at: place, "arrays and objects are nested too deeply")
        }
        depth += 1
        place += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func parseArray() throws(JSONError) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            skipSpace()
            do throws(JSONError) {
                elements.append(try parseValue())
            } catch {
                throw error.inside("\(elements.count)")
            }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "]")) { return .array(elements) }
            throw JSONError(.syntax, at: place, "a comma or the end of the array is missing")
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSONValue {
        var members: [JSONObject.Element] = []
        var seen = NamesSeen()
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(JSONObject()) }
        while true {
            skipSpace()
            let start = place
            let name = try parseName()
            guard members.count < limits.membersMax else {
                throw JSONError(.tooManyMembers, at: start, "an object has too many members")
            }
            guard seen.insert(name, after: members) else {
                throw JSONError(.duplicateName, at: start, "a member name appears twice")
                    .inside(name)
            }
            do throws(JSONError) {
                members.append((name, try parseValue()))
            } catch {
                throw error.inside(name)
            }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "}")) { return .object(JSONObject(distinct: members)) }
            throw JSONError(.syntax, at: place, "a comma or the end of the object is missing")
        }
    }

    /// A member name, the colon and the space around it.
    private mutating func parseName() throws(JSONError) -> String {
        let start = place
        guard take(UInt8(ascii: "\"")) else {
            throw JSONError(.syntax, at: place, "a member name is missing")
        }
        let name = try parseString()
        guard name.utf8.count <= limits.nameBytesMax else {
            throw JSONError(.nameTooLong, at: start, "a member name is too long")
        }
        skipSpace()
        guard take(UInt8(ascii: ":")) else {
            throw JSONError(.syntax, at: place, "the colon after a member name is missing")
        }
        skipSpace()
        return name
    }

    private mutating func parseWord(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard input.count - place >= length else {
            throw JSONError(.syntax, at: place, "true, false or null is incomplete")
        }
        for index in 0..<length where input[place + index] != word.utf8Start[index] {
            throw JSONError(.syntax, at: place, "only true, false and null are words")
        }
        place += length
        return value
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    /// Only the four characters of RFC 8259 section 2 are space.
    private mutating func skipSpace() {
        while place < input.count {
            switch input[place] {
            case 0x20, 0x0A, 0x0D, 0x09: place += 1
            default: return
            }
        }
    }
}

/// Finds a repeated name: by a scan in a small object, by a set in a large one.
private struct NamesSeen {
    private static let scannedMax = 12
    private var names: Set<ExactName> = []

    /// False when `name` is among those of `members` already.
    mutating func insert(_ name: String, after members: [JSONObject.Element]) -> Bool {
        if members.count < NamesSeen.scannedMax {
            return !members.contains { $0.name.hasSameBytes(as: name) }
        }
        if names.isEmpty { names = Set(members.map { ExactName(text: $0.name) }) }
        return names.insert(ExactName(text: name)).inserted
    }
}

/// A name as its bytes. Equal bytes give equal String hashes, so String's hash serves.
private struct ExactName: Hashable {
    let text: String

    static func == (left: ExactName, right: ExactName) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
