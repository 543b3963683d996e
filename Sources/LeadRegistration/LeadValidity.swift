import Model

/// What a program asks of a referral (R15). The order is the order of the checks.
public enum LeadRule: String, Sendable, CaseIterable {
    /// It came through the program, from somebody who is known.
    case throughProgram = "through_program"
    /// It names whom to speak with.
    case specificContact = "specific_contact"
    /// The company is no customer, and not in the operator's own pipeline.
    case notKnown = "not_known"
    /// Nothing made the person a customer before whoever referred it first reached it.
    case notACustomer = "not_a_customer"
    case withinWindow = "within_window"
    case industry
    case country
    case companySize = "company_size"
    case useCase = "use_case"
    case estimatedValue = "estimated_value"
}

/// What became of one rule.
public enum LeadVerdict: String, Sendable, CaseIterable {
    case passed, broken
    /// The program asks, but the lead does not say: it passes for now.
    case unknown
    /// The program does not ask.
    case notAsked = "not_asked"
}

/// An earlier lead for the same prospect, and by what it is known to be the same.
public struct EarlierLead: Sendable, Equatable {
    public let lead: LeadID
    public let key: QualificationTerms.DuplicateKey

    public init(lead: LeadID, key: QualificationTerms.DuplicateKey) {
        self.lead = lead
        self.key = key
    }
}

extension LeadRules {
    /// Every rule with its verdict. `currency` is the program's: a value in another one tells
    /// nothing about its limit. `isKnown`: the operator has the company as a customer or in its
    /// pipeline. `isCustomer`: the person was a customer before.
    public static func verdicts(
        _ lead: Lead, _ terms: QualificationTerms, currency: Currency, isKnown: Bool,
        isCustomer: Bool = false, at now: Instant
    ) -> [(rule: LeadRule, verdict: LeadVerdict)] {
        let profile = terms.profile
        return LeadRule.allCases.map { rule in
            let verdict: LeadVerdict
            switch rule {
            case .throughProgram:
                verdict = lead.referrer.participant == nil ? .notAsked : .passed
            case .specificContact:
                verdict =
                    lead.contact.email == nil && lead.contact.phone == nil ? .unknown : .passed
            case .notKnown: verdict = isKnown ? .broken : .passed
            case .notACustomer: verdict = isCustomer ? .broken : .passed
            case .withinWindow:
                verdict = isWithinWindow(lead.referralTime, terms, at: now) ? .passed : .broken
            case .industry: verdict = isOneOf(profile.industries, lead.firm.industry)
            case .country: verdict = isOneOf(profile.countries, lead.firm.country?.code)
            case .useCase: verdict = isOneOf(profile.useCases, lead.firm.useCase)
            case .companySize:
                verdict = isWithin(
                    profile.companySizeMin, profile.companySizeMax, lead.firm.companySize)
            case .estimatedValue:
                verdict = isWithin(
                    profile.estimatedValueMin, nil, lead.estimatedAmount(in: currency))
            }
            return (rule, verdict)
        }
    }

    public static func brokenRules(
        _ lead: Lead, _ terms: QualificationTerms, currency: Currency, isKnown: Bool,
        isCustomer: Bool = false, at now: Instant
    ) -> [LeadRule] {
        verdicts(
            lead, terms, currency: currency, isKnown: isKnown, isCustomer: isCustomer, at: now
        )
        .filter { $0.verdict == .broken }.map(\.rule)
    }

    /// What was found broken, and the window when it has passed since.
    static func brokenRules(
        _ lead: Lead, stillWithin terms: QualificationTerms, at now: Instant
    ) -> [LeadRule] {
        let isWithin = isWithinWindow(lead.referralTime, terms, at: now)
        return isWithin || lead.brokenRules.contains(.withinWindow)
            ? lead.brokenRules : lead.brokenRules + [.withinWindow]
    }

    /// The program's way to tell that a prospect was referred before: its own, or by default the
    /// person, and where partners refer companies, the company too.
    public static func duplicateKeys(
        _ terms: QualificationTerms, isPartnerProgram: Bool
    ) -> [QualificationTerms.DuplicateKey] {
        terms.duplicateKeys
            ?? (isPartnerProgram ? [.email, .phone, .domain, .company] : [.email, .phone])
    }

    static func isWithinWindow(
        _ referred: Instant, _ terms: QualificationTerms, at now: Instant
    ) -> Bool {
        referred.advanced(byDays: Int(clamping: terms.validityDays)) >= now
    }

    private static func isOneOf(_ wanted: [String], _ value: String?) -> LeadVerdict {
        if wanted.isEmpty { return .notAsked }
        guard let value = FreeText.key(value) else { return .unknown }
        return wanted.contains { FreeText.key($0) == value } ? .passed : .broken
    }

    private static func isWithin(_ least: Int64?, _ most: Int64?, _ value: Int64?) -> LeadVerdict {
        if least == nil && most == nil { return .notAsked }
        guard let value else { return .unknown }
        return value >= least ?? .min && value <= most ?? .max ? .passed : .broken
    }
}
