import JSON
import LeadRegistration
import Model

/// Currencies by code; the table is known to hold these.
let usd = Currency.all.first { $0.code == "USD" } ?? Currency.all[0]

/// A lead with every value that a test does not care about.
func someLead(
    _ state: Lead.State = .submitted, id: LeadID = LeadID(high: 7, low: 7),
    program: ProgramID = ProgramID(high: 1, low: 1), participant: ParticipantID? = nil,
    email: String = "carol@example.com", customer: CustomerID? = nil, source: Lead.Source = .api,
    digest: [UInt8]? = nil,
    at instant: Instant = Instant(milliseconds: 1_700_000_000_000)
) -> Lead {
    Lead(
        id: id, program: program, referrer: Referrer(participant: participant), customer: customer,
        state: state, source: source,
        contact: Contact(
            name: "Carol", email: EmailAddress(email), company: nil, domain: nil, phone: nil,
            note: nil),
        intro: nil, estimatedValue: nil, wonValue: nil, duplicateOf: nil, reasonCode: nil,
        reason: nil, followUpAt: nil, qualifiedAt: nil, wonAt: nil, formDigest: digest,
        metadata: [:], version: 1, createdAt: instant, updatedAt: instant)
}
