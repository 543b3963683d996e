import LeadRegistration
import Model
import Testing

private func domain(_ text: String) -> DomainName? { DomainName(typed: text) }

@Suite("By what a company is known again")
struct AccountIdentityTests {
    /// From the list's own test data, and from the rules it states.
    @Test(
        "the registrable domain is the public suffix and one label more",
        arguments: [
            ("example.com", "example.com"), ("b.example.com", "example.com"), ("com", nil),
            ("example.local", "example.local"), ("b.example.local", "example.local"),
            ("domain.biz", "domain.biz"), ("uk.com", nil), ("example.uk.com", "example.uk.com"),
            ("test.ac", "test.ac"), ("b.c.mm", "b.c.mm"), ("c.mm", nil), ("test.jp", "test.jp"),
            ("ac.jp", nil), ("test.ac.jp", "test.ac.jp"), ("kyoto.jp", nil),
            ("test.kyoto.jp", "test.kyoto.jp"), ("ide.kyoto.jp", nil),
            ("b.ide.kyoto.jp", "b.ide.kyoto.jp"), ("c.kobe.jp", nil),
            ("b.c.kobe.jp", "b.c.kobe.jp"),
            ("city.kobe.jp", "city.kobe.jp"), ("www.city.kobe.jp", "city.kobe.jp"),
            ("test.ck", nil), ("b.test.ck", "b.test.ck"), ("www.ck", "www.ck"),
            ("www.www.ck", "www.ck"), ("test.us", "test.us"), ("ak.us", nil),
            ("test.ak.us", "test.ak.us"), ("k12.ak.us", nil), ("test.k12.ak.us", "test.k12.ak.us"),
            ("xn--85x722f.com.cn", "xn--85x722f.com.cn"),
            ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
            ("shishi.xn--55qx5d.cn", "shishi.xn--55qx5d.cn"),
            ("shop.acme.myshopify.com", "acme.myshopify.com"), ("acme.github.io", "acme.github.io"),
        ])
    func registrable(name: String, expected: String?) {
        let found = domain(name).flatMap { PublicSuffixes.standard.registrableDomain(of: $0) }
        // One label alone is no domain name, so it has no registrable part either.
        #expect(found?.text == expected, "\(name)")
    }

    @Test(
        "one account has one key, however its domain is spelled",
        arguments: [
            "bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE",
            "www.bücher.example", "shop.de.xn--bcher-kva.example.", " bücher.example ",
            "bücher\u{3002}example", "bu\u{308}cher.example", "ＢＵ\u{308}ＣＨＥＲ．ｅｘａｍｐｌｅ",
        ])
    func spellings(text: String) {
        let one = AccountIdentity(
            domain: domain("bücher.example"), company: nil, country: nil, email: nil)
        let other = AccountIdentity(domain: domain(text), company: nil, country: nil, email: nil)
        #expect(other.domainKey == one.domainKey)
        #expect(other.domain?.text == "xn--bcher-kva.example")
        #expect(other.canonical == one.canonical)
    }

    @Test("free mail tells no company, a company's mail does")
    func mail() {
        func identity(_ email: String) -> AccountIdentity {
            AccountIdentity(
                domain: nil, company: nil, country: nil, email: EmailAddress(email))
        }
        #expect(identity("a@gmail.com").domain == nil)
        #expect(identity("a@yahoo.co.uk").domain == nil)
        #expect(identity("a@mail.acme.co.uk").domain?.text == "acme.co.uk")
        let named = AccountIdentity(
            domain: domain("gmail.com"), company: nil, country: nil, email: nil)
        #expect(named.domainKey == nil)
        let both = AccountIdentity(
            domain: domain("gmail.com"), company: nil, country: nil,
            email: EmailAddress("a@acme.example"))
        #expect(both.domain?.text == "acme.example")
    }

    @Test(
        "a company's name is one whatever its form and spelling",
        arguments: [
            ("Acme, Inc.", "acme"), ("ACME Incorporated", "acme"), ("The Acme Company", "acme"),
            ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
            ("Società Alfa S.p.A.", "societa alfa"),
            ("Grupo Sol S.A. de C.V.", "grupo sol"), ("L'Oréal", "loreal"), ("Co", "co"),
            ("株式会社 東京", "株式会社 東京"), ("A+B Ltd", "a and b"), ("3M", "3m"),
            ("Żabka Sp. z o.o.", "zabka"), ("Alfa s.r.o.", "alfa"), ("Beta S. A.", "beta"),
            ("Gamma Sdn. Bhd.", "gamma"), ("Zoo Zürich", "zoo zurich"),
            ("London Zoo", "london zoo"),
            ("Ac\u{200B}me\u{202E} I\u{AD}nc", "acme"), ("\u{FEFF}The Acme", "acme"),
            ("Công ty Điện Lực", "cong ty dien luc"), ("Café", "cafe"), ("Cafe\u{301}", "cafe"),
        ])
    func companies(text: String, normalized: String) {
        #expect(CompanyName(text)?.normalized == normalized)
    }

    @Test("a name of marks alone tells nothing")
    func emptyCompany() {
        #expect(CompanyName("") == nil)
        #expect(CompanyName(" - ") == nil)
    }

    @Test("names are alike when at most one letter in eight differs, in both directions")
    func similarity() throws {
        let rows = [
            ("Northwind Traders", "Northwind Trader Inc", true), ("Acme Corp", "ACME", true),
            ("Data Dog", "Datadog", true), ("Acme", "Acne", false),
            ("Microsoft", "Mikrosoft", true),
            ("Globex Systems", "Initech Systems", false),
            // Letters count, whatever bytes they have.
            ("東京電力", "東京電気", false), ("Ромашка", "Рамашка", false),
        ]
        for (left, right, expected) in rows {
            let (one, other) = try (#require(CompanyName(left)), #require(CompanyName(right)))
            #expect(one.isSimilar(to: other) == expected, "\(left) \(right)")
            #expect(other.isSimilar(to: one) == expected, "\(left) \(right)")
        }
    }
}
