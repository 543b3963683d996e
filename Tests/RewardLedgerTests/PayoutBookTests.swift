import Database
import Model
import Testing

@testable import RewardLedger

@Suite struct PayoutBookTests {
    /// Ten percent of every sale, approved at once.
    private func books() throws -> (LedgerFixture, ParticipantID) {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        return (fixture, try fixture.participant())
    }

    private func fail(_ fixture: LedgerFixture, _ payout: Payout) throws -> Payout {
        try fixture.change(payout) {
            try PayoutBook.fail($0, reason: "account closed", actor: "test", $1)
        }
    }

    private func cancel(_ fixture: LedgerFixture, _ payout: Payout) throws -> Payout {
        try fixture.change(payout) {
            try PayoutBook.cancel($0, reason: nil, actor: "test", $1)
        }
    }

    // MARK: - The plain way

    @Test("a payout takes all approved rewards, and its money moves with each step")
    func plain() throws {
        let (fixture, participant) = try books()
        let first = try fixture.approvedSale(10_000, to: participant).reward
        let second = try fixture.approvedSale(5_000, to: participant).reward
        let draft = try fixture.payout("2027-01", to: participant)
        #expect(draft.state == .draft)
        #expect(draft.amount == 1_500 && draft.clawbackAmount == 0 && draft.rewardCount == 2)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(available: 1_500))

        let submitted = try fixture.change(draft) {
            try PayoutBook.submit($0, providerReference: "tr_1", actor: "test", $1)
        }
        #expect(submitted.state == .processing && submitted.providerReference == "tr_1")
        #expect(try fixture.balance(of: participant) == ParticipantBalance(inPayout: 1_500))
        #expect(try fixture.reward(first).state == .approved)

        let paid = try fixture.confirm(submitted)
        #expect(paid.state == .paid && paid.paidAmount == 1_500 && paid.settledAt != nil)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 1_500))
        for id in [first, second] {
            let reward = try fixture.reward(id)
            #expect(reward.state == .paid && reward.payout == paid.id && reward.paidAt != nil)
        }
        #expect(
            try fixture.events(paid.id) == ["payout.draft", "payout.processing", "payout.paid"])
        #expect(try fixture.faults() == [])
    }

    @Test("pending and reviewed rewards wait for a later payout")
    func onlyApproved() throws {
        let fixture = try LedgerFixture(holdDays: 30)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        let participant = try fixture.participant()
        _ = try fixture.sell(10_000, to: participant)
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("r1", to: participant)
        }
        _ = try fixture.approvedSale(5_000, to: participant)
        #expect(try fixture.payout("r1", to: participant).amount == 500)
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("r2", to: participant)
        }
    }

    // MARK: - References

    @Test("the same reference is the same payout again, whatever was earned since")
    func sameReference() throws {
        let (fixture, participant) = try books()
        _ = try fixture.approvedSale(10_000, to: participant)
        let first = try fixture.payout("r1", to: participant)
        _ = try fixture.approvedSale(10_000, to: participant)
        let (again, isNew) = try fixture.perform { tx in
            try PayoutBook.create(fixture.order("r1", to: participant), tx)
        }
        #expect(again.id == first.id && !isNew)
        #expect(again.amount == 1_000)
        #expect(try fixture.count("payouts") == 1)
    }

    @Test("a reference of another payout is refused, naming the member that differs")
    func takenReference() throws {
        let (fixture, participant) = try books()
        let other = try fixture.participant()
        _ = try fixture.approvedSale(10_000, to: participant)
        _ = try fixture.approvedSale(10_000, to: other)
        let paid = try fixture.confirm(fixture.submitted("r1", to: participant))
        #expect(throws: PayoutRefusal.referenceTaken(member: "participant_id")) {
            try fixture.payout("r1", to: other)
        }
        let euro = try #require(Currency("EUR"))
        #expect(throws: PayoutRefusal.referenceTaken(member: "currency")) {
            try PayoutRules.checkSame(
                paid,
                PayoutOrder(
                    reference: "r1", participant: participant, program: fixture.program,
                    currency: euro, kind: .cash, actor: "test"))
        }
        #expect(throws: PayoutRefusal.referenceTaken(member: "kind")) {
            try fixture.payout("r1", to: participant, kind: .accountCredit)
        }
    }

    // MARK: - Other outcomes

    @Test("a failed payout gives its rewards back for a new one")
    func failed() throws {
        let (fixture, participant) = try books()
        let (_, id) = try fixture.approvedSale(10_000, to: participant)
        let failed = try fail(fixture, fixture.submitted("r1", to: participant))
        #expect(failed.state == .failed && failed.reason == "account closed")
        #expect(try fixture.balance(of: participant) == ParticipantBalance(available: 1_000))
        let reward = try fixture.reward(id)
        #expect(reward.state == .approved && reward.payout == nil)
        let refusal = #expect(throws: InvalidTransition.self) { try fail(fixture, failed) }
        #expect(refusal?.state == "failed" && refusal?.allowed == ["confirm"])
        try fixture.confirm(fixture.submitted("r2", to: participant))
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 1_000))
        #expect(try fixture.faults() == [])
    }

    @Test("only a draft can be cancelled, and its rewards are free again")
    func cancelled() throws {
        let (fixture, participant) = try books()
        let (_, id) = try fixture.approvedSale(10_000, to: participant)
        #expect(try cancel(fixture, fixture.payout("r1", to: participant)).state == .cancelled)
        #expect(try fixture.reward(id).payout == nil)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(available: 1_000))
        let submitted = try fixture.submitted("r2", to: participant)
        #expect(throws: InvalidTransition.self) { try cancel(fixture, submitted) }
        #expect(try fixture.faults() == [])
    }

    @Test(
        "an unknown outcome keeps the money in the payout until it is known",
        arguments: [true, false])
    func unknown(isPaid: Bool) throws {
        let (fixture, participant) = try books()
        _ = try fixture.approvedSale(10_000, to: participant)
        let unknown = try fixture.change(fixture.submitted("r1", to: participant)) {
            try PayoutBook.markUnknown($0, reason: "timeout", actor: "test", $1)
        }
        #expect(unknown.state == .unknown)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(inPayout: 1_000))
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("r2", to: participant)
        }
        if isPaid {
            try fixture.confirm(unknown)
            #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 1_000))
        } else {
            _ = try fail(fixture, unknown)
            #expect(
                try fixture.balance(of: participant) == ParticipantBalance(available: 1_000))
        }
        #expect(try fixture.faults() == [])
    }

    @Test("of a part payment the oldest rewards are settled first and the rest is paid later")
    func partial() throws {
        let (fixture, participant) = try books()
        let first = try fixture.approvedSale(10_000, to: participant).reward
        let second = try fixture.approvedSale(10_000, to: participant).reward
        let part = try fixture.confirm(fixture.submitted("r1", to: participant), paid: 1_400)
        #expect(part.state == .partiallyPaid && part.paidAmount == 1_400)
        #expect(try fixture.reward(first).state == .paid)
        let rest = try fixture.reward(second)
        #expect(rest.state == .approved && rest.payable == 600 && rest.payout == nil)
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(available: 600, paid: 1_400))
        #expect(throws: RewardRefusal.partlyPaid) {
            try fixture.perform {
                _ = try RewardBook.void(rest, reason: "no", actor: "test", $0)
            }
        }
        let next = try fixture.submitted("r2", to: participant)
        #expect(next.amount == 600)
        try fixture.confirm(next)
        #expect(try fixture.reward(second).state == .paid)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 2_000))
        #expect(try fixture.faults() == [])
    }

    @Test("a refund of what a part payment left unpaid settles the reward")
    func refundOfTheRest() throws {
        let (fixture, participant) = try books()
        let (conversion, id) = try fixture.approvedSale(10_000, to: participant)
        try fixture.confirm(fixture.submitted("r1", to: participant), paid: 400)
        try fixture.refund(conversion, total: 6_000, of: 10_000)
        let reward = try fixture.reward(id)
        #expect(reward.state == .paid && reward.paidAt == fixture.now)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 400))
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        #expect(try fixture.reward(id).state == .clawedBack)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(paid: 400, owed: 400))
        #expect(try fixture.faults() == [])
    }

    @Test("a payment of nothing or of more than the amount is refused", arguments: [-1, 0, 1_001])
    func badPaidAmount(paid: Int64) throws {
        let (fixture, participant) = try books()
        _ = try fixture.approvedSale(10_000, to: participant)
        let submitted = try fixture.submitted("r1", to: participant)
        #expect(throws: PayoutRefusal.badPaidAmount(most: 1_000)) {
            try fixture.confirm(submitted, paid: paid)
        }
        #expect(try fixture.balance(of: participant) == ParticipantBalance(inPayout: 1_000))
    }

    // MARK: - Claw-backs

    @Test("a refund after the payout is kept back from the next one, once")
    func clawback() throws {
        let (fixture, participant) = try books()
        let (conversion, id) = try fixture.approvedSale(10_000, to: participant)
        try fixture.confirm(fixture.submitted("2027-01", to: participant))
        try fixture.refund(conversion, total: 4_000, of: 10_000)
        #expect(try fixture.reward(id).state == .paid)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(paid: 1_000, owed: 400))
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        #expect(try fixture.reward(id).state == .clawedBack)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(paid: 1_000, owed: 1_000))

        _ = try fixture.approvedSale(30_000, to: participant)
        let second = try fixture.submitted("2027-02", to: participant)
        #expect(second.rewardsAmount == 3_000)
        #expect(second.clawbackAmount == 1_000 && second.amount == 2_000)
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(inPayout: 2_000, paid: 1_000))
        try fixture.confirm(second)
        _ = try fixture.approvedSale(5_000, to: participant)
        let third = try fixture.payout("2027-03", to: participant)
        #expect(third.clawbackAmount == 0 && third.amount == 500)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(available: 500, paid: 3_000))
        #expect(try fixture.faults() == [])
    }

    @Test("while more is owed than earned there is nothing to pay")
    func owedMore() throws {
        let (fixture, participant) = try books()
        let (conversion, _) = try fixture.approvedSale(10_000, to: participant)
        try fixture.confirm(fixture.submitted("r1", to: participant))
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        _ = try fixture.approvedSale(10_000, to: participant)
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("r2", to: participant)
        }
        _ = try fixture.approvedSale(10, to: participant)
        let next = try fixture.payout("r2", to: participant)
        #expect(next.amount == 1 && next.clawbackAmount == 1_000)
    }

    /// Owes 1,000 of cash, and has 600 of cash and 700 of account credit: 300 are due.
    private func owingInBothKinds() throws -> (LedgerFixture, ParticipantID, [Reward]) {
        let (fixture, participant) = try books()
        try fixture.rule(.flat(fixture.money(700)), kinds: ["signup"], kind: .accountCredit)
        let (conversion, _) = try fixture.approvedSale(10_000, to: participant)
        try fixture.confirm(fixture.submitted("r1", to: participant))
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        var rewards = try fixture.sell(6_000, to: participant).rewards
        rewards += try fixture.perform { tx in
            try RewardBook.grant(
                fixture.occasion(.conversion(kind: "signup"), conversion: tx.makeID()),
                to: [Credit(participant: participant, base: nil)], tx
            )
        }
        return (fixture, participant, rewards)
    }

    @Test("a debt larger than either kind of reward is set off against the oldest of both")
    func owedAcrossKinds() throws {
        let (fixture, participant, rewards) = try owingInBothKinds()
        #expect(rewards.map(\.payable) == [600, 700])
        // The cash is all owed back; the debt still does not stand in the credit's way.
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("cash", to: participant)
        }
        #expect(try fixture.balance(of: participant).clawbackOwed == 1_000)
        let credit = try fixture.payout("credit", to: participant, kind: .accountCredit)
        #expect(credit.amount == 300 && credit.clawbackAmount == 0)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(available: 300, paid: 1_000))
        let cash = try fixture.reward(rewards[0].id)
        #expect(cash.state == .paid && cash.settledAmount == 600 && cash.payout == nil)
        #expect(try fixture.reward(rewards[1].id).settledAmount == 400)

        try fixture.confirm(
            fixture.change(credit) {
                try PayoutBook.submit($0, providerReference: nil, actor: "test", $1)
            })
        #expect(try fixture.reward(rewards[1].id).state == .paid)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 1_300))
        let years = try fixture.perform { tx in
            try SummaryReads.paidByYear(to: participant, fixture.currency, in: .utc, tx)
        }
        #expect(years.map(\.amounts) == [[.cash: 1_000, .accountCredit: 300]])
        #expect(try fixture.faults() == [])
    }

    @Test("what was set off is owed again when its own sale is refunded, and the statement says so")
    func refundOfWhatWasSetOff() throws {
        let (fixture, participant, rewards) = try owingInBothKinds()
        _ = try fixture.payout("credit", to: participant, kind: .accountCredit)
        try fixture.refund(#require(rewards[0].conversion), total: 6_000, of: 6_000)
        #expect(try fixture.reward(rewards[0].id).state == .clawedBack)
        #expect(try fixture.balance(of: participant).clawbackOwed == 600)
        let statement = try #require(
            try fixture.perform { tx in
                try LedgerReads.statement(
                    of: participant, fixture.currency, from: nil, to: nil, linesMax: 100, tx)
            })
        let offsets = statement.lines.filter { $0.kind == .clawbackOffset }.map {
            $0.words(in: fixture.currency)
        }
        #expect(offsets.count == 2)
        #expect(
            offsets[0].hasPrefix("The reward \(rewards[0].id) for sale ")
                && offsets[0].hasSuffix(" is set off against what is owed: 6.00 USD."))
        #expect(offsets[1].hasSuffix(" is set off against what is owed: 4.00 USD."))
        #expect(try fixture.faults() == [])
    }

    @Test("what a failed payout kept back is owed again, and kept back by the next one")
    func clawbackOfFailed() throws {
        let (fixture, participant) = try books()
        let (conversion, _) = try fixture.approvedSale(10_000, to: participant)
        try fixture.confirm(fixture.submitted("r1", to: participant))
        try fixture.refund(conversion, total: 2_500, of: 10_000)
        _ = try fixture.approvedSale(20_000, to: participant)
        _ = try fail(fixture, fixture.submitted("r2", to: participant))
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(available: 2_000, paid: 1_000, owed: 250))
        let next = try fixture.confirm(fixture.submitted("r3", to: participant))
        #expect(next.clawbackAmount == 250 && next.paidAmount == 1_750)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 2_750))
        #expect(try fixture.faults() == [])
    }

    @Test("a refund while the payout is on its way is clawed back once it is paid")
    func refundOnTheWay() throws {
        let (fixture, participant) = try books()
        let (conversion, id) = try fixture.approvedSale(10_000, to: participant)
        let submitted = try fixture.submitted("r1", to: participant)
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        #expect(try fixture.reward(id).state == .approved)
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(inPayout: 1_000, owed: 1_000))
        try fixture.confirm(submitted)
        #expect(try fixture.reward(id).state == .clawedBack)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(paid: 1_000, owed: 1_000))
        #expect(try fixture.faults() == [])
    }

    @Test("a refund while the payout is on its way is undone when that fails: nothing is owed")
    func refundOfFailing() throws {
        let (fixture, participant) = try books()
        let (conversion, id) = try fixture.approvedSale(10_000, to: participant)
        let submitted = try fixture.submitted("r1", to: participant)
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        _ = try fail(fixture, submitted)
        #expect(try fixture.reward(id).state == .voided)
        #expect(try fixture.balance(of: participant) == ParticipantBalance())
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("r2", to: participant)
        }
        #expect(try fixture.faults() == [])
    }

    @Test("what another payout kept back already is not kept back again by a cancelled one")
    func clawbackAcrossPayouts() throws {
        let (fixture, participant) = try books()
        let (conversion, id) = try fixture.approvedSale(10_000, to: participant)
        let first = try fixture.payout("r1", to: participant)
        try fixture.refund(conversion, total: 10_000, of: 10_000)
        _ = try fixture.approvedSale(30_000, to: participant)
        let second = try fixture.submitted("r2", to: participant)
        #expect(second.clawbackAmount == 1_000 && second.amount == 2_000)
        _ = try cancel(fixture, first)
        #expect(try fixture.reward(id).payable == 1_000)
        try fixture.confirm(second)
        try fixture.confirm(fixture.submitted("r3", to: participant))
        #expect(try fixture.reward(id).state == .clawedBack)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(paid: 3_000))
        #expect(try fixture.faults() == [])
    }

    // MARK: - Rules

    @Test("a payout takes the oldest rewards that fit")
    func fitting() {
        #expect(PayoutRules.fitting([]) == (0, 0))
        #expect(PayoutRules.fitting([5, 7]) == (2, 12))
        #expect(PayoutRules.fitting([Money.maximum, 1]) == (1, Money.maximum))
        #expect(PayoutRules.fitting([Money.maximum - 1, 1, 1]) == (2, Money.maximum))
        #expect(PayoutRules.fitting([.max]) == (0, 0))
        let many = [Int64](repeating: 2, count: PayoutRules.rewardsMax + 1)
        #expect(PayoutRules.fitting(many) == (1_000, 2_000))
    }

    @Test("what is settled goes to the oldest first and never over what was asked for")
    func allocation() {
        #expect(PayoutRules.allocate(0, over: [5, 7]) == [0, 0])
        #expect(PayoutRules.allocate(6, over: [5, 7]) == [5, 1])
        #expect(PayoutRules.allocate(12, over: [5, 7]) == [5, 7])
    }

    @Test(
        "every action has the states it starts from, and no other",
        arguments: Payout.State.allCases)
    func transitions(state: Payout.State) {
        let allowed: [Payout.State: [Payout.State.Action: Payout.State]] = [
            .draft: [.submit: .processing, .cancel: .cancelled],
            .processing: [
                .confirm: .paid, .fail: .failed, .return: .returned, .markUnknown: .unknown,
            ],
            .unknown: [.confirm: .paid, .fail: .failed, .return: .returned],
            .paid: [.return: .returned],
            .partiallyPaid: [.confirm: .paid, .return: .returned],
            .failed: [.confirm: .paid], .returned: [.confirm: .paid],
        ]
        for action in Payout.State.Action.allCases {
            #expect(state.after(action) == allowed[state]?[action])
        }
    }
}
