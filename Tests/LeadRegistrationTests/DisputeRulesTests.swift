import JSON
import LeadRegistration
import Model
import Testing

private let start = Instant(milliseconds: 1_700_000_000_000)
private let ben = ParticipantID(high: 3, low: 2)

private func days(_ count: Int) -> Instant { start.advanced(byDays: count) }

@Suite("Rules of disputes")
struct DisputeRulesTests {
    private let holder = someRegistration(.approved, id: RegistrationID(high: 1, low: 1))
    private let refused = someRegistration(
        .refused, id: RegistrationID(high: 2, low: 2), participant: ben,
        blockedBy: RegistrationID(high: 1, low: 1))

    @Test("a dispute needs two claims of two partners, and is opened once")
    func opening() throws {
        let open = DisputeID(high: 4, low: 4)
        let old = DisputeID(high: 3, low: 3)
        let rows: [(Registration?, Dispute.Opener, DisputeID?, DisputeID?, DisputeRefusal?)] = [
            (holder, .partner, nil, nil, nil), (nil, .partner, nil, nil, .nothingContested),
            (someRegistration(.approved, participant: ben), .partner, nil, nil, .sameSide),
            (holder, .partner, open, old, .alreadyOpen(open)),
            (holder, .partner, nil, old, .alreadyRuled(old)), (holder, .operator, nil, old, nil),
        ]
        for (contested, opener, open, ruled, expected) in rows {
            var found: DisputeRefusal?
            do throws(DisputeRefusal) {
                _ = try DisputeRules.checkOpening(
                    claim: refused, contested: contested, by: opener, open: open, ruled: ruled)
            } catch { found = error }
            #expect(found == expected)
        }
    }

    @Test("each ruling changes the claims, and nothing else")
    func rulings() throws {
        func effect(_ decision: Ruling.Decision, claim: Registration? = nil) throws -> RulingEffect
        {
            try DisputeRules.effect(
                of: decision, claim: claim ?? refused, contested: holder, reason: "So be it.",
                at: days(1))
        }
        #expect(try effect(.reject) == RulingEffect(claim: refused, contested: holder))
        #expect(try effect(.uphold) == RulingEffect(claim: refused, contested: holder))
        let overlapping = someRegistration(
            .approved, id: RegistrationID(high: 2, low: 2), participant: ben)
        #expect(try effect(.uphold, claim: overlapping).claim.state == .rejected)

        let transfer = try effect(.transfer)
        #expect(transfer.claim.state == .approved)
        #expect(transfer.claim.protectedUntil == holder.protectedUntil)
        #expect(transfer.contested.state == .rejected)
        #expect(transfer.contested.endedAt == days(1))

        let split = try effect(.split(claimantShare: 2_500))
        #expect(split.claim.share == 2_500)
        #expect(split.contested.share == 7_500)
        #expect(split.contested.state == .approved)
    }

