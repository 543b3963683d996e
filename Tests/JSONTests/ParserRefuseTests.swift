import JSON
import Testing

/// What must be refused, in the kinds that the public parsing suites collect.
@Suite("JSONParser refuses")
struct ParserRefuseTests {
    private func error(_ bytes: [UInt8]) -> JSONError? {
        do {
            _ = try JSONValue.parse(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("broken grammar, pointing at the faulty value", arguments: JSONFaults.syntax)
    func syntax(text: String, pointer: String) {
        let error = error(Array(text.utf8))
        #expect(error?.code == .syntax)
        #expect(error?.pointer == pointer)
    }

    @Test("everything cut short", arguments: JSONFaults.whole)
    func prefixes(text: String) {
        let bytes = Array(text.utf8)
        #expect(error(bytes) == nil)
        for length in 0..<bytes.count {
            #expect(error(Array(bytes[..<length])) != nil, "\(length) bytes")
        }
    }

    @Test("bytes that are not UTF-8 where a string has them", arguments: JSONFaults.invalidUTF8)
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let alone = error([quote] + bytes + [quote])
        #expect(alone?.code == .invalidUTF8)
        #expect(alone?.offset == 1)
        let inside = error(Array(#"{"a":[0,"é"#.utf8) + bytes + Array("\"]}".utf8))
        #expect(inside?.code == .invalidUTF8)
        #expect(inside?.pointer == "/a/1")
        let name = error(Array(#"{"a":{""#.utf8) + bytes + Array(#"":1}}"#.utf8))
        #expect(name?.code == .invalidUTF8)
        #expect(name?.pointer == "/a")
    }

    @Test("half a surrogate pair, which no valid text holds", arguments: JSONFaults.loneSurrogates)
    func loneSurrogates(escapes: String) {
        let alone = error(Array("\"\(escapes)\"".utf8))
        #expect(alone?.code == .loneSurrogate)
        let inside = error(Array("[{\"k\":\"x\(escapes)y\"}]".utf8))
        #expect(inside?.code == .loneSurrogate)
        #expect(inside?.pointer == "/0/k")
    }

    @Test(
        "U+0000 in a string, escaped or not",
        arguments: ["\"\u{0}\"", #""\u0000""#, #""a\u0000b""#])
    func nullCharacter(text: String) {
        #expect(error(Array(text.utf8))?.code == .nullCharacter)
        #expect(error(Array("{\(text):1}".utf8))?.code == .nullCharacter)
        #expect(error(Array("[1,\(text)]".utf8))?.pointer == "/1")
    }

    @Test("a byte order mark", arguments: ["\u{FEFF}", "\u{FEFF}{}", "\u{FEFF}[1]"])
    func byteOrderMark(text: String) {
        #expect(error(Array(text.utf8))?.code == .byteOrderMark)
    }

    @Test("every control character that stands bare in a string", arguments: UInt8(1)...0x1F)
    func controlCharacters(byte: UInt8) {
        let found = error([0x5B, 0x22, 0x61, byte, 0x22, 0x5D])
        #expect(found?.code == .syntax)
        #expect(found?.pointer == "/0")
        #expect(found?.offset == 3)
    }

    @Test(
        "a member name that appears twice, however it is spelled",
        arguments: [
            (#"{"a":1,"a":2}"#, "/a"), (#"{"a":1,"\u0061":1}"#, "/a"), (#"{"":1,"":1}"#, "/"),
            (#"{"x":[{"b":0,"c":0,"b":0}]}"#, "/x/0/b"), (#"{"a/b":1,"a/b":1}"#, "/a~1b"),
            (#"{"m~n":{"~":1,"~":1}}"#, "/m~0n/~0"),
        ])
    func duplicateNames(text: String, pointer: String) {
        let error = error(Array(text.utf8))
        #expect(error?.code == .duplicateName)
        #expect(error?.pointer == pointer)
    }

    @Test("a repeated name among many", arguments: [0, 1, 11, 12, 13, 40, 99])
    func duplicateAmongMany(place: Int) {
        let members = (0..<100).map { "\"n\($0)\":\($0)" } + ["\"n\(place)\":0"]
        let error = error(Array("{\(members.joined(separator: ","))}".utf8))
        #expect(error?.code == .duplicateName)
        #expect(error?.pointer == "/n\(place)")
    }

    @Test("names that differ in their bytes only are two, even among many")
    func composedNames() {
        let members = (0..<40).map { "\"n\($0)\":\($0)" } + ["\"\u{E9}\":1", "\"e\u{301}\":2"]
        #expect(error(Array("{\(members.joined(separator: ","))}".utf8)) == nil)
    }

    @Test("nesting deeper than the limit, however deep")
    func depth() {
        let limit = JSONLimits.standard.depthMax
        let arrays = error([UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        #expect(arrays?.code == .tooDeep)
        #expect(arrays?.offset == limit)
        #expect(arrays?.pointer == String(repeating: "/0", count: limit))
        let objects = error(Array(String(repeating: "{\"a\":", count: 100_000).utf8))
        #expect(objects?.code == .tooDeep)
        #expect(objects?.pointer == String(repeating: "/a", count: limit))
    }

    @Test("what exceeds a limit, with that limit's code")
    func limits() {
        let limits = JSONLimits.standard
        let digits = String(repeating: "1", count: limits.numberDigitsMax + 1)
        #expect(error(Array("[0,\(digits)]".utf8))?.code == .numberTooLong)
        #expect(error(Array("[0,\(digits)]".utf8))?.pointer == "/1")
        let name = String(repeating: "n", count: limits.nameBytesMax + 1)
        #expect(error(Array("{\"a\":{\"\(name)\":1}}".utf8))?.code == .nameTooLong)
        #expect(error(Array("{\"a\":{\"\(name)\":1}}".utf8))?.pointer == "/a")
        let members = (0...limits.membersMax).map { "\"\($0)\":0" }.joined(separator: ",")
        #expect(error(Array("{\(members)}".utf8))?.code == .tooManyMembers)
        let values = String(repeating: "0,", count: limits.valuesMax) + "0"
        #expect(error(Array("[\(values)]".utf8))?.code == .tooManyValues)
    }

    @Test("the detail names the byte and holds nothing of the text")
    func detail() {
        let error = error(Array(#"{"secret":"hunter2\x"}"#.utf8))
        #expect(error?.detail == "a backslash starts no known escape at byte 18")
        #expect(error?.pointer == "/secret")
    }

    @Test("mutated texts are refused or read as what writes itself")
    func mutations() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<20_000 {
            var bytes = RandomJSON.value(depth: 3, using: &random).encoded()
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2:
                    let marks = Array("\"\\[]{},:-0eu".utf8)
                    bytes.insert(marks[Int.random(in: 0..<marks.count, using: &random)], at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            guard let value = try? JSONValue.parse(bytes) else { continue }
            let again = try? JSONValue.parse(value.encoded())
            try #require(again == value, "seed \(seed), round \(round)")
        }
    }
}
