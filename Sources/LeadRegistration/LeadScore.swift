import Model

/// How promising a lead is, from 0 to 100, with the parts that make it up (R109).
public struct LeadScore: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        public let name: String
        public let points: Int64
        public let because: String
    }

    public let parts: [Part]
    public var points: Int64 { parts.reduce(0) { $0 + $1.points } }
}

extension LeadRules {
    private static let referredPoints: Int64 = 30
    private static let strongPoints: Int64 = 30
    private static let weakPoints: Int64 = 10
    /// For each rule of the profile that is matched; five rules at most.
    private static let matchPoints: Int64 = 5
    /// Where the program looks for nobody in particular.
    private static let anyProfilePoints: Int64 = 10
    private static let recentPoints: Int64 = 15

    public static func score(
        _ lead: Lead, _ terms: QualificationTerms, currency: Currency, at now: Instant
    ) -> LeadScore {
        let isReferred = lead.referrer.participant != nil
        return LeadScore(parts: [
            LeadScore.Part(
                name: "referral", points: isReferred ? referredPoints : 0,
                because: isReferred
                    ? "Somebody referred it." : "Nobody is known to have referred it."
            ),
            introduction(lead.intro), profile(lead, terms, currency, at: now),
            recency(lead.referralTime, terms, at: now),
        ])
    }

    private static func introduction(_ intro: Lead.Intro?) -> LeadScore.Part {
        let (points, because): (Int64, String)
        switch intro {
        case .strong: (points, because) = (strongPoints, "The prospect expects the call.")
        case .weak: (points, because) = (weakPoints, "The name was dropped.")
        case nil: (points, because) = (0, "Nothing is known of the introduction.")
        }
        return LeadScore.Part(name: "introduction", points: points, because: because)
    }

    private static func profile(
        _ lead: Lead, _ terms: QualificationTerms, _ currency: Currency, at now: Instant
    ) -> LeadScore.Part {
        let rules: [LeadRule] = [.industry, .country, .companySize, .useCase, .estimatedValue]
        let asked = verdicts(
            lead, terms, currency: currency, isKnown: false, at: now
        ).filter {
            rules.contains($0.rule) && $0.verdict != .notAsked
        }
        guard !asked.isEmpty else {
            return LeadScore.Part(
                name: "profile", points: anyProfilePoints,
                because: "The program looks for nobody in particular.")
        }
        let passed = asked.filter { $0.verdict == .passed }.count
        return LeadScore.Part(
            name: "profile", points: Int64(passed) * matchPoints,
            because: "It matches \(passed) of \(asked.count) rules of the profile.")
    }

    /// Falls evenly to 0 over the days for which a referral is valid.
    private static func recency(
        _ referred: Instant, _ terms: QualificationTerms, at now: Instant
    ) -> LeadScore.Part {
        let age = max(0, now.milliseconds - referred.milliseconds) / 86_400_000
        let left = max(0, terms.validityDays - age)
        return LeadScore.Part(
            name: "recency", points: recentPoints * left / max(1, terms.validityDays),
            because: "It was referred \(age) days ago.")
    }
}
