import Database
import JSON
import Model
import Records
import Testing

@testable import RewardLedger

@Suite struct RewardBookTests {
    private func only(_ rewards: [Reward]) throws -> Reward {
        try #require(rewards.count == 1)
        return rewards[0]
    }

    /// A fixture with one rule of ten percent, and a participant.
    private func tenPercent(
        holdDays: Int64 = 30, threshold: Int64? = 50_000
    ) throws -> (LedgerFixture, ParticipantID) {
        let fixture = try LedgerFixture(holdDays: holdDays, threshold: threshold)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        return (fixture, try fixture.participant())
    }

    // MARK: - Grants

    @Test("a sale of 123.45 at ten percent earns 12.34, pending until the hold ends")
    func grant() throws {
        let (fixture, participant) = try tenPercent()
        let reward = try only(fixture.sell(12_345, to: participant).rewards)
        #expect(reward.amount == fixture.money(1_234))
        #expect(reward.state == .pending)
        #expect(reward.holdUntil == reward.createdAt.advanced(byDays: 30))
        #expect(try fixture.balance(of: participant) == ParticipantBalance(pending: 1_234))
        #expect(try fixture.events(reward.id) == ["reward.pending"])
        #expect(try fixture.faults() == [])
    }

    @Test("a reward remembers the rule, its version and the arithmetic")
    func basis() throws {
        let fixture = try LedgerFixture()
        let rule = try fixture.rule(.basisPoints(1_000, atMost: fixture.money(1_000)))
        let reward = try only(fixture.sell(12_345, to: fixture.participant()).rewards)
        let stored = try fixture.reward(reward.id)
        #expect(stored.rule == rule.id && stored.ruleVersion == 1)
        #expect(stored.amount.amount == 1_000)
        let arithmetic = stored.basis.objectValue?["arithmetic"]?.objectValue
        #expect(arithmetic?["base"]?.integerValue == 12_345)
        #expect(arithmetic?["basis_points"]?.integerValue == 1_000)
        #expect(arithmetic?["remainder"]?.integerValue == 5_000)
        #expect(arithmetic?["before_maximum"]?.integerValue == 1_234)
        #expect(arithmetic?["maximum"]?.integerValue == 1_000)
        #expect(stored.approvalThreshold == 50_000)
    }

    @Test("what was granted on an occasion once is not granted again")
    func grantTwice() throws {
        let (fixture, participant) = try tenPercent()
        try fixture.rule(.flat(fixture.money(500)))
        let again = try fixture.perform { tx in
            let conversion: ConversionID = tx.makeID()
            let occasion = fixture.occasion(conversion: conversion)
            let credits = [Credit(participant: participant, base: fixture.money(10_000))]
            let first = try RewardBook.grant(occasion, to: credits, tx)
            return [first.count, try RewardBook.grant(occasion, to: credits, tx).count]
        }
        #expect(again == [2, 0])
        #expect(try fixture.balance(of: participant).pending == 1_500)
    }

    @Test("a lead earns a flat reward once, and again only after the first was voided")
    func leadOnce() throws {
        let fixture = try LedgerFixture()
        try fixture.rule(.flat(fixture.money(500)), trigger: .leadQualified)
        let participant = try fixture.participant()
        let lead = try fixture.perform { $0.makeID(LeadID.self) }
        func qualify() throws -> Int {
            try fixture.perform { tx in
                try RewardBook.grant(
                    fixture.occasion(.leadQualified, lead: lead),
                    to: [Credit(participant: participant, base: nil)], tx
                ).count
            }
        }
        #expect(try qualify() == 1)
        #expect(try qualify() == 0)
        let voided = try fixture.perform {
            try RewardBook.takeBack(
                LeadTakeBack(
                    lead, [.leadQualified], isPaidToo: false, days: nil, reason: "invalid",
                    actor: "test"), $0)
        }
        #expect(voided.map(\.state) == [.voided])
        #expect(try fixture.balance(of: participant) == ParticipantBalance())
        #expect(try qualify() == 1)
        #expect(try fixture.faults() == [])
    }

