import Attribution
import Database
import LeadRegistration
import Model
import Programs
import Records

/// By what it is decided whether something is earned, by whom, and how much of it: the sale, the
/// lead, the claim on the account and the rulings about it, the touches that are credited, and who
/// was taken for one customer. Who acted on one of them had a hand in what was earned.
struct GatherHands {
    /// Whose it is; nil for what the referred customer gets.
    let participant: ParticipantID?
    let program: ProgramID
    let lead: LeadID?
    let conversion: ConversionID?

    /// Of each kind; more never decide about one reward.
    private static let most = 10

    func callAsFunction(at granted: Instant, _ reader: Reader) throws -> [AnyIdentifier] {
        var objects: [AnyIdentifier] = []
        objects += lead.map { [AnyIdentifier($0)] } ?? []
        objects += conversion.map { [AnyIdentifier($0)] } ?? []
        let lead = try lead.flatMap { try LeadStore.find($0, reader) }
        let sale = try conversion.flatMap { try ConversionStore.find($0, reader) }
        let decision = try sale.flatMap {
            try AttributionStore.newest(of: $0.id, reader)?.decision
        }
        var registrations: [RegistrationID] = []
        if let decision {
            let credits = decision.credits.filter { isOurs($0.participant) }
            registrations = credits.compactMap(\.registration)
            objects += credits.compactMap(\.lead).prefix(Self.most).map { AnyIdentifier($0) }
            let touches = decision.touches.filter {
                $0.parts > 0 && isOurs($0.fact.participant)
            }
            objects += touches.prefix(Self.most).map { AnyIdentifier($0.fact.touch) }
        } else if let lead {
            registrations = try HoldAccount.registrations(
                of: [lead.identity], in: program, at: granted, reader
            ).filter { isOurs($0.participant) }.map(\.id)
        }
        for registration in registrations.prefix(Self.most) {
            objects.append(AnyIdentifier(registration))
            objects += try DisputeStore.about(registration, limit: Self.most, reader)
                .map { AnyIdentifier($0) }
        }
        if let customer = sale?.customer ?? lead?.customer {
            objects += try CustomerStore.person(customer, reader).prefix(Self.most)
                .map { AnyIdentifier($0.id) }
        }
        return objects
    }

    private func isOurs(_ other: ParticipantID?) -> Bool {
        participant == nil || other == participant
    }
}