    @Test("nothing is given to a claimant who is not approved")
    func notApproved() throws {
        for decision in [Ruling.Decision.transfer, .split(claimantShare: 1)] {
            #expect(throws: DisputeRefusal.claimantNotApproved) {
                try DisputeRules.checkClaimant(isApproved: false, decision)
            }
            try DisputeRules.checkClaimant(isApproved: true, decision)
        }
        for decision in [Ruling.Decision.uphold, .reject] {
            try DisputeRules.checkClaimant(isApproved: false, decision)
        }
    }

    @Test("a claim that holds nothing has nothing to hand on")
    func nothingHeld() {
        for state in [Registration.State.expired, .withdrawn, .rejected, .lost] {
            #expect(throws: DisputeRefusal.nothingHeld) {
                try DisputeRules.effect(
                    of: .transfer, claim: refused, contested: someRegistration(state), reason: "x",
                    at: days(1))
            }
        }
        #expect(throws: DisputeRefusal.nothingHeld) {
            try DisputeRules.effect(
                of: .split(claimantShare: 1), claim: refused, contested: holder, reason: "x",
                at: days(90))
        }
    }

    @Test("a resolved dispute takes no evidence, and an open one only so much")
    func evidence() throws {
        #expect(throws: DisputeRefusal.closed) {
            try DisputeRules.checkEvidence(.resolved, count: 0)
        }
        #expect(throws: DisputeRefusal.evidenceFull) {
            try DisputeRules.checkEvidence(.open, count: DisputeRules.evidenceMax)
        }
        try DisputeRules.checkEvidence(.underReview, count: 1)
    }

    @Test("every state allows exactly the actions of the published table")
    func lifecycle() {
        let table: [Dispute.State: [Dispute.State.Action: Dispute.State]] = [
            .open: [.review: .underReview, .resolve: .resolved],
            .underReview: [.resolve: .resolved],
        ]
        for state in Dispute.State.allCases {
            for action in Dispute.State.Action.allCases {
                #expect(state.after(action) == table[state]?[action])
            }
        }
    }

    // MARK: - Every ruling in every state

    private static let rulings: [Ruling.Decision] =
        [.uphold, .transfer, .reject] + [1, 5_000, 9_999].map { .split(claimantShare: $0) }

    /// Share of the claim, share of the contested one, and whether they are parts of one whole.
    private static let shares: [(claim: Int64, contested: Int64, isOneWhole: Bool)] = [
        (10_000, 10_000, false), (10_000, 1, false), (1, 10_000, false), (5_000, 7_500, false),
        (5_000, 5_000, true), (2_500, 7_500, true), (1, 2, true), (0, 10_000, true),
    ]

    @Test("every ruling in every state of both claims can be carried out, and shares stay whole")
    func everyRuling() throws {
        var count = 0
        for decision in Self.rulings {
            for claimState in Registration.State.allCases {
                for contestedState in Registration.State.allCases {
                    for shares in Self.shares {
                        for day in [1, 89, 400] {
                            try check(decision, claimState, contestedState, shares, at: days(day))
                            count += 1
                        }
                    }
                }
            }
        }
        #expect(count == 6 * 8 * 8 * 8 * 3)
    }

    private func check(
        _ decision: Ruling.Decision, _ claimState: Registration.State,
        _ contestedState: Registration.State,
        _ shares: (claim: Int64, contested: Int64, isOneWhole: Bool), at now: Instant
    ) throws {
        var claim = someRegistration(
            claimState, id: RegistrationID(high: 2, low: 2), participant: ben)
        claim.share = shares.claim
        var contested = someRegistration(contestedState, id: RegistrationID(high: 1, low: 1))
        contested.share = shares.contested
        let row: Comment = "\(decision) \(claimState) \(contestedState) \(shares) \(now)"
        func holds(_ registration: Registration) -> Bool {
            RegistrationRules.holdsUntil(registration).map { $0 > now } ?? false
        }
        let gives: Bool
        var isSplit = false
        switch decision {
        case .transfer: gives = true
        case .split: (gives, isSplit) = (true, true)
        case .uphold, .reject: gives = false
        }
        let effect: RulingEffect
        do {
            effect = try DisputeRules.effect(
                of: decision, claim: claim, contested: contested, reason: "So be it.", at: now)
        } catch {
            #expect(error == .nothingHeld, row)
            #expect(gives && (!holds(contested) || isSplit && contested.share < 2), row)
            return
        }
        #expect(!gives || holds(contested), row)
        #expect((0...10_000).contains(effect.claim.share), row)
        #expect((0...10_000).contains(effect.contested.share), row)
        // Who holds something of one account holds no more of it than there is.
        let left = [effect.claim, effect.contested].filter(holds).reduce(0) { $0 + $1.share }
        if decision != .reject { #expect(left <= 10_000, row) }
        switch decision {
        case .reject:
            #expect(effect == RulingEffect(claim: claim, contested: contested), row)
        case .uphold:
            #expect(effect.claim.state == (claimState.isHolding ? .rejected : claimState), row)
            #expect(effect.contested.state == contestedState, row)
            let isShared = shares.isOneWhole && holds(claim) && holds(contested)
            #expect(
                effect.contested.share == shares.contested + (isShared ? shares.claim : 0), row)
        case .transfer:
            #expect(effect.claim.state == (holds(claim) && claimState == .won ? .won : .approved))
            #expect(effect.contested.state == .rejected, row)
            let kept = shares.isOneWhole && holds(claim) ? shares.claim : 0
            #expect(effect.claim.share == kept + shares.contested, row)
        case .split(let share):
            #expect(effect.contested.state == contestedState, row)
            let part = max(1, shares.contested * share / 10_000)
            let kept = shares.isOneWhole && holds(claim) ? shares.claim : 0
            #expect(effect.claim.share == kept + part, row)
            #expect(effect.contested.share == shares.contested - part, row)
        }
    }
}
