import Model
import Testing

@Suite("NaturalKey")
struct NaturalKeyTests {
    @Test(
        "spellings that read alike are one key",
        arguments: [
            ("order", "order"), (" order", "order"), ("order \t", "order"),
            ("\norder\r\n", "order"),
            ("\u{A0}order\u{3000}", "order"), ("\u{200B}order\u{FEFF}", "order"),
            ("\u{2028}order\u{85}", "order"), ("order 7", "order 7"), ("Order", "Order"),
            ("cafe\u{301}", "caf\u{E9}"), (" A\u{30A}ngstro\u{308}m ", "\u{C5}ngstr\u{F6}m"),
            ("\u{212B}", "\u{C5}"),
            ("a\u{200B}b", "a\u{200B}b"), ("\u{1112}\u{1161}\u{11AB}", "한"),
        ])
    func alike(text: String, key: String) {
        #expect(NaturalKey.normalized(text).map { Array($0.utf8) } == Array(key.utf8))
    }

    @Test(
        "what holds nothing or a control character inside is no key",
        arguments: ["", " ", "\u{200B}\u{FEFF}", "\t\r\n", "a\tb", "a\nb", "a\u{7F}b", "a\u{9F}b"])
    func refused(text: String) {
        #expect(NaturalKey.normalized(text) == nil)
    }

    @Test("a key that is normal stays as it is")
    func fixedPoint() {
        var random = SeededGenerator(seed: 12)
        let pieces: [Unicode.Scalar] = [
            "a", "e", " ", "\u{301}", "\u{308}", "\u{E9}", "\u{AC00}", "\u{11A8}", "\u{323}",
        ]
        for _ in 0..<2000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                text.append(pieces[Int.random(in: 0..<pieces.count, using: &random)])
            }
            guard let key = NaturalKey.normalized(String(text)) else { continue }
            #expect(NaturalKey.normalized(key).map { Array($0.utf8) } == Array(key.utf8))
        }
    }
}
