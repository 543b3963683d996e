import Model
import Testing

@Suite("PercentCoding")
struct PercentCodingTests {
    @Test(
        "a component is decoded once, and a plus sign stays one",
        arguments: [
            ("", ""), ("abc", "abc"), ("a%20b", "a b"), ("a+b", "a+b"), ("%41%5a%5A", "AZZ"),
            ("%C3%A9", "é"), ("é", "é"), ("%F0%9F%98%80", "😀"), ("%2541", "%41"), ("%2F", "/"),
            ("%7F%01", "\u{7F}\u{1}"),
        ])
    func decoding(text: String, decoded: String) {
        #expect(PercentCoding.decode(text) == decoded)
    }

    @Test(
        "a broken escape, U+0000 and invalid UTF-8 are refused",
        arguments: [
            "%", "%4", "a%", "%4g", "%g4", "%%41", "%-1", "%00", "a%00b", "\u{0}", "%C3", "%C3%28",
            "%80", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%E9", "%+1",
        ])
    func refusing(text: String) {
        #expect(PercentCoding.decode(text) == nil)
    }

    @Test(
        "only unreserved characters stay unescaped",
        arguments: [
            ("", ""), ("AZaz09-._~", "AZaz09-._~"),
            ("a b&c=d/e?f#g%h+", "a%20b%26c%3Dd%2Fe%3Ff%23g%25h%2B"),
            ("é😀", "%C3%A9%F0%9F%98%80"), ("\u{0}\u{7F}", "%00%7F"),
        ])
    func encoding(text: String, encoded: String) {
        #expect(PercentCoding.encode(text) == encoded)
    }

    @Test("a form is read as pairs in order, with plus as space")
    func forms() throws {
        let pairs = try #require(PercentCoding.formDecode("a=1&b=x+y%2B&a=2&c&=d&&e=f=g&"))
        #expect(pairs.map(\.name) == ["a", "b", "a", "c", "", "e"])
        #expect(pairs.map(\.value) == ["1", "x y+", "2", "", "d", "f=g"])
        #expect(PercentCoding.formDecode("")?.isEmpty == true)
    }

    @Test(
        "a form with a part that cannot be read is refused",
        arguments: ["a=%", "%00=1", "a=1&%FF"])
    func badForms(text: String) {
        #expect(PercentCoding.formDecode(text) == nil)
    }

    @Test("a form with more pairs than allowed is refused")
    func manyPairs() {
        #expect(PercentCoding.formDecode("a&b&c", pairsMax: 3)?.count == 3)
        #expect(PercentCoding.formDecode("a&b&c&d", pairsMax: 3) == nil)
        let text = String(repeating: "a&", count: PercentCoding.pairsMax)
        #expect(PercentCoding.formDecode(text)?.count == PercentCoding.pairsMax)
        #expect(PercentCoding.formDecode(text + "a") == nil)
    }

    @Test("what is encoded is decoded to the same text")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                let shift = UInt32.random(in: 0..<16, using: &random)
                let value = UInt32.random(in: 1...0x10FFFF, using: &random) >> shift
                guard value > 0, let scalar = Unicode.Scalar(value) else { continue }
                text.unicodeScalars.append(scalar)
            }
            let encoded = PercentCoding.encode(text)
            try #require(PercentCoding.decode(encoded) == text, "seed \(seed)")
            let pairs = PercentCoding.formDecode("n=\(encoded)")
            try #require(pairs?.first?.value == text, "seed \(seed)")
        }
    }
}
