import Model
import Testing

@Suite("EmailAddress")
struct EmailAddressTests {
    @Test(
        "an address keeps its spelling but for the domain's case and the space around it",
        arguments: [
            ("ann@example.com", "ann@example.com"),
            ("  Ann.Lee@Example.COM\r\n", "Ann.Lee@example.com"),
            ("a@b.co", "a@b.co"), ("ann+news@example.com", "ann+news@example.com"),
            ("o'neil!#$%&*/=?^_`{|}~-@x-1.example", "o'neil!#$%&*/=?^_`{|}~-@x-1.example"),
            ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
            ("änn@example.com", "änn@example.com"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ANN@BÜCHER.example", "ANN@xn--bcher-kva.example"),
            ("a\u{308}nn@example.com", "änn@example.com"),
            ("用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"),
            ("\u{200B}ann@example.com\u{FEFF}", "ann@example.com"),
            ("ann@مثال.example", "ann@xn--mgbh0fb.example"),
        ])
    func accepting(given: String, text: String) {
        #expect(EmailAddress(given)?.text == text)
    }

    @Test(
        "what is no plain address is refused",
        arguments: [
            "", " ", "@", "ann", "ann@", "@example.com", "ann@localhost", "ann@@example.com",
            "a@b@example.com", ".ann@example.com", "ann.@example.com", "a..b@example.com",
            "a b@example.com", "a\tb@example.com", "a\u{0}b@example.com", "ann@exa mple.com",
            "ann@-example.com", "ann@example-.com", "ann@example..com", "ann@.example.com",
            "ann@example.com.", "ann@exam_ple.com", "ann@127.0.0.1", "ann@[127.0.0.1]",
            "ann@example.123", "ann@example.0x1f", "\"a b\"@example.com", "ann(x)@example.com",
            "Ann <ann@example.com>", "a,b@example.com", "ann@\u{301}example.com",
            "a\u{200D}b@example.com",
            "a☃b@example.com", "ann@☃.example", "ann@exam\u{200B}ple.com", "ä@",
            "@bücher.example",
            "ann@example.com\nbcc: x@example.com", "a:b@example.com", "a;b@example.com",
            "\u{FF41}nn@example.com",
        ])
    func refusing(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test("lengths are bounded: 64 for the local part, 63 for a label, 254 in all")
    func lengths() {
        let label = String(repeating: "a", count: 63)
        #expect(EmailAddress("\(label)a@example.com") != nil)
        #expect(EmailAddress("\(label)aa@example.com") == nil)
        #expect(EmailAddress("a@\(label).com") != nil)
        #expect(EmailAddress("a@\(label)a.com") == nil)
        let domain = "\(label).\(label).\(label).com"  // 195
        let most = String(repeating: "b", count: 58)
        #expect(EmailAddress("\(most)@\(domain)") != nil)
        #expect(EmailAddress("\(most)bbbbbb@\(domain)") == nil)
    }

    @Test(
        "spellings that reach one mailbox are normalised to one",
        arguments: [
            ("Ann@Example.com", "ann@example.com"), ("ann+a+b@example.com", "ann@example.com"),
            ("a.n.n@example.com", "a.n.n@example.com"), ("+ann@example.com", "+ann@example.com"),
            ("A.n.n+x@gmail.com", "ann@gmail.com"), ("ann@GoogleMail.com", "ann@gmail.com"),
            ("a.b@mail.gmail.com", "a.b@mail.gmail.com"), ("ann@pm.me", "ann@proton.me"),
            ("Ann+x@ProtonMail.com", "ann@proton.me"),
        ])
    func normalizing(given: String, normalized: String) throws {
        let address = try #require(EmailAddress(given))
        #expect(address.normalized == normalized)
        #expect(EmailAddress(normalized)?.normalized == normalized)
    }

    @Test("a masked address shows the first letter and the domain only")
    func masking() throws {
        let address = try #require(EmailAddress("Anna.Secret+tag@Example.com"))
        #expect(address.masked == "A…@example.com")
        #expect("\(address)" == address.masked)
        #expect(address.domain == "example.com")
    }
}

@Suite("DomainName")
struct DomainNameTests {
    @Test(
        "a full name is read in any case",
        arguments: [
            ("example.com", "example.com"), ("Shop.EXAMPLE.co.uk", "shop.example.co.uk"),
            ("a-b.c1", "a-b.c1"), ("1.example", "1.example"),
            ("xn--p1ai.xn--p1ai", "xn--p1ai.xn--p1ai"),
            ("3com.com", "3com.com"),
        ])
    func accepting(given: String, text: String) {
        #expect(DomainName(given)?.text == text)
    }

    @Test(
        "what is no full name is refused",
        arguments: [
            "", ".", "com", "localhost", "example.com.", ".example.com", "a..b", "-a.com", "a-.com",
            "a.-com", "a.com-", "a_b.com", "a b.com", " a.com", "a.com ", "1.2.3.4", "a.1", "a.0x",
            "a.0xff", "[::1]", "bücher.de", "a.com/", "a.com:80", "a\u{0}.com", "*.a.com",
            "a.com\n",
        ])
    func refusing(text: String) {
        #expect(DomainName(text) == nil)
    }

    @Test("a name has at most 253 characters")
    func length() {
        let label = String(repeating: "a", count: 61) + "."
        let name = String(repeating: label, count: 4)  // 248
        #expect(DomainName(name + "comxy") != nil)
        #expect(DomainName(name + "comxyz") == nil)
    }
}