    /// A lead whose reward of 500 was approved; it can be qualified again and fall out.
    private struct Qualified {
        let fixture: LedgerFixture
        let participant: ParticipantID
        let lead: LeadID
        let reward: RewardID

        init() throws {
            let fixture = try LedgerFixture(holdDays: 0)
            try fixture.rule(.flat(fixture.money(500)), trigger: .leadQualified)
            let participant = try fixture.participant()
            let lead = try fixture.perform { $0.makeID(LeadID.self) }
            self.fixture = fixture
            self.participant = participant
            self.lead = lead
            reward = try #require(
                Qualified.qualify(lead, for: participant, fixture).first
            ).id
        }

        static func qualify(
            _ lead: LeadID, for participant: ParticipantID, _ fixture: LedgerFixture
        ) throws -> [Reward] {
            try fixture.perform { tx in
                try RewardBook.grant(
                    fixture.occasion(.leadQualified, lead: lead),
                    to: [Credit(participant: participant, base: nil)], tx)
            }
        }

        func fallOut() throws -> [Reward] {
            try fixture.perform {
                try RewardBook.takeBack(
                    LeadTakeBack(
                        lead, [.leadQualified], isPaidToo: false, days: nil,
                        reason: "lead_disqualified", actor: "test"), $0)
            }
        }

