import Attribution
import Database
import LeadRegistration
import Model
import RewardLedger

/// One row for each participant and person that it referred: how far it is, what it earned, what
/// comes next and by when. Computed on read, from lists that are indexed.
struct Referral: Sendable {
    /// How far it is.
    enum Stage: String, Sendable, CaseIterable {
        /// The person followed a link, or a contact was recorded.
        case touched
        case submitted, qualified, opportunity
        /// The lead was won, or a credited sale stands.
        case customer
        case nurture, disqualified, lost, duplicate
    }

    /// What happens next.
    enum Step: String, Sendable, CaseIterable {
        /// The operator looks at the lead.
        case review
        /// The lead is taken up again.
        case followUp = "follow_up"
        /// The hold of a reward ends.
        case holdEnds = "hold_ends"
        /// An approved reward is paid.
        case payout
    }

    let participant: ParticipantID
    let program: ProgramID
    /// The person, under all its ids.
    let customers: [CustomerID]
    let firstTouchAt: Instant
    let lead: Lead?
    let sales: CreditedSales
    let earnings: [ReferralEarnings]

    var stage: Stage {
        if sales.standing > 0 { return .customer }
        switch lead?.state {
        case .submitted: return .submitted
        case .qualified: return .qualified
        case .opportunity: return .opportunity
        case .won: return .customer
        case .nurture: return .nurture
        case .disqualified, .spam: return .disqualified
        case .lost: return .lost
        case .duplicate: return .duplicate
        case nil: return .touched
        }
    }

    /// The next step of the referral, and by when it is due where that is known.
    var next: (step: Step, by: Instant?)? {
        if let lead, stage == .submitted { return (.review, lead.clockDueAt) }
        if let lead, stage == .nurture { return (.followUp, lead.followUpAt) }
        if let end = earnings.compactMap(\.holdUntil).min() { return (.holdEnds, end) }
        return earnings.contains { $0.available > 0 } ? (.payout, nil) : nil
    }
}

enum ReadReferrals {
    /// Rows that are put together for one page at most; a stage may leave few of them.
    static let readMax = 100

    /// A page below `sequence`, newest first, and the touch after which the next one begins; nil at
    /// the end.
    static func page(
        of participant: ParticipantID?, in program: ProgramID?, stage: Referral.Stage?,
        below sequence: Int64?, limit: Int, _ reader: Reader
    ) throws -> (referrals: [Referral], next: TouchpointID?) {
        let (touches, next) = try ReferredStore.firstTouches(
            of: participant, in: program, below: sequence ?? .max,
            limit: stage == nil ? limit : readMax, reader)
        var referrals: [Referral] = []
        for (place, touch) in touches.enumerated() {
            guard let referral = try referral(touch, reader) else { continue }
            guard stage == nil || referral.stage == stage else { continue }
            referrals.append(referral)
            if referrals.count == limit {
                return (referrals, place + 1 < touches.count ? touch.id : next)
            }
        }
        return (referrals, next)
    }

    /// Nil where the person was reached under another of its ids before: that row speaks for it.
    private static func referral(_ touch: FirstTouch, _ reader: Reader) throws -> Referral? {
        let person = try CustomerStore.person(touch.customer, reader).map(\.id)
        guard let first = try ReferredStore.first(of: person, by: touch.participant, reader),
            first.sequence == touch.sequence
        else { return nil }
        let leads = try LeadStore.newest(of: person, limit: 100, reader)
        return Referral(
            participant: touch.participant, program: touch.program, customers: person,
            firstTouchAt: first.occurredAt,
            lead: leads.first { $0.referrer.participant == touch.participant },
            sales: try ReferredStore.sales(to: person, creditedTo: touch.participant, reader),
            earnings: try ReferralEarnings.of(touch.participant, for: person, reader))
    }
}
