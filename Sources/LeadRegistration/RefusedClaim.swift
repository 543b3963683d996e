import JSON
import Model

/// What a claim that came second is told, and keeps as evidence.
extension RegistrationRules {
    /// When an account is free at the latest, as it is told. To the millisecond it would tell when
    /// the first claim came in, so partners are told the next midnight.
    public static func told(_ end: Instant, toOperator isOperator: Bool) -> Instant {
        isOperator ? end : end.nextMidnight
    }

    /// Pieces of evidence that one claim keeps.
    static let evidenceMax = 1_000

    /// The refused claim with what the same partner's `claim` on the account shows beyond it; nil
    /// when that is nothing. By what the account is known stays as it was.
    public static func enriched(
        _ refused: Registration, by claim: Registration, at now: Instant
    ) -> Registration? {
        var changed = refused
        let contact = refused.contact
        changed.contact = RegistrationContact(
            name: claim.contact.name ?? contact.name,
            email: contact.email ?? (refused.identity.domain == nil ? nil : claim.contact.email),
            phone: claim.contact.phone ?? contact.phone)
        let more = claim.opportunity
        changed.opportunity.value = more.value ?? refused.opportunity.value
        changed.opportunity.expectedClose = more.expectedClose ?? refused.opportunity.expectedClose
        for item in more.evidence
        where !changed.opportunity.evidence.contains(item)
            && changed.opportunity.evidence.count < evidenceMax
        {
            changed.opportunity.evidence.append(item)
        }
        for (name, value) in claim.metadata where changed.metadata.count < 50 {
            changed.metadata[name] = value
        }
        guard changed != refused else { return nil }
        changed.version += 1
        changed.updatedAt = now
        return changed
    }
}
