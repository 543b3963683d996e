import Model
import Testing

@Suite("WebURL")
struct WebURLTests {
    @Test(
        "an address is spelled one way and otherwise kept",
        arguments: [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.COM/Path?Q=1#Frag", "https://example.com/Path?Q=1#Frag"),
            ("http://example.com:80/", "http://example.com/"),
            ("https://example.com:443/", "https://example.com/"),
            ("https://example.com:80/", "https://example.com:80/"),
            ("https://example.com:8443?x=1", "https://example.com:8443/?x=1"),
            ("https://example.com#top", "https://example.com/#top"),
            ("https://example.com/a%20b?c=%C3%A9&d=+", "https://example.com/a%20b?c=%C3%A9&d=+"),
            ("https://example.com/café?q=é#ü", "https://example.com/caf%C3%A9?q=%C3%A9#%C3%BC"),
            ("https://example.com/{a}|\"<>^`", "https://example.com/%7Ba%7D%7C%22%3C%3E%5E%60"),
            ("http://localhost:3000/x", "http://localhost:3000/x"),
            ("http://127.0.0.1/", "http://127.0.0.1/"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
            ("http://[2001:DB8::A]/", "http://[2001:db8::a]/"),
            ("http://[::ffff:192.0.2.1]/", "http://[::ffff:192.0.2.1]/"),
            ("http://[1:2:3:4:5:6:7:8]/", "http://[1:2:3:4:5:6:7:8]/"),
            ("https://example.com/a?b?c#d?e", "https://example.com/a?b?c#d?e"),
            ("https://example.com//a/../b", "https://example.com//a/../b"),
            ("https://example.com/@user:x", "https://example.com/@user:x"),
            ("https://example.com/?", "https://example.com/?"),
        ])
    func accepting(given: String, text: String) {
        #expect(WebURL(given)?.text == text)
        #expect(WebURL(text)?.text == text)
    }

    @Test(
        "a host in another script becomes ASCII",
        arguments: [
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("münchen.de", "xn--mnchen-3ya.de"), ("straße.de", "xn--strae-oqa.de"),
            ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
            ("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"), ("例子.测试", "xn--fsqu00a.xn--0zwm56d"),
            ("실례.테스트", "xn--9n2bp8q.xn--9t4b11yi5a"), ("\u{212A}.example", "k.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ])
    func hosts(given: String, host: String) {
        #expect(WebURL("https://\(given)/")?.host == host)
    }

    @Test(
        "an address with a trick in it is refused",
        arguments: [
            "", "example.com", "/path", "//example.com/", "https:example.com", "https:/example.com",
            "https://", "https:///path", "https://?q", "ftp://example.com/", "javascript:alert(1)",
            "data:text/html,x", "mailto:a@example.com", "https://user@example.com/",
            "https://user:pw@example.com/", "https://@example.com/", "https://exa mple.com/",
            "https://example.com/a b", " https://example.com/", "https://example.com/\n",
            "https://example.com/\r\nSet-Cookie: a=b", "https://example.com/\t", "ht\ntps://e.com/",
            "https://example.com/\u{0}", "https://example.com/\u{7F}",
            "https://example.com\\@evil.com/",
            "https:\\\\example.com\\", "https://example.com/\\a", "https://example.com/%",
            "https://example.com/%4", "https://example.com/%zz", "https://example.com/?a=%1",
            "https://example.com/#%é1", "https://example.com:/", "https://example.com:0/",
            "https://example.com:65536/", "https://example.com:-1/", "https://example.com:8a/",
            "https://example.com:080808/", "https://exa_mple.com/", "https://-a.com/",
            "https://a-.com/",
            "https://a..com/", "https://.com/", "https://example.com./", "https://exa%6Dple.com/",
            "https://[::1/", "https://::1/", "https://[]/", "https://[::1]x/", "https://[:1]/",
            "https://[1:]/", "https://[:::]/", "https://[1::2::3]/", "https://[12345::]/",
            "https://[1:2:3:4:5:6:7]/", "https://[1:2:3:4:5:6:7:8:9]/", "https://[g::]/",
            "https://[fe80::1%25eth0]/", "https://[::1.2.3]/", "https://[::1.2.3.256]/",
            "https://[1.2.3.4]/", "https://1.2.3/", "https://1.2.3.4.5/", "https://256.1.1.1/",
            "https://01.2.3.4/", "https://0x7f.1/", "https://2130706433/", "https://0x7f000001/",
        ])
    func refusing(text: String) {
        #expect(WebURL(text) == nil)
    }

    @Test(
        "a host that would need the tables of IDNA is refused",
        arguments: [
            "e\u{301}.com", "ｅxample.com", "ﬁ.com", "a\u{200D}b.com", "a。com", "אבג.com", "ไทย.com",
            "😀.com", "ª.com", "İ.com", "ſ.com", "a\u{AD}b.com", "℃.com", "xn--é.com", "é_.com",
            "①.com", "①", "\u{301}example.com", "example.com\u{301}", "example.com:\u{301}80",
            "\u{F900}.com",
        ])
    func unsafeHosts(host: String) {
        #expect(WebURL("https://\(host)/") == nil)
    }

    @Test("an address has at most 4096 bytes")
    func length() {
        let base = "https://example.com/"
        let rest = String(repeating: "a", count: WebURL.bytesMax - base.utf8.count)
        #expect(WebURL(base + rest) != nil)
        #expect(WebURL(base + rest + "a") == nil)
    }

    @Test("the parts are those of the address")
    func parts() throws {
        let url = try #require(WebURL("HTTP://Example.com:8080/a?b#c"))
        #expect(url.scheme == "http")
        #expect(url.host == "example.com")
        #expect(url.port == 8080)
        #expect(url.origin == "http://example.com:8080")
        #expect(WebURL("https://example.com:443/a")?.origin == "https://example.com")
        #expect(WebURL("https://example.com:443/a")?.port == nil)
    }

    @Test(
        "query parameters are added, or replace those of the same name, and the rest is kept",
        arguments: [
            ("https://e.com", "https://e.com/?ref=A&click_id=c%201"),
            ("https://e.com/p#f", "https://e.com/p?ref=A&click_id=c%201#f"),
            ("https://e.com/p?", "https://e.com/p?ref=A&click_id=c%201"),
            ("https://e.com/p?x=%C3%A9+y", "https://e.com/p?x=%C3%A9+y&ref=A&click_id=c%201"),
            ("https://e.com/p?ref=old&x=1#f", "https://e.com/p?x=1&ref=A&click_id=c%201#f"),
            ("https://e.com/p?x=1&r%65f=old", "https://e.com/p?x=1&ref=A&click_id=c%201"),
            ("https://e.com/p?ref", "https://e.com/p?ref=A&click_id=c%201"),
            ("https://e.com/p?ref=1&ref=2", "https://e.com/p?ref=A&click_id=c%201"),
            ("https://e.com/p?REF=1", "https://e.com/p?REF=1&ref=A&click_id=c%201"),
            ("https://e.com/p?a=ref=1&&b", "https://e.com/p?a=ref=1&b&ref=A&click_id=c%201"),
            ("https://e.com/p?%FF=1&x=%2526", "https://e.com/p?%FF=1&x=%2526&ref=A&click_id=c%201"),
        ])
    func settingQuery(given: String, result: String) throws {
        let url = try #require(WebURL(given))
        #expect(url.settingQuery([("ref", "A"), ("click_id", "c 1")]) == result)
    }

    @Test("a value cannot leave its parameter")
    func injection() throws {
        let url = try #require(WebURL("https://e.com/p#f"))
        #expect(
            url.settingQuery([("a&b=", "1&c=2#x\r\n%é")])
                == "https://e.com/p?a%26b%3D=1%26c%3D2%23x%0D%0A%25%C3%A9#f")
    }

    @Test("without pairs the address stays")
    func noPairs() throws {
        let url = try #require(WebURL("https://e.com/p?a=1#f"))
        #expect(url.settingQuery([]) == url.text)
    }

    @Test("mutated addresses are refused or spelled so that they read the same again")
    func mutations() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("/:?#@[]%.&=-\\ aZ0é例\u{301}\u{0}\r\n".unicodeScalars)
        for _ in 0..<20_000 {
            var scalars = Array("https://bücher.example:8443/p%20q?a=1&b=2#f".unicodeScalars)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<scalars.count, using: &random)
                let scalar = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: scalars[place] = scalar
                case 1: scalars.insert(scalar, at: place)
                default: scalars.remove(at: place)
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            guard let url = WebURL(text) else { continue }
            try #require(WebURL(url.text)?.text == url.text, "seed \(seed): \(text)")
            let isPlain = url.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }
            try #require(isPlain, "seed \(seed): \(text)")
            let changed = url.settingQuery([("a", "x")])
            try #require(WebURL(changed)?.text == changed, "seed \(seed): \(text)")
            try #require(WebURL(changed)?.origin == url.origin, "seed \(seed): \(text)")
        }
    }
}
