import Attribution
import Model

/// The ladder of credit in words: the highest rung that says something decides.
enum CreditRungWords {
    static let about =
        "Which rung of the ladder decided, the highest first. person: a person's decision; "
        + "registration: a deal registration that held the account; bound: the earlier sale that "
        + "this one renews or extends; lead: a lead that is qualified, opportunity or won; code: a "
        + "code that the buyer typed; touches: the model."

    /// Such as `Rung 4 of 6, lead: …`.
    static func sentence(_ attribution: Attribution) -> String {
        let rung = attribution.decision.rung(attribution.terms)
        let place = (CreditRung.allCases.firstIndex(of: rung) ?? 0) + 1
        return "Rung \(place) of \(CreditRung.allCases.count), \(rung.rawValue): "
            + rule(rung, attribution)
    }

    private static func rule(_ rung: CreditRung, _ attribution: Attribution) -> String {
        let terms = attribution.terms
        switch rung {
        case .person: return "a person's decision goes before all else."
        case .registration:
            return
                "a deal registration that holds the account goes before earlier sales, leads and "
                + "touches; for a renewal or upsell it must be approved before the first sale."
        case .bound:
            return attribution.reason == .nobodyBound
                ? "the first sale of the subscription is credited to nobody, and so is a renewal."
                : "the sale stays with whom the first one was credited to, by its newest result "
                    + "(binds: \(terms.binds.rawValue))."
        case .lead:
            return "a lead that is qualified, opportunity or won decides up to \(terms.leadDays) "
                + "days after its last step; a lead that the sale names, at any age."
        case .code: return "the newest code that the buyer typed goes before all other touches."
        case .touches: return "no higher rung says anything, so the touches decide."
        }
    }
}
