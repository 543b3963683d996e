import JSON
import Testing

/// What must be read, in the kinds that the public parsing suites collect.
@Suite("JSONParser accepts")
struct ParserAcceptTests {
    private func value(_ text: String) -> JSONValue? {
        try? JSONValue.parse(Array(text.utf8))
    }

    @Test(
        "a number that is exactly an Int64 is read as one, however it is spelled",
        arguments: JSONCases.integers)
    func integers(text: String, integer: Int64) {
        #expect(value(text)?.integerValue == integer)
        #expect(value("[\(text)]")?.arrayValue?.first?.integerValue == integer)
    }

    @Test(
        "an Int64 in digits alone is told from one written with a point, an exponent or minus zero",
        arguments: JSONCases.integers)
    func spelling(text: String, integer: Int64) {
        let isPlain = text != "-0" && text.allSatisfy { $0 == "-" || $0.isNumber }
        #expect(value(text) == (isPlain ? .integer(integer) : .number(text)))
    }

    @Test(
        "every other number keeps its text",
        arguments: JSONCases.otherNumbers)
    func otherNumbers(text: String) {
        #expect(value(text) == .number(text))
        #expect(value(text)?.integerValue == nil)
        #expect(value("{\"a\":\(text)}") == ["a": .number(text)])
    }

    @Test(
        "strings are read with every escape undone",
        arguments: JSONCases.strings)
    func strings(text: String, string: String) throws {
        #expect(value(text) == .string(string))
        let name = try #require(value("{\(text):1}")?.objectValue?.names.first)
        #expect(JSONValue.string(name) == .string(string))
    }

    @Test(
        "structures are read with any of the four space characters around every token",
        arguments: JSONCases.structures)
    func structures(text: String, expected: JSONValue) {
        #expect(value(text) == expected)
    }

    @Test("members keep the order of the text")
    func order() throws {
        let object = try #require(value(#"{"z":1,"a":2,"m":3}"#)?.objectValue)
        #expect(object.names == ["z", "a", "m"])
        #expect(object.map(\.value) == [1, 2, 3])
    }

    @Test("what is at a limit is read")
    func limits() throws {
        let limits = JSONLimits.standard
        let deep =
            String(repeating: "[", count: limits.depthMax)
            + String(repeating: "]", count: limits.depthMax)
        #expect(value(deep) != nil)
        let digits = "1." + String(repeating: "1", count: limits.numberDigitsMax - 2)
        #expect(value(digits) == .number(digits))
        let name = String(repeating: "n", count: limits.nameBytesMax)
        #expect(value("{\"\(name)\":1}") != nil)
        let members = (0..<limits.membersMax).map { "\"\($0)\":\($0)" }.joined(separator: ",")
        #expect(value("{\(members)}")?.objectValue?.count == limits.membersMax)
        let values = String(repeating: "0,", count: limits.valuesMax - 2) + "0"
        #expect(value("[\(values)]")?.arrayValue?.count == limits.valuesMax - 1)
    }
}
