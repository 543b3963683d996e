import Model
import Programs

/// The sections of a program's terms on the wire. They are stored and sent in one form, the `json`
/// of the terms, so this is the schema alone. Members left out have their defaults.
enum ProgramTermsWire {
    /// As a request may give them.
    static let input: [Field] = [
        .optional(
            "attribution", attribution,
            "Who gets the credit of a sale; default last_touch within 30 days."),
        .optional(
            "time_zone", timeZone,
            "By whose clocks days, months, schedules, statements and reports are told; default "
                + "UTC. Fixed once the program is active."),
        .optional(
            "eligibility", eligibility,
            "Who may refer; asked when a referral comes in and again when it earns something."),
        .optional("qualification", qualification, "What counts as a referral."),
        .optional("routing", routing, "Who works a lead."),
        .optional(
            "service_levels", serviceLevels,
            "How soon a lead is looked at and a reward paid. null switches a clock off; in a "
                + "customer program all but reward_target_days are off unless they are set."),
        .optional("registration", registration, "How partners claim accounts."),
        .optional(
            "protection_scope", .choice(ProtectionScope.allCases.map(\.rawValue)),
            "instance: an account is protected across all programs of this scope; program: within "
                + "this one."),
        .optional("budget", .nullable(budget), "What rewards may come to; default any amount."),
        .optional(
            "reward_limits", limits,
            "What one participant may earn by all rules together, in minor units."),
        .optional("payouts", payouts, "When and from how much on participants are paid."),
        .optional("fraud", fraud, "What is done about what looks like fraud."),
        .optional("approvals", approvals, "Who may say yes to money."),
        .optional(
            "reserved_codes", .list(.text(1...64), count: 0...500),
            "The shop's own coupons: a participant's token cannot take one as the code of a link."),
        .optional(
            "clawback_days", .nullable(.integer(0...3650)),
            "Days after the grant of a reward within which take_back makes it owed again although "
                + "it was paid, when its lead is disqualified, a duplicate or lost after the win; "
                + "default 90, null: never. Refunds of a sale have no such limit."),
    ]

    /// As an answer shows them: whole.
    static let output: [Field] = input.map { field in
        guard internals.contains(field.name) else {
            return .required(field.name, field.schema.whole, field.about)
        }
        return .required(
            field.name, field.schema.whole.orNull,
            field.about + " Null for a participant's token.")
    }

    /// Sections that are between the operator and its own people: how it works, and what holds
    /// money back.
    static let internals = Set(
        ProgramTerms.controls + ["eligibility", "routing", "reserved_codes"])

