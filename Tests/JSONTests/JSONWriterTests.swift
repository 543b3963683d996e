import JSON
import Testing

@Suite("JSONWriter")
struct JSONWriterTests {
    @Test("the shape of the calls is the shape of the text")
    func shape() {
        var json = JSONWriter()
        json.object { o in
            o.field("id", "lead_1")
            o.field("count", 3)
            o.field("big", Int64.min)
            o.field("open", true)
            o.field("note", String?.none)
            o.field("limit", Int64?.some(9))
            o.null("gone")
            o.object("money") { m in
                m.field("amount", Int64(100))
                m.field("currency", "EUR")
            }
            o.array("tags") { a in
                a.element("a")
                a.element(Int64(2))
                a.null()
                a.object { $0.field("x", false) }
                a.array { _ in }
                a.raw(Array("[1]".utf8))
            }
            o.raw("stored", Array("{\"k\":1}".utf8))
            o.field("value", JSONValue.array([1, nil, "s"]))
            o.object("empty") { _ in }
        }
        #expect(
            String(decoding: json.bytes, as: UTF8.self) == """
                {"id":"lead_1","count":3,"big":-9223372036854775808,"open":true,"note":null,\
                "limit":9,"gone":null,"money":{"amount":100,"currency":"EUR"},\
                "tags":["a",2,null,{"x":false},[],[1]],"stored":{"k":1},\
                "value":[1,null,"s"],"empty":{}}
                """)
    }

    @Test("a name from data is escaped")
    func dynamicNames() {
        let name = String("a\"b")
        var json = JSONWriter()
        json.object { o in
            o.field(name, 1)
            o.null(name + "c")
            o.raw(name + "d", Array("2".utf8))
            o.object(name + "e") { _ in }
            o.array(name + "f") { $0.element(name) }
        }
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"a\"b":1,"a\"bc":null,"a\"bd":2,"a\"be":{},"a\"bf":["a\"b"]}"#)
    }

    @Test("only quotation mark, backslash and control characters are escaped")
    func escapes() {
        let value = JSONValue.string("\"\\/\u{8}\u{9}\u{A}\u{C}\u{D}\u{0}\u{1F}\u{7F}\u{2028}é😀")
        #expect(value.text == #""\"\\/\b\t\n\f\r\u0000\u001f"# + "\u{7F}\u{2028}é😀\"")
    }

    @Test("an array may be the whole text")
    func topLevelArray() {
        var json = JSONWriter(capacity: 0)
        json.array { a in
            a.element(true)
            a.element(-7)
        }
        #expect(json.bytes == Array("[true,-7]".utf8))
    }

    @Test("what is written before a thrown error stays, closed")
    func throwingBody() {
        struct Stop: Error {}
        var json = JSONWriter()
        #expect(throws: Stop.self) {
            try json.object { o in
                o.field("a", 1)
                try o.array("b") { _ in throw Stop() }
            }
        }
        #expect(json.bytes == Array(#"{"a":1,"b":[]}"#.utf8))
    }

    @Test("every random value survives writing and reading")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<2000 {
            let value = RandomJSON.value(depth: 4, using: &random)
            let again = try JSONValue.parse(value.encoded())
            try #require(again == value, "seed \(seed), round \(round): \(value.text)")
            try #require(again.encoded() == value.encoded(), "seed \(seed), round \(round)")
        }
    }
}