        func balance() throws -> ParticipantBalance { try fixture.balance(of: participant) }
    }

    @Test("what a draft holds of a lead that falls out is owed, and gone once that is cancelled")
    func fallOutOfDraft() throws {
        let scene = try Qualified()
        let draft = try scene.fixture.payout("r1", to: scene.participant)
        let held = try scene.fallOut()
        #expect(held.map(\.state) == [.approved] && held.map(\.clawbackAmount) == [500])
        #expect(try scene.balance() == ParticipantBalance(available: 500, owed: 500))
        #expect(throws: PayoutRefusal.owesSince(amount: 500)) {
            try scene.fixture.perform { try PayoutBook.checkDebt(draft, $0) }
        }
        // Counts again before the draft is gone: it is earned anew, and the old one stays owed.
        let anew = try Qualified.qualify(scene.lead, for: scene.participant, scene.fixture)
        #expect(anew.map(\.amount.amount) == [500])
        try scene.fixture.change(draft) {
            try PayoutBook.cancel($0, reason: nil, actor: "test", $1)
        }
        let gone = try scene.fixture.reward(scene.reward)
        #expect(gone.state == .voided && gone.reason == "lead_disqualified")
        #expect(try scene.balance() == ParticipantBalance(available: 500))
        #expect(try scene.fallOut().map(\.id) == anew.map(\.id))
        #expect(try scene.fallOut().isEmpty)
        #expect(try scene.balance() == ParticipantBalance())
        #expect(try scene.fixture.faults() == [])
    }

    @Test("what the provider has of a lead that falls out is kept back from the next payout")
    func fallOutOnTheWay() throws {
        let scene = try Qualified()
        let payout = try scene.fixture.submitted("r1", to: scene.participant)
        _ = try scene.fallOut()
        #expect(try scene.balance() == ParticipantBalance(inPayout: 500, owed: 500))
        try scene.fixture.confirm(payout)
        let reward = try scene.fixture.reward(scene.reward)
        #expect(reward.state == .clawedBack && reward.reason == "lead_disqualified")
        #expect(try scene.balance() == ParticipantBalance(paid: 500, owed: 500))
        let statement = try #require(
            try scene.fixture.perform { tx in
                try LedgerReads.statement(
                    of: scene.participant, scene.fixture.currency, from: nil, to: nil,
                    linesMax: 100, tx)
            })
        let words = statement.lines.map { $0.words(in: scene.fixture.currency) }
        #expect(
            words.contains {
                $0.hasSuffix(
                    "no longer counts: 5.00 USD, which was paid or is on its way, is owed back.")
            }, "\(words)")
        #expect(try scene.fixture.faults() == [])
    }

    @Test("what was paid of a lead that falls out stays paid; what was not is taken back")
    func fallOutAfterPayment() throws {
        let scene = try Qualified()
        try scene.fixture.confirm(
            scene.fixture.submitted("r1", to: scene.participant), paid: 200)
        let reward = try #require(try scene.fallOut().first)
        #expect(reward.state == .paid && reward.netAmount == 200)
        #expect(try scene.balance() == ParticipantBalance(paid: 200))
        #expect(try scene.fallOut().isEmpty)
        #expect(
            try Qualified.qualify(scene.lead, for: scene.participant, scene.fixture).isEmpty)
        #expect(try scene.fixture.faults() == [])
    }

    @Test("rules of another kind of conversion, another trigger or an archived one give nothing")
    func otherRules() throws {
        let fixture = try LedgerFixture()
        try fixture.rule(.flat(fixture.money(1)), kinds: ["renewal"])
        try fixture.rule(.flat(fixture.money(2)), trigger: .leadWon)
        var old = try fixture.rule(.flat(fixture.money(4)))
        old.state = .archived
        old.version = 2
        let archived = old
        try fixture.perform {
            try RewardRuleStore.update(archived, actor: "test", $0)
        }
        let (_, rewards) = try fixture.sell(10_000, to: fixture.participant())
        #expect(rewards.isEmpty)
    }

    // MARK: - Hold and review

    @Test("a reward is approved by itself at the end of its hold, not a day before")
    func hold() throws {
        let (fixture, participant) = try tenPercent()
        let reward = try only(fixture.sell(10_000, to: participant).rewards)
        fixture.advance(days: 29)
        try fixture.runJobs()
        try fixture.perform { try RewardBook.endHold(reward.id, $0) }
        #expect(try fixture.reward(reward.id).state == .pending)
        fixture.advance(days: 1)
        try fixture.runJobs()
        let approved = try fixture.reward(reward.id)
        #expect(approved.state == .approved)
        #expect(approved.approvedAt == fixture.now)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(available: 1_000))
        #expect(try fixture.events(reward.id) == ["reward.pending", "reward.approved"])
        #expect(try fixture.count("jobs") == 0)
    }

    @Test("at the threshold a person reviews it after the hold, and its money waits")
    func review() throws {
        let (fixture, participant) = try tenPercent()
        let large = try only(fixture.sell(500_000, to: participant).rewards)
        let small = try only(fixture.sell(499_990, to: participant).rewards)
        fixture.advance(days: 30)
        try fixture.runJobs()
        #expect(try fixture.reward(large.id).state == .review)
        #expect(try fixture.reward(small.id).state == .approved)
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(pending: 50_000, available: 49_999))
        try fixture.approve(large.id)
        #expect(try fixture.balance(of: participant).available == 99_999)
        #expect(try fixture.faults() == [])
    }

    @Test("a refund during the hold can bring a reward under the threshold")
    func reviewOfTheRest() throws {
        let (fixture, participant) = try tenPercent()
        let (conversion, rewards) = try fixture.sell(500_000, to: participant)
        try fixture.refund(conversion, total: 10, of: 500_000)
        fixture.advance(days: 30)
        try fixture.runJobs()
        #expect(try fixture.reward(only(rewards).id).state == .approved)
    }

    @Test("without hold days a reward is approved or in review at once")
    func withoutHold() throws {
        let (fixture, participant) = try tenPercent(holdDays: 0)
        #expect(try only(fixture.sell(10_000, to: participant).rewards).state == .approved)
        #expect(try only(fixture.sell(500_000, to: participant).rewards).state == .review)
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(pending: 50_000, available: 1_000))
        #expect(try fixture.count("jobs") == 0)
        #expect(try fixture.faults() == [])
    }

    // MARK: - Decisions

    @Test("an early approval ends the hold, and its job goes with it")
    func approve() throws {
        let (fixture, participant) = try tenPercent()
        let reward = try only(fixture.sell(10_000, to: participant).rewards)
        #expect(try fixture.approve(reward.id).state == .approved)
        #expect(try fixture.count("jobs") == 0)
        let refusal = #expect(throws: InvalidTransition.self) { try fixture.approve(reward.id) }
        #expect(refusal?.state == "approved" && refusal?.allowed == ["void", "claw_back"])
        #expect(try fixture.balance(of: participant) == ParticipantBalance(available: 1_000))
    }

    @Test("a rejected reward costs nothing, says why and cannot come back")
    func reject() throws {
        let (fixture, participant) = try tenPercent()
        let reward = try only(fixture.sell(10_000, to: participant).rewards)
        let rejected = try fixture.perform {
            try RewardBook.reject(reward, reason: "self-referral", actor: "test", $0)
        }
        #expect(rejected.state == .rejected && rejected.reason == "self-referral")
        #expect(rejected.netAmount == 0)
        #expect(try fixture.balance(of: participant) == ParticipantBalance())
        #expect(throws: InvalidTransition.self) { try fixture.approve(reward.id) }
        #expect(try fixture.faults() == [])
    }

    @Test("an approved reward is voided but not rejected")
    func voidApproved() throws {
        let (fixture, participant) = try tenPercent()
        let (_, id) = try fixture.approvedSale(10_000, to: participant)
        let approved = try fixture.reward(id)
        #expect(throws: InvalidTransition.self) {
            try fixture.perform {
                _ = try RewardBook.reject(approved, reason: "no", actor: "test", $0)
            }
        }
        try fixture.perform {
            _ = try RewardBook.void(approved, reason: "no", actor: "test", $0)
        }
        #expect(try fixture.reward(id).state == .voided)
        #expect(try fixture.balance(of: participant) == ParticipantBalance())
        #expect(try fixture.faults() == [])
    }

    @Test("a reward that a payout holds is not voided")
    func voidInPayout() throws {
        let (fixture, participant) = try tenPercent()
        let (_, id) = try fixture.approvedSale(10_000, to: participant)
        let payout = try fixture.payout("r1", to: participant)
        let held = try fixture.reward(id)
        #expect(throws: RewardRefusal.inPayout(payout.id)) {
            try fixture.perform {
                _ = try RewardBook.void(held, reason: "no", actor: "test", $0)
            }
        }
    }

    // MARK: - Refunds

    static let orders: [[Int64]] = [
        [3_000, 3_000, 4_000], [4_000, 3_000, 3_000], [1, 9_998, 1], [10_000], [3_333, 6_667],
    ]

    @Test("partial refunds in any order end at the whole", arguments: orders)
    func partialRefunds(parts: [Int64]) throws {
        let (fixture, participant) = try tenPercent()
        try fixture.rule(.flat(fixture.money(333)))
        let (conversion, rewards) = try fixture.sell(10_000, to: participant)
        var total: Int64 = 0
        for part in parts {
            total += part
            try fixture.refund(conversion, total: total, of: 10_000)
            #expect(
                try fixture.balance(of: participant).pending
                    == fixture.money(10_000 - total).basisPoints(1_000).amount + 333
                    - RewardRules.reversalTarget(
                        amount: 333, refunded: total, whole: 10_000))
        }
        for reward in rewards {
            let voided = try fixture.reward(reward.id)
            #expect(voided.state == .voided && voided.reason == "refunded")
            #expect(voided.netAmount == 0 && voided.clawbackAmount == 0)
        }
        #expect(try fixture.balance(of: participant) == ParticipantBalance())
        #expect(try fixture.count("jobs") == 0)
        #expect(try fixture.faults() == [])
    }

    @Test("the same refunded total twice takes back once")
    func refundTwice() throws {
        let (fixture, participant) = try tenPercent()
        let (conversion, _) = try fixture.sell(10_000, to: participant)
        #expect(try fixture.refund(conversion, total: 2_500, of: 10_000).count == 1)
        #expect(try fixture.refund(conversion, total: 2_500, of: 10_000).isEmpty)
        #expect(try fixture.balance(of: participant).pending == 750)
    }

    @Test("a refund of an approved reward takes from what is available")
    func refundApproved() throws {
        let (fixture, participant) = try tenPercent()
        let (conversion, id) = try fixture.approvedSale(10_000, to: participant)
        try fixture.refund(conversion, total: 2_500, of: 10_000)
        #expect(try fixture.reward(id).state == .approved)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(available: 750))
        #expect(
            try fixture.events(id) == ["reward.pending", "reward.approved", "reward.reversed"])
    }

    @Test("a rejected reward is not taken back once more by a refund")
    func refundRejected() throws {
        let (fixture, participant) = try tenPercent()
        let (conversion, rewards) = try fixture.sell(10_000, to: participant)
        let reward = try only(rewards)
        try fixture.perform {
            _ = try RewardBook.reject(reward, reason: "no", actor: "test", $0)
        }
        #expect(try fixture.refund(conversion, total: 10_000, of: 10_000).isEmpty)
        #expect(try fixture.reward(reward.id).state == .rejected)
        #expect(try fixture.faults() == [])
    }

    // MARK: - Points

    @Test("points that were a benefit before points were rewards are not given again")
    func formerPoints() throws {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        let rule = try fixture.pointsRule(100)
        let participant = try fixture.participant()
        let changed = try fixture.perform { tx in
            let conversion: ConversionID = tx.makeID()
            try BenefitStore.insert(
                Benefit(
                    id: tx.makeID(), program: fixture.program, owner: .participant(participant),
                    rule: rule.id, ruleVersion: 1, trigger: .conversion, kind: .points, lead: nil,
                    conversion: conversion, state: .approved, offer: BenefitOffer(points: 100),
                    basis: [:], reason: nil, reference: nil, holdUntil: tx.now,
                    approvedAt: tx.now, fulfilledAt: nil, version: 1, createdAt: tx.now,
                    updatedAt: tx.now), by: participant, for: nil, countsAt: tx.now, tx)
            let credits = [Credit(participant: participant, base: fixture.money(1_000))]
            let occasion = fixture.occasion(conversion: conversion)
            return try RewardBook.grant(occasion, to: credits, tx)
                + RewardCorrection.run(
                    occasion,
                    of: fixture.sale(
                        conversion, credits, refunded: 0, of: 1_000, refund: nil,
                        recordedAt: tx.now), tx)
        }
        #expect(changed.isEmpty)
        #expect(try fixture.sell(1_000, to: participant).rewards.count == 1)
        #expect(try fixture.faults() == [])
    }

    @Test("points are counted by themselves, and on an account of the program of their own")
    func points() throws {
        let fixture = try LedgerFixture(holdDays: 0, threshold: 1)
        try fixture.pointsRule(100)
        let participant = try fixture.participant()
        let reward = try only(fixture.sell(1_000, to: participant).rewards)
        #expect(reward.state == .approved && reward.amount.currency == .points)
        let own = try fixture.perform {
            try CounterStore.all(of: participant, prefix: "rewards.", $0)
                .map { "\($0.name) \($0.value)" }
        }
        #expect(own == ["rewards.approved 1", "rewards.approved.points 100"])
        #expect(
            try fixture.transactions()[0].entry.postings == [
                Posting(.pointsIssued, 100), Posting(.participantPending, -100),
            ])
        #expect(try fixture.faults() == [])
    }

    // MARK: - Counters

    @Test("the counters of rewards by state follow each change")
    func counters() throws {
        let (fixture, participant) = try tenPercent()
        let (conversion, _) = try fixture.approvedSale(10_000, to: participant)
        _ = try fixture.sell(20_000, to: participant)
        try fixture.refund(conversion, total: 4_000, of: 10_000)
        let own = try fixture.perform {
            try CounterStore.all(of: participant, prefix: "rewards.", $0)
                .map { "\($0.name) \($0.value)" }
        }
        #expect(
            own == [
                "rewards.approved 1", "rewards.approved.amount 600", "rewards.pending 1",
                "rewards.pending.amount 2000",
            ])
    }
}
