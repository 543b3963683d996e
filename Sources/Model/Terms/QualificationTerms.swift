import JSON

/// What a program counts as a valid referral, and what must be known before one is qualified (R15).
public struct QualificationTerms: Sendable, Equatable {
    /// What is compared to find that a prospect has been referred before (R96).
    public enum DuplicateKey: String, Sendable, CaseIterable { case email, phone, domain, company }

    /// The six questions of sales (R97).
    public enum ChecklistItem: String, Sendable, CaseIterable {
        case contactValid = "contact_valid"
        case profileMatch = "profile_match"
        case notInCRM = "not_in_crm"
        case responds
        case realNeed = "real_need"
        case budgetAndAuthority = "budget_and_authority"
    }

    /// Days after being referred within which a referral is valid (R16).
    public var validityDays: Int64 = 90
    /// Nil: e-mail and phone; for partner programs domain and company too.
    public var duplicateKeys: [DuplicateKey]?
    public var profile = CustomerProfile()
    /// Whether a lead that breaks a rule when it comes in is disqualified at once; otherwise it is
    /// kept as submitted, shows what it breaks, and cannot be qualified.
    public var disqualifiesInvalid = false
    /// What must be answered with yes before a lead is qualified, and how many of them.
    public var checklist: [ChecklistItem] = []
    public var checklistMinimum: Int64 = 0

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        validityDays = read.integer("validity_days") ?? validityDays
        duplicateKeys = read.choices("duplicate_keys")
        profile = CustomerProfile(json: read.nested("profile"))
        disqualifiesInvalid = read.flag("disqualify_invalid") ?? disqualifiesInvalid
        checklist = read.choices("checklist") ?? checklist
        checklistMinimum = read.integer("checklist_minimum") ?? Int64(checklist.count)
    }

    public var json: JSONValue {
        [
            "validity_days": .integer(validityDays),
            "duplicate_keys": duplicateKeys.map { keys in
                .array(keys.map { .string($0.rawValue) })
            } ?? .null,
            "profile": profile.json, "disqualify_invalid": .bool(disqualifiesInvalid),
            "checklist": .array(checklist.map { .string($0.rawValue) }),
            "checklist_minimum": .integer(checklistMinimum),
        ]
    }
}

/// The customers that a program looks for (ideal customer profile). What is empty or nil admits
/// everybody (R99).
public struct CustomerProfile: Sendable, Equatable {
    public var industries: [String] = []
    /// ISO 3166-1 codes in upper case.
    public var countries: [String] = []
    public var useCases: [String] = []
    /// Employees.
    public var companySizeMin: Int64?
    public var companySizeMax: Int64?
    /// In minor units of the program's currency.
    public var estimatedValueMin: Int64?

    public init() {}

    public init(json: JSONObject?) {
        let read = TermsReader(json)
        industries = read.texts("industries") ?? []
        countries = (read.texts("countries") ?? []).map { $0.uppercased() }
        useCases = read.texts("use_cases") ?? []
        companySizeMin = read.integer("min_company_size")
        companySizeMax = read.integer("max_company_size")
        estimatedValueMin = read.integer("min_estimated_value")
    }

    public var json: JSONValue {
        [
            "industries": .array(industries.map { .string($0) }),
            "countries": .array(countries.map { .string($0) }),
            "use_cases": .array(useCases.map { .string($0) }),
            "min_company_size": companySizeMin.map { .integer($0) } ?? .null,
            "max_company_size": companySizeMax.map { .integer($0) } ?? .null,
            "min_estimated_value": estimatedValueMin.map { .integer($0) } ?? .null,
        ]
    }
}
