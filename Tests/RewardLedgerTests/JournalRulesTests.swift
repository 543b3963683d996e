import Model
import Testing

@testable import RewardLedger

@Suite struct JournalRulesTests {
    static let refused: [(postings: [Posting], fault: JournalFault)] = [
        ([], .tooFewPostings),
        ([Posting(.programExpense, 0)], .tooFewPostings),
        ([Posting(.programExpense, 5)], .tooFewPostings),
        ([Posting(.programExpense, 5), Posting(.participantPending, 0)], .zeroPosting),
        ([Posting(.programExpense, 5), Posting(.programExpense, -5)], .accountTwice),
        ([Posting(.programExpense, 5), Posting(.participantPending, -4)], .unbalanced),
        ([Posting(.programExpense, 5), Posting(.participantPending, 5)], .unbalanced),
        // Wrapped around, these would add up to zero.
        (
            [
                Posting(.programExpense, .min), Posting(.participantPending, .min),
            ], .unbalanced
        ),
        (
            [
                Posting(.payoutClearing, 100), Posting(.paidOut, -60),
                Posting(.participantAvailable, -39),
            ], .unbalanced
        ),
    ]

    @Test("an entry that does not balance is refused, and told why", arguments: refused.indices)
    func refusedEntries(place: Int) {
        let (postings, fault) = JournalRulesTests.refused[place]
        #expect(throws: fault) { try JournalRules.check(postings) }
    }

    @Test("two or three postings that add up to zero are taken")
    func balancedEntries() throws {
        try JournalRules.check([Posting(.programExpense, 5), Posting(.participantPending, -5)])
        try JournalRules.check([
            Posting(.payoutClearing, 100), Posting(.paidOut, -60),
            Posting(.participantAvailable, -40),
        ])
    }

    @Test("a balance grows to its limit on either side and not beyond")
    func balanceLimits() throws {
        let most = JournalRules.balanceMax
        #expect(try JournalRules.balance(most - 1, adding: 1) == most)
        #expect(try JournalRules.balance(1 - most, adding: -1) == -most)
        #expect(throws: MoneyError.overflow) { try JournalRules.balance(most, adding: 1) }
        #expect(throws: MoneyError.overflow) { try JournalRules.balance(-most, adding: -1) }
        #expect(throws: MoneyError.overflow) { try JournalRules.balance(most, adding: .max) }
        #expect(throws: MoneyError.overflow) { try JournalRules.balance(-most, adding: .min) }
    }
}
