import Database
import LeadRegistration
import Model
import Programs
import Records

/// A new lead finds who works it: the partner who holds its account, else whom the program's policy
/// names. A second lead for a prospect goes to who works the first, and one that is not worked
/// takes nobody's turn.
enum RouteLead {
    static func run(
        _ lead: inout Lead, _ identity: AccountIdentity, _ program: Program,
        _ known: Participant?, _ tx: Transaction
    ) throws {
        var facts = RoutingFacts()
        if let claim = try HoldAccount.holders(of: identity, at: tx.now, tx).first {
            facts.holder = claim.participant
            lead.registration = claim.registration
        }
        if facts.holder == nil, lead.state != .submitted {
            lead.owner = try ownerOfFirst(lead, tx)
            return
        }
        let terms = program.terms.routing
        if facts.holder == nil, terms.policy != .none, let referrer = lead.referrer.participant {
            let participant =
                known?.id == referrer ? known : try ParticipantStore.recall(referrer, tx)
            facts.accountExecutive = participant?.profile.accountExecutive
            facts.segment = participant?.profile.segment
        }
        // In the transaction: two leads at once take two turns, and a refused one gives its back.
        if LeadRules.takesTurn(terms, facts) {
            facts.turn = try CounterStore.takeTurn("routing.turns", of: program.id, tx)
        }
        lead.owner = LeadRules.owner(of: lead, terms, facts, currency: program.currency)
    }

    /// A partner works only what it holds now.
    private static func ownerOfFirst(_ lead: Lead, _ tx: Transaction) throws -> LeadOwner? {
        guard let first = lead.duplicateOf, let owner = try LeadStore.find(first, tx)?.owner,
            owner.kind != .partner
        else { return nil }
        return owner
    }
}