    private static let timeZone = Schema.string(
        TextRule(
            1...64, pattern: "^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$",
            words: "a name of the IANA time zone database such as Europe/Berlin"
        ) { text in
            text.split(separator: "/", omittingEmptySubsequences: false).count <= 3
                && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                    $0.utf8.first.map { (0x41...0x5A).contains($0) } == true
                        && $0.allSatisfy {
                            $0.isASCII && ($0.isLetter || $0.isNumber || "_+-".contains($0))
                        }
                }
        })

    static let attribution = Schema.object([
        .optional(
            "model", .choice(AttributionModel.allCases.map(\.rawValue)), "Default last_touch."),
        .optional(
            "window_days", .integer(1...400),
            "Touches this far back may earn credit, both ends included; default 30."),
        .optional(
            "half_life_days", .integer(1...400),
            "time_decay: days in which a touch loses half its weight; default 7."),
        .optional(
            "position",
            .object([
                .optional("first", .integer(1...100)), .optional("middle", .integer(0...100)),
                .optional("last", .integer(1...100)),
            ]),
            "position_based: hundredths for the first touch, those in the middle and the last; "
                + "they sum to 100. Default 40, 20, 40. One touch has all, two have half each."),
        .optional(
            "sources", .list(.choice(TouchSource.allCases.map(\.rawValue)), count: 1...6),
            "Whose touches take part; default all."),
        .optional(
            "codes", .choice(AttributionTerms.Codes.allCases.map(\.rawValue)),
            "A code that the buyer typed. first: it goes before all other touches; touch: it is "
                + "one touch among others; last: it counts only where no click or other touch of a "
                + "participant is in the window. Default first."),
        .optional(
            "binds", .choice(AttributionTerms.Binds.allCases.map(\.rawValue)),
            "Which sales stay with whom an earlier sale was credited to. renewals: a renewal or "
                + "upsell with the sale that began its subscription; all: every further sale to "
                + "the customer too; none: each sale is decided by itself. Default renewals."),
        .optional(
            "lead_days", .integer(1...3650),
            "Days after its last step in which a lead that is qualified, opportunity or won "
                + "decides about a sale; default 365."),
    ])

    private static let eligibility = Schema.object([
        .optional(
            "min_account_days", .integer(0...3650),
            "How old the participant's account must be; default 90 in programs of kind customer, "
                + "else 0."),
        .optional("require_good_standing", .boolean, "Default true."),
        .optional("exclude_collections", .boolean, "Default true."),
        .optional("exclude_at_risk", .boolean, "Default true."),
        .optional(
            "excluded_plans",
            .list(.choice(ParticipantProfile.Plan.allCases.map(\.rawValue)), count: 0...3),
            "Default trial in programs of kind customer, else none."),
        .optional("require_active", .boolean, "Default false."),
        .optional("require_healthy_relationship", .boolean, "Default false."),
        .optional(
            "exclude_open_dispute", .boolean,
            "Disputes that the participant asked for, or the operator for it. Default false."),
        .optional(
            "refuse_unknown", .boolean,
            "Whether a rule is broken by what is not known of a participant; default false."),
    ])

    private static let qualification = Schema.object([
        .optional(
            "validity_days", .integer(1...3650),
            "Days after the referral within which it can be qualified; default 90."),
        .optional(
            "duplicate_keys",
            .nullable(
                .list(
                    .choice(QualificationTerms.DuplicateKey.allCases.map(\.rawValue)),
                    count: 0...4)),
            "What tells that a prospect is known. Default: email and phone, in partner programs "
                + "domain and company too."),
        .optional("profile", profile, "Which customers are looked for; empty: all."),
        .optional(
            "disqualify_invalid", .boolean,
            "Whether a lead that breaks a rule is disqualified at once; default false."),
        .optional(
            "checklist",
            .list(
                .choice(QualificationTerms.ChecklistItem.allCases.map(\.rawValue)),
                count: 0...6), "What must be confirmed before a lead is qualified."),
        .optional(
            "checklist_minimum", .integer(0...6), "How many of them; all unless told."),
    ])

    private static let profile = Schema.object([
        .optional("industries", .list(.text(1...100), count: 0...100)),
        .optional("countries", .list(country, count: 0...250)),
        .optional("use_cases", .list(.text(1...100), count: 0...100)),
        .optional("min_company_size", .nullable(.integer(0...10_000_000)), "Employees."),
        .optional("max_company_size", .nullable(.integer(0...10_000_000))),
        .optional(
            "min_estimated_value", .nullable(.amount(from: 0)),
            "Minor units of the program's currency."),
    ])

    private static let routing = Schema.object([
        .optional("policy", .choice(RoutingTerms.Policy.allCases.map(\.rawValue))),
        .optional(
            "representatives", .list(owner, count: 0...100), "They take leads in turn."),
        .optional(
            "territories",
            .list(
                .object([
                    .required("countries", .list(country, count: 1...250)),
                    .required("owner", owner),
                ]), count: 0...100)),
        .optional("fallback", .nullable(owner), "Who gets what no other rule gives to anybody."),
        .optional(
            "strategic_segments", .list(.text(1...100), count: 0...100),
            "hybrid: segments of referrers whose leads go to their account executive."),
        .optional("strategic_company_size", .nullable(.integer(0...10_000_000))),
        .optional(
            "strategic_value", .nullable(.amount(from: 0)),
            "Minor units of the program's currency."),
    ])

    private static let serviceLevels = Schema.object([
        .optional(
            "review_hours", .nullable(.integer(1...8760)),
            "From submission to the first decision; default 24."
        ),
        .optional(
            "tell_qualified_hours", .nullable(.integer(1...8760)),
            "From qualification until the referrer is told; default 24."),
        .optional(
            "tell_won_hours", .nullable(.integer(1...8760)),
            "From the win until the referrer is told; default 48."),
        .optional(
            "credit_business_days", .nullable(.integer(1...365)),
            "From the end of the hold until a reward for a qualified lead is credited; default 5."),
        .optional(
            "pay_days", .nullable(.integer(1...365)),
            "From the end of the hold until a reward for a win or a sale is paid; default 30."),
        .optional(
            "reward_target_days", .nullable(.integer(0...365)),
            "The target from the referral until its reward is paid, hold included; 0: none. "
                + "Default 7."),
        .optional(
            "weekend_days", .list(.integer(1...7), count: 0...6),
            "No business days; Monday is 1. Default 6 and 7."),
        .optional(
            "holidays", .list(.day, count: 0...400), "Further days that are no business days."),
    ])

    private static let registration = Schema.object([
        .optional(
            "window_days", .integer(1...365),
            "Days within which a claim must be decided, else it lapses; default 90."),
        .optional("protection_days", .integer(1...365), "Default 90."),
        .optional(
            "protection_starts", .choice(RegistrationTerms.Start.allCases.map(\.rawValue)),
            "Default approval."),
        .optional(
            "approval", .choice(RegistrationTerms.Approval.allCases.map(\.rawValue)),
            "Default manual."),
        .optional(
            "decision_hours", .integer(1...2160),
            "Within which a claim is to be decided. Protection starts then at the latest; default "
                + "72."),
        .optional("extension_days", .integer(1...365), "Default 30."),
        .optional("max_extensions", .integer(0...10), "Default 1."),
        .optional(
            "cool_off_days", .integer(0...365),
            "For which the old holder cannot claim an account again; default 0."),
        .optional(
            "required_evidence",
            .list(
                .choice(RegistrationTerms.Evidence.allCases.map(\.rawValue)), count: 0...3),
            "What shows that there is a deal."),
        .optional("evidence_minimum", .integer(0...3), "How many of them; all unless told."),
        .optional(
            "allow_parts", .boolean,
            "Whether a claim may be for a part of an account, such as a region; default false."),
        .optional("dispute_days", .integer(1...365), "To decide a dispute; default 14."),
    ])

    private static let budget = Schema.object([
        .required("amount", .amount(from: 0), "Minor units of the program's currency."),
        .optional(
            "period", .choice(CalendarPeriod.Length.allCases.map(\.rawValue)),
            "Of the calendar in the program's time_zone; default quarter."),
        .optional(
            "beyond", .choice(BudgetTerms.Beyond.allCases.map(\.rawValue)),
            "A reward for which too little is left is refused, reviewed by a person, or queued for "
                + "the next period that has room; default review."),
    ])

    /// The most that rewards come to; also of one rule.
    static let limits = Schema.object(
        RewardLimits.Name.allCases.map { .optional($0.rawValue, .nullable(.amount(from: 0))) })

    private static let payouts = Schema.object([
        .optional(
            "minimum", .amount(from: 0),
            "Minor units of the program's currency; what is below waits for a later run. Default 0."
        ),
        .optional(
            "review_days", .integer(0...90),
            "Days before a run's drafts can be submitted; default 0."),
        .optional(
            "schedule",
            .object([
                .optional(
                    "every", .choice(PayoutTerms.Schedule.Every.allCases.map(\.rawValue)),
                    "Default none."),
                .optional(
                    "day", .integer(1...28),
                    "At midnight in the program's time_zone: weekly 1 (Monday) to 7, monthly 1 to "
                        + "28. Default 1."),
            ]), "When runs are made by themselves, exactly one a period."),
    ])

    private static let fraud = Schema.object([
        .optional(
            "self_referral", .choice(FraudTerms.Action.allCases.map(\.rawValue)),
            "hold: a reward for referring oneself is granted and waits in review for a person; "
                + "ignore: it is not looked for. Default hold.")
    ])

    private static let approvals = Schema.object([
        .optional(
            "separate", .boolean,
            "Whether the key that had a hand in the lead or sale, made or changed the rule or the "
                + "campaign, or set terms that hold money back, may not approve what was earned, "
                + "and the key that drafted a payout may not submit it; default false.")
    ])

    private static let owner = Schema.text(1...200)

    /// ISO 3166-1 alpha-2; lower case is accepted too.
    static let country = Schema.named(
        "Country",
        .string(
            TextRule(
                2...2,
                pattern: "^(" + CountryCode.all.joined(separator: "|") + ")$",
                words: "an ISO 3166-1 code such as DE"
            ) { CountryCode($0) != nil }))
}

extension Schema {
    /// This, or null.
    fileprivate var orNull: Schema { if case .nullable = self { self } else { .nullable(self) } }

    /// This object with every member there, and so within it.
    var whole: Schema {
        switch self {
        case .object(let fields):
            .object(fields.map { .required($0.name, $0.schema.whole, $0.about) })
        default: self
        }
    }
}
