import Attribution
import Database
import LeadRegistration
import Model

/// A registered deal is a contact with whom it names, once it is approved: it counts where the
/// registration itself no longer holds the account. An undecided one earns nothing.
enum RegistrationTouch {
    /// Inserts the touch at the time of the claim, once.
    static func insert(_ registration: Registration, _ tx: Transaction) throws {
        guard let email = registration.contact.email else { return }
        let customer = try CustomerStore.findOrInsert(
            program: registration.program, email: email, tx
        ).customer
        let known = try TouchpointStore.touches(
            of: customer.id, until: registration.createdAt, tx)
        guard
            !known.contains(where: {
                $0.kind == .registration && $0.participant == registration.participant
                    && $0.occurredAt == registration.createdAt
            })
        else { return }
        try TouchpointStore.insert(
            Touchpoint(
                id: tx.makeID(), program: registration.program, customer: customer.id,
                participant: registration.participant, source: .partner, kind: .registration,
                occurredAt: registration.createdAt, createdAt: tx.now), tx)
    }
}
