import Attribution
import Database
import HTTP
import LeadRegistration
import Model
import Programs
import RewardLedger

/// The refusals that any operation may give, as examples in the contract.
enum CommonRefusals {
    static let all: [Problem] = [
        .invalidField("/email", code: "required", detail: "is missing"),
        .badRequest("unknown_parameter", "The query has a parameter that is not known here."),
        .unauthorized("The key is not known."), .forbidden("The key lacks the scope write."),
        ParticipantRefusal.onlyReads(state: .suspended).problem,
        .notFound(), .preconditionFailed(),
        .invalidTransition(from: "won", allowed: []),
        .unprocessable(
            "idempotency_key_reused", "This Idempotency-Key was used for another request."),
    ]
}

extension Problem {
    /// One problem for each case of a module's refusals.
    static func examples(of refusals: [any ProblemConvertible]) -> [Problem] {
        refusals.map(\.problem)
    }

    /// Who may not refer, and where nothing can start.
    static let referring: [Problem] = examples(
        of: EligibilityTerms.Rule.allCases.prefix(1).map {
            ParticipantRefusal.notEligible(rule: $0)
        }
            + [
                ParticipantRefusal.notApproved(state: .suspended),
                ProgramRefusal.notActive(state: .paused),
            ])
}

extension LeadRefusal {
    static let submission: [LeadRefusal] = [
        .timeToldByParticipant, .otherNamedByParticipant, .programMissing,
        .unknownReference(.participant), .referredLater,
    ]

    static func of(_ action: Lead.State.Action) -> [LeadRefusal] {
        switch action {
        case .qualify:
            [
                .notValid(rules: [.notKnown]),
                .checklistIncomplete(missing: [.responds], minimum: 6),
            ]
        case .win: [.valueCurrency]
        case .nurture: [.followUpNotLater]
        case .attach: [.notAnOpportunity]
        case .disqualify, .advance, .lose, .reopen: []
        }
    }
}

extension RewardRefusal {
    private static let then = Instant(milliseconds: 1_790_000_000_000)

    /// Where a lead takes back what was paid.
    static func of(_ action: Lead.State.Action) -> [RewardRefusal] {
        switch action {
        case .disqualify, .lose, .attach: [.neverTakenBack, .takenBackTooLate(then)]
        case .qualify, .advance, .win, .nurture, .reopen: []
        }
    }
}

extension ConversionRefusal {
    private static let refund = RefundID(high: 0x0190_a5b5_c000_7000, low: 1 << 63)
    private static let whole = Money(amount: 10_000, currency: Currency("USD")!)

    static let refunding: [ConversionRefusal] = [
        .refundDiffers(field: "amount"), .otherCurrency(expected: whole.currency),
        .refundTooLarge(whole: whole),
    ]
    static let parking: [ConversionRefusal] = refunding + [.tooManyParked(most: 100)]
    static let reversing: [ConversionRefusal] = [
        .reversalDiffers(field: "kind"), .reversedAlready(by: "won-17"),
    ]
    static let recording: [ConversionRefusal] = [
        .differs(field: "amount"), .cancelled(by: refund), .inTheFuture,
    ]
}

extension RegistrationRefusal {
    private static let then = Instant(milliseconds: 1_790_000_000_000)
    private static let other = RegistrationID(high: 0x0190_a5b5_c000_7000, low: 1 << 63)
    private static let dispute = DisputeID(high: 0x0190_a5b5_c000_7000, low: 1 << 63)

    static let submission: [RegistrationRefusal] = [
        .notPartnerProgram, .accountNotIdentifiable, .partNotAllowed, .valueCurrency,
        .evidenceMissing(kinds: [.scheduledMeeting], minimum: 1), .accountKnown,
        .coolOff(until: then), .alreadyRegistered(other), .accountProtected(until: then),
    ]

    static let change: [RegistrationRefusal] = [
        .valueCurrency, .evidenceMissing(kinds: [.scheduledMeeting], minimum: 1),
        .closed(state: .lost),
    ]

    static func of(_ action: Registration.State.Action) -> [RegistrationRefusal] {
        switch action {
        case .extend: [.protectionOver, .extensionsUsedUp, .operatorDecides]
        case .win: [.protectionOver, .valueCurrency]
        case .approve: [.protectionOver, .disputeOpen(RegistrationRefusal.dispute)]
        case .reject, .lose, .withdraw: [.protectionOver]
        }
    }
}

extension DisputeRefusal {
    static let opening: [DisputeRefusal] = [
        .nothingContested, .sameSide, .alreadyOpen(example), .alreadyRuled(example),
    ]
    static let adding: [DisputeRefusal] = [.closed, .evidenceFull]
    static let ruling: [DisputeRefusal] = [.nothingHeld, .claimantNotApproved]
    private static let example = DisputeID(high: 0x0190_a5b5_c000_7000, low: 1 << 63)
}

extension PayoutRefusal {
    static let creation: [PayoutRefusal] = [
        .referenceTaken(member: "participant_id"), .nothingToPay, .offsetUnfinished(owed: 2_000),
        .belowMinimum(amount: 1_250, minimum: 5_000),
    ]

    static func of(_ action: Payout.State.Action) -> [PayoutRefusal] {
        switch action {
        case .submit:
            [
                .inReview(until: Instant(milliseconds: 1_790_000_000_000)),
                .owesSince(amount: 2_000),
            ]
        case .confirm: [.badPaidAmount(most: 5_000), .paidNoMore(known: 3_000)]
        case .return:
            [
                .badReturnedAmount(most: 5_000), .partReturnedUnpaid,
                .keptBackSince(amount: 2_000),
            ]
        case .fail, .markUnknown, .cancel: []
        }
    }
}

extension RedemptionRefusal {
    static let all: [RedemptionRefusal] = [
        .referenceTaken(member: "item_id"), .itemNotAvailable, .outOfStock,
        .notInCountry(["DE", "FR"].compactMap { CountryCode($0) }),
        .notEnoughPoints(available: 120, needed: 500), .tooManyRewards,
    ]
}

extension AccountRefusal {
    static let all: [AccountRefusal] = [.notIdentifiable, .externalIDTaken, .domainTaken]
}
