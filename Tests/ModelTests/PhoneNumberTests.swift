import Model
import Testing

@Suite("PhoneNumber and CountryCode")
struct PhoneNumberTests {
    private func e164(_ text: String, _ country: String?) -> String? {
        PhoneNumber(text, country: country.flatMap { CountryCode($0) })?.e164
    }

    @Test(
        "an international number needs no country",
        arguments: [
            ("+49 30 901820", "+4930901820"), ("0049 (30) 90-18-20", "+4930901820"),
            ("+44 (0)20 7946 0018", "+442079460018"), ("+33 (0)1 44 55 66 77", "+33144556677"),
            ("+41 (0) 44 668 18 00", "+41446681800"), ("+39 06 6982 1234", "+390669821234"),
            ("+39 (0)6 6982 1234", "+390669821234"), ("+7 8 495 123-45-67", "+74951234567"),
            ("+52 1 55 1234 5678", "+525512345678"), ("+1-212-555-0100", "+12125550100"),
            ("tel:+12125550100", "+12125550100"), ("+383 38 200 200", "+38338200200"),
            ("+81\u{2011}3\u{2011}1234\u{2011}5678", "+81312345678"),
            ("\u{202A}+49\u{A0}30\u{A0}901820\u{202C}", "+4930901820"),
            ("\u{FF0B}\u{FF14}\u{FF19} 30 901820", "+4930901820"),
        ])
    func international(text: String, expected: String) {
        #expect(e164(text, nil) == expected)
        // A country does not change what the number says itself.
        #expect(e164(text, "US") == expected)
    }

    @Test(
        "a national number is read as its country dials it",
        arguments: [
            ("030/901820", "DE", "+4930901820"), ("30 901820", "DE", "+4930901820"),
            ("020 7946 0018", "GB", "+442079460018"), ("(212) 555-0100", "US", "+12125550100"),
            ("1 212 555 0100", "CA", "+12125550100"), ("06 6982 1234", "IT", "+390669821234"),
            ("8 495 123-45-67", "RU", "+74951234567"), ("800 555 35 35", "RU", "+78005553535"),
            ("06 1 234 5678", "HU", "+3612345678"), ("8 600 12345", "LT", "+37060012345"),
            ("0 600 12345", "LT", "+37060012345"), ("8 017 123 45 67", "BY", "+375171234567"),
            ("011 123456", "GA", "+24111123456"), ("07 07 12 34 56", "CI", "+2250707123456"),
            ("98765 43210", "IN", "+919876543210"), ("91987 65432", "IN", "+919198765432"),
            ("044 55 1234 5678", "MX", "+525512345678"), ("912 345 678", "ES", "+34912345678"),
            ("011 44 20 7946 0018", "US", "+442079460018"),
        ])
    func national(text: String, country: String, expected: String) {
        #expect(e164(text, country) == expected)
    }

    @Test("a number whose plus sign alone is missing is known by its length")
    func missingPlus() {
        #expect(e164("919876543210", "IN") == "+919876543210")
        #expect(e164("1 212 555 0100", "US") == "+12125550100")
        #expect(e164("33 1 44 55 66 77", "FR") == "+33144556677")
    }

    @Test(
        "an extension is left out",
        arguments: ["ext. 5", "ext 5", "x5", "#5", ";ext=5", ", 5", "extension 5"])
    func extensions(text: String) {
        #expect(e164("+1 212 555 0100 \(text)", nil) == "+12125550100")
    }

    @Test(
        "what cannot be told is no number",
        arguments: [
            ("030 901820", nil), ("call me", "DE"), ("", "US"), ("+", nil), ("00", "DE"),
            ("+12", nil), ("+1234567890123456", nil), ("+999 123 45 67", nil), ("555-0100", "US"),
            ("112 555 0100", "US"), ("+49 0", nil), ("0", "DE"), ("+44 00 20 7946 0018", nil),
            ("49+30901820", "DE"), ("++4930901820", nil), ("1 800 FLOWERS", "US"),
            ("12345", "FR"), ("00 00", "DE"), ("0664 12", "AQ"),
            ("123456789012345678901234567890", "DE"),
        ])
    func refused(text: String, country: String?) {
        #expect(e164(text, country) == nil, "\(text)")
    }

    @Test("whatever is read is 7 to 15 digits behind a plus sign, and is read again as itself")
    func anything() {
        var random = SeededGenerator(seed: 20)
        let signs = Array("0123456789 +()-x")
        for _ in 0..<20_000 {
            let text = String(
                (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    signs.randomElement(using: &random) ?? "0"
                })
            let country = CountryCode.all.randomElement(using: &random).flatMap {
                CountryCode($0)
            }
            guard let number = PhoneNumber(text, country: country) else { continue }
            let digits = number.e164.utf8.dropFirst()
            #expect((7...15).contains(digits.count), "\(text)")
            #expect(digits.allSatisfy { (0x30...0x39).contains($0) }, "\(text)")
            #expect(PhoneNumber(number.e164, country: nil) == number, "\(text)")
        }
    }

    @Test("a country has two letters that mean one")
    func countries() {
        #expect(CountryCode("de")?.code == "DE")
        #expect(CountryCode("XX") == nil)
        #expect(CountryCode("DEU") == nil)
        #expect(CountryCode("ß") == nil)
        #expect(CountryCode.all.count == 249)
    }
}
