import LeadRegistration
import Model
import Testing

private let now = Instant(milliseconds: 1_800_000_000_000)

private func moved(_ lead: Lead, _ move: LeadMove, at instant: Instant = now) throws -> LeadChange {
    // Moves are told apart from what a program asks of a lead's age.
    var terms = QualificationTerms()
    terms.validityDays = 3650
    return try LeadRules.moved(lead, by: move, programCurrency: usd, terms: terms, at: instant)
}

@Suite("Moves of leads")
struct LeadMoveTests {
    @Test("qualifying tells one step, notes the time and raises the version")
    func qualify() throws {
        let change = try moved(someLead(), .qualify)
        #expect(change.lead.state == .qualified)
        #expect(change.lead.qualifiedAt == now)
        #expect(change.lead.updatedAt == now)
        #expect(change.lead.version == 2)
        #expect(change.steps.map(\.eventType) == ["lead.qualified"])
    }

    @Test("a win from qualified passes through opportunity at the same instant")
    func winFromQualified() throws {
        let value = Money(amount: 50_000, currency: usd)
        let change = try moved(someLead(.qualified), .win(value: value))
        #expect(change.lead.state == .won)
        #expect(change.lead.wonValue == value)
        #expect(change.lead.wonAt == now)
        #expect(change.lead.version == 2)
        #expect(change.steps.map(\.eventType) == ["lead.opportunity", "lead.won"])
        #expect(change.steps.map(\.from) == [.qualified, .opportunity])
        #expect(change.steps.map(\.to) == [.opportunity, .won])
    }

    @Test("a win from opportunity is one step")
    func winFromOpportunity() throws {
        let change = try moved(someLead(.opportunity), .win(value: nil))
        #expect(change.steps.map(\.eventType) == ["lead.won"])
        #expect(change.lead.wonValue == nil)
    }

    @Test("a disqualified lead keeps its code and its words until it moves on")
    func reasons() throws {
        let out = try moved(someLead(), .disqualify(code: "no_budget", reason: "Not this year"))
        #expect(out.lead.reasonCode == "no_budget")
        #expect(out.lead.reason == "Not this year")
        let back = try moved(out.lead, .reopen(code: nil, reason: "A budget came up"))
        #expect(back.lead.state == .submitted)
        #expect(back.lead.reasonCode == nil)
        #expect(back.lead.reason == "A budget came up")
        #expect(back.steps.map(\.eventType) == ["lead.reopened"])
        #expect(try moved(back.lead, .qualify).lead.reason == nil)
    }

    @Test("a reopened lead no longer counts as qualified")
    func reopenForgetsQualification() throws {
        let lost = try moved(
            moved(someLead(), .qualify).lead, .lose(code: "price", reason: "Too dear"))
        #expect(lost.lead.qualifiedAt == now)
        let back = try moved(lost.lead, .reopen(code: nil, reason: "Back"))
        #expect(back.lead.qualifiedAt == nil)
    }

    @Test("an action that the state does not allow is refused with those that it does")
    func notPossible() throws {
        let refusal = #expect(throws: LeadRefusal.self) { try moved(someLead(.won), .qualify) }
        guard case .notPossible(let transition) = refusal else {
            Issue.record("another refusal")
            return
        }
        #expect(transition.state == "won")
        #expect(transition.allowed == ["lose"])
    }

    @Test("a won value in another currency than the program's is refused")
    func valueCurrency() throws {
        let euros = Money(amount: 1, currency: try #require(Currency("EUR")))
        #expect(throws: LeadRefusal.valueCurrency) {
            try moved(someLead(.opportunity), .win(value: euros))
        }
    }

    @Test("a follow-up that is not in the future is refused")
    func followUpNotLater() {
        #expect(throws: LeadRefusal.followUpNotLater) {
            try moved(someLead(), .nurture(until: now, reason: nil))
        }
    }

    @Test("a lead in nurture is due from its time on, and one that moved on never is")
    func followUpDue() throws {
        let due = now.advanced(byDays: 30)
        let asleep = try moved(someLead(), .nurture(until: due, reason: "Next quarter")).lead
        #expect(asleep.followUpAt == due)
        #expect(!LeadRules.isFollowUpDue(asleep, at: due.advanced(byMilliseconds: -1)))
        #expect(LeadRules.isFollowUpDue(asleep, at: due))
        let awake = try moved(asleep, .qualify, at: due).lead
        #expect(awake.followUpAt == nil)
        #expect(!LeadRules.isFollowUpDue(awake, at: due))
    }

    @Test("random walks raise the version once a move, link their steps, and stay within the table")
    func randomWalks() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<2_000 {
            var lead = someLead()
            var time = now
            for _ in 0..<12 {
                time = time.advanced(byMilliseconds: Int64.random(in: 1...1000, using: &random))
                let move = randomMove(after: time, &random)
                let expected = lead.state.after(move.action)
                guard let expected else {
                    #expect(throws: LeadRefusal.self, "seed \(seed)") {
                        try moved(lead, move, at: time)
                    }
                    continue
                }
                let change = try moved(lead, move, at: time)
                #expect(change.lead.version == lead.version + 1, "seed \(seed)")
                #expect(change.lead.state == expected, "seed \(seed)")
                #expect(change.steps.first?.from == lead.state, "seed \(seed)")
                #expect(change.steps.last?.to == expected, "seed \(seed)")
                #expect((change.lead.followUpAt != nil) == (expected == .nurture), "seed \(seed)")
                lead = change.lead
            }
        }
    }

    private func randomMove(after time: Instant, _ random: inout SplitMix) -> LeadMove {
        let moves: [LeadMove] = [
            .qualify, .advance, .win(value: nil), .disqualify(code: "other", reason: "x"),
            .lose(code: nil, reason: "y"),
            .nurture(until: time.advanced(byMilliseconds: 1), reason: nil),
            .reopen(code: nil, reason: "z"),
            .attach(to: LeadID(high: 8, low: 8), reason: nil), .qualifyAnyway(reason: "w"),
        ]
        return moves.randomElement(using: &random) ?? .qualify
    }
}

/// A small seeded generator (SplitMix64), so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
