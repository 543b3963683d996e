import Model
import Testing

@Suite("Identifier and Instant")
struct IdentifierTests {
    @Test("an identifier is read from the text it is written as")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let id = LeadID(high: random.next(), low: random.next())
            let text = "\(id)"
            try #require(text.utf8.count == 31 && LeadID(text) == id, "seed \(seed)")
        }
    }

    @Test("a new identifier is a UUIDv7 that holds its instant")
    func layout() {
        var random = SeededGenerator(seed: 7)
        let instant = Instant(milliseconds: 1_795_492_204_007)
        let id = ClickID(at: instant, using: &random)
        #expect(id.instant == instant)
        #expect(id.high >> 12 & 0xF == 7)
        #expect(id.low >> 62 == 2)
    }

    @Test("the text sorts as the identifiers do, by time first")
    func order() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var last = LeadID(at: Instant(milliseconds: 1_700_000_000_000), using: &random)
        for step in 1...500 {
            let instant = Instant(milliseconds: 1_700_000_000_000 + Int64(step))
            let id = LeadID(at: instant, using: &random)
            try #require(last < id && "\(last)" < "\(id)", "seed \(seed)")
            last = id
        }
    }

    @Test(
        "what is no identifier of the kind is refused",
        arguments: [
            "", "lead_", "lead_01h2xcejqtf2nbrexx3vqjhp4", "lead_01h2xcejqtf2nbrexx3vqjhp411",
            "link_01h2xcejqtf2nbrexx3vqjhp41", "lead-01h2xcejqtf2nbrexx3vqjhp41",
            "lead_01H2XCEJQTF2NBREXX3VQJHP41", "lead_81h2xcejqtf2nbrexx3vqjhp41",
            "lead_01h2xcejqtf2nbrexx3vqjhpil", "lead_01h2xcejqtf2nbrexx3vqjhp4é",
        ])
    func refusing(text: String) {
        #expect(LeadID(text) == nil)
    }

    @Test("an instant moves within what can be written, whatever the distance")
    func advancing() {
        let instant = Instant(milliseconds: 0)
        #expect(instant.advanced(byDays: 1).milliseconds == 86_400_000)
        #expect(instant.advanced(byDays: -1).day == -1)
        #expect(instant.advanced(byDays: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(instant.advanced(byMilliseconds: .min).rfc3339 == "0001-01-01T00:00:00.000Z")
    }
}
