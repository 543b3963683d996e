import JSON
import Testing

@Suite("JSONValue")
struct MergePatchTests {
    @Test(
        "a merge patch gives the results of RFC 7396 appendix A",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
            (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
            (#"{"a":"foo"}"#, #"null"#, #"null"#),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func merging(target: String, patch: String, result: String) throws {
        let value = try JSONValue.parse(Array(target.utf8))
        let change = try JSONValue.parse(Array(patch.utf8))
        #expect(value.merging(change).text == result)
    }

    @Test("objects are equal whatever the order of their members")
    func objectEquality() {
        let left: JSONValue = ["a": 1, "b": ["c": nil, "d": true]]
        let right: JSONValue = ["b": ["d": true, "c": nil], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1, "b": ["c": nil, "d": false]])
        #expect(left != ["a": 1])
        #expect(["a": nil] as JSONValue != ["b": nil])
    }

    @Test("strings and names that differ in their bytes differ")
    func byteEquality() {
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
        var object: JSONObject = ["\u{E9}": 1]
        object["e\u{301}"] = 2
        #expect(object.count == 2)
        #expect(object["\u{E9}"] == 1)
    }

    @Test("members keep their place when replaced and vanish when set to nil")
    func members() {
        var object: JSONObject = ["a": 1, "b": 2, "c": 3]
        object["b"] = "x"
        object["a"] = nil
        object["none"] = nil
        object["d"] = .null
        #expect(object.names == ["b", "c", "d"])
        #expect(JSONValue.object(object).text == #"{"b":"x","c":3,"d":null}"#)
        #expect(object["a"] == nil)
        #expect(object["d"] == .some(.null))
        #expect(object.map(\.name) == object.names)
        #expect(!object.isEmpty && JSONObject().isEmpty)
    }

    @Test("an accessor gives the value of its own type only")
    func accessors() {
        let values: [JSONValue] = [nil, true, 7, .number("0.5"), "s", [1], ["a": 1]]
        #expect(values.map(\.isNull) == [true, false, false, false, false, false, false])
        #expect(values.map(\.boolValue) == [nil, true, nil, nil, nil, nil, nil])
        #expect(values.map(\.integerValue) == [nil, nil, 7, nil, nil, nil, nil])
        #expect(values.map(\.stringValue) == [nil, nil, nil, nil, "s", nil, nil])
        #expect(values.map(\.arrayValue) == [nil, nil, nil, nil, nil, [1], nil])
        #expect(values.map(\.objectValue) == [nil, nil, nil, nil, nil, nil, ["a": 1]])
    }
}
