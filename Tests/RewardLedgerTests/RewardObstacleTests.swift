import Testing

@testable import RewardLedger

@Suite struct RewardObstacleTests {
    struct Row: Sendable {
        let promise: RewardClock.Promise
        let state: Reward.State
        var isInPayout = false
        var mayBePaid = true
        var available: Int64 = 100
        var owed: Int64 = 0
        let obstacle: RewardObstacle?
    }

    @Test(
        "what stands in the way: the participant, the hold, the review, then what is owed",
        arguments: [
            Row(promise: .payment, state: .approved, obstacle: nil),
            Row(promise: .payment, state: .approved, owed: 99, obstacle: nil),
            Row(promise: .payment, state: .approved, owed: 100, obstacle: .owes),
            Row(promise: .target, state: .approved, owed: 101, obstacle: .owes),
            Row(promise: .payment, state: .approved, isInPayout: true, owed: 100, obstacle: nil),
            Row(
                promise: .payment, state: .approved, isInPayout: true, mayBePaid: false,
                obstacle: nil),
            Row(
                promise: .payment, state: .review, mayBePaid: false,
                obstacle: .participantNotApproved),
            Row(promise: .payment, state: .review, owed: 100, obstacle: .inReview),
            Row(promise: .credit, state: .review, mayBePaid: false, obstacle: .inReview),
            Row(promise: .target, state: .pending, obstacle: .onHold),
        ])
    func table(row: Row) {
        var balance = ParticipantBalance()
        (balance.available, balance.clawbackOwed) = (row.available, row.owed)
        #expect(
            RewardObstacle.find(
                row.promise, row.state, isInPayout: row.isInPayout, mayBePaid: row.mayBePaid,
                balance) == row.obstacle)
    }
}
