import LeadRegistration
import Model
import Testing

private let later = Instant(milliseconds: 1_800_000_000_000)

@Suite("Rules of claims that came second")
struct RefusedClaimTests {
    @Test("partners are told the midnight that ends it, the operator the very end")
    func told() {
        let midnight = Instant(milliseconds: 86_400_000 * 20_000)
        for (distance, expected) in [(0, 0), (1, 86_400_000), (86_399_999, 86_400_000)] {
            let end = midnight.advanced(byMilliseconds: Int64(distance))
            #expect(RegistrationRules.told(end, toOperator: true) == end)
            #expect(
                RegistrationRules.told(end, toOperator: false)
                    == midnight.advanced(byMilliseconds: Int64(expected)))
        }
    }

    @Test("a claim made again adds what is new, takes nothing away, and is the same otherwise")
    func enriched() throws {
        let meeting = Opportunity.Evidence(kind: .scheduledMeeting, occurredAt: nil, note: "A")
        let call = Opportunity.Evidence(kind: .discoveryCall, occurredAt: nil, note: "B")
        var refused = someRegistration(.refused)
        refused.contact.name = "Mia"
        refused.opportunity.evidence = [meeting]
        var again = refused
        #expect(RegistrationRules.enriched(refused, by: again, at: later) == nil)
        again.contact = RegistrationContact(name: nil, email: nil, phone: "1")
        again.opportunity.evidence = [call, meeting]
        let more = try #require(RegistrationRules.enriched(refused, by: again, at: later))
        #expect(more.contact.name == "Mia")
        #expect(more.contact.phone == "1")
        #expect(more.opportunity.evidence == [meeting, call])
        #expect(more.version == refused.version + 1)
        #expect(more.updatedAt == later)
        #expect(more.identity == refused.identity)
    }

    @Test("parts are one whatever their case and spaces, and nothing is the whole account")
    func parts() {
        let rows: [(String?, String?)] = [
            (nil, nil), ("", nil), (" \u{A0}\t", nil), ("EMEA", "emea"), (" e  m ", "e m"),
            ("Stra\u{DF}e", "strasse"), ("\u{200B}X", "x"),
        ]
        for (part, key) in rows { #expect(FreeText.key(part) == key) }
        #expect(FreeText.tidied("  South \n West ") == "South West")
    }
}
