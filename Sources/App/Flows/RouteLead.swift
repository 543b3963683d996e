import Database
import LeadRegistration
import Model
import Programs
import Records

/// A new lead finds who works it: the partner who holds its account, else whom the program's policy
/// names.
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
        lead.owner = LeadRules.owner(of: lead, terms, facts)
    }
}
