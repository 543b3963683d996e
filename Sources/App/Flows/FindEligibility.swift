import Database
import LeadRegistration
import Model
import Programs
import RewardLedger

/// Whether a participant may refer (R2 to R4, R163), from what is stored: asked when a referral
/// comes in, when something is granted for it, and by whoever reads the participant.
enum FindEligibility {
    /// Refuses a participant that is not approved, or breaks a rule of the program.
    static func check(
        _ participant: Participant, _ program: Program, at instant: Instant, _ reader: Reader
    ) throws {
        let hasOpenDispute = try hasOpenDispute(participant.id, program, reader)
        try ParticipantRules.checkMayRefer(
            participant, program.terms.eligibility, hasOpenDispute: hasOpenDispute, at: instant)
    }

    /// The first rule of the program that it breaks, whatever its state.
    static func brokenRule(
        _ participant: Participant, _ program: Program, at instant: Instant, _ reader: Reader
    ) throws -> EligibilityTerms.Rule? {
        ParticipantRules.brokenRule(
            participant.profile, program.terms.eligibility,
            hasOpenDispute: try hasOpenDispute(participant.id, program, reader), at: instant)
    }

    /// Looked up where the program asks alone: most do not.
    private static func hasOpenDispute(
        _ participant: ParticipantID, _ program: Program, _ reader: Reader
    ) throws -> Bool {
        try program.terms.eligibility.excludesOpenDispute
            && DisputeStore.hasOpen(participant, reader)
    }

    /// Why a participant may not refer now, as `because` says it; nil: it may.
    static func because(
        _ participant: Participant, _ program: Program, for caller: Principal, at now: Instant,
        _ reader: Reader
    ) throws -> Because? {
        let found = try obstacle(participant, program, at: now, reader)
        guard caller.participant != nil, let found else { return found }
        return found.isToldToParticipant ? found : .operatorDecision
    }

    private static func obstacle(
        _ participant: Participant, _ program: Program, at now: Instant, _ reader: Reader
    ) throws -> Because? {
        if program.state == .ended { return .programEnded }
        if participant.state != .approved { return .notApproved }
        if let rule = try brokenRule(participant, program, at: now, reader) { return .rule(rule) }
        let isReached = try RewardReckoning.isLimitReached(
            by: participant.id, program.terms.rewardLimits, at: now,
            in: program.terms.timeZone, reader)
        return isReached ? .limitReached : nil
    }
}

extension FindEligibility {
    /// Why somebody may not refer.
    enum Because: Equatable {
        case programEnded
        case notApproved
        case rule(EligibilityTerms.Rule)
        /// Referrals are taken, and earn nothing more in the period of the limit.
        case limitReached
        /// One of the reasons that a participant is not told.
        case operatorDecision

        static let names =
            ["program_ended", "not_approved"] + EligibilityTerms.Rule.allCases.map(\.rawValue)
            + ["limit_reached", "operator_decision"]

        var name: String {
            switch self {
            case .programEnded: "program_ended"
            case .notApproved: "not_approved"
            case .rule(let rule): rule.rawValue
            case .limitReached: "limit_reached"
            case .operatorDecision: "operator_decision"
            }
        }

        /// What a participant can know of itself; not what the operator thinks of it.
        var isToldToParticipant: Bool {
            switch self {
            case .programEnded, .notApproved, .limitReached, .operatorDecision: true
            case .rule(let rule): rule.isToldToParticipant
            }
        }
    }
}
