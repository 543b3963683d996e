import Database
import Glibc
import JSON
import Model
import Records
import Testing

@testable import RewardLedger

/// Long random sequences against a ledger that is a few lists in memory, and sums over them.
@Suite struct LedgerModelTests {
    @Test("the books agree with a tiny model over random operations, and all proofs hold")
    func randomOperations() throws {
        let count = getenv("REFERRALD_OPERATIONS").flatMap { Int(String(cString: $0)) } ?? 10_000
        let seed =
            getenv("REFERRALD_SEED").flatMap { UInt64(String(cString: $0)) }
            ?? UInt64.random(in: 0...UInt64.max)
        print("REFERRALD_SEED=\(seed) REFERRALD_OPERATIONS=\(count)")
        let fixture = try LedgerFixture(holdDays: 7, threshold: 3_000)
        var player = try LedgerPlayer(fixture, seed: seed)
        var done = 0
        while done < count {
            try player.play(100)
            done += 100
            let isEnd = done >= count
            let check: LedgerPlayer.Check =
                isEnd || done % 5_000 == 0 ? .everything : done % 1_000 == 0 ? .recent : .balances
            let wrong = try player.differences(check)
            try #require(wrong.isEmpty, "seed \(seed), after \(done): \(wrong.prefix(5))")
            if check != .balances { player.open() }
        }
        #expect(player.tally.values.reduce(0, +) == done)
        print(player.played.sorted { $0.key < $1.key }.map { "\($0) \($1)" })
        for name in Set(LedgerPlayer.operations) where done >= 5_000 {
            #expect(player.played[name] ?? 0 > 0, "\(name) never did anything")
        }
        #expect(done < 5_000 || !player.model.setOff.isEmpty)
    }
}

extension LedgerPlayer {
    /// How much is compared: the balances of everybody; statements, the trial balance, counters and
    /// the newest sales as well; or every row and every proof.
    enum Check { case balances, recent, everything }

    private struct Line: Hashable {
        let account: String
        let currency: String
    }

    /// What the books say otherwise than the model.
    func differences(_ check: Check) throws -> [String] {
        let player = self
        return try fixture.perform { tx in
            var wrong = try player.balanceFaults(tx)
            guard check != .balances else { return wrong }
            wrong += try player.statementFaults(tx) + player.trialFaults(tx)
            wrong += try player.counterFaults(tx)
            wrong += player.saleFaults(player.sales.suffix(300))
            guard check == .everything else { return wrong }
            wrong += player.saleFaults(player.sales[...])
            wrong += try player.rowFaults(tx)
            return try wrong + LedgerVerifier.verify(tx).faults
        }
    }

    /// The next statements begin here.
    mutating func open() {
        for participant in participants + others {
            for currency in currencies {
                opened["\(participant) \(currency)"] = model.balance(of: participant, currency)
            }
        }
        openedAt = fixture.now
    }

    private var currencies: [Currency] { [fixture.currency, .points] }

    private func balanceFaults(_ tx: Transaction) throws -> [String] {
        var wrong: [String] = []
        for participant in participants + others {
            let balances = try LedgerReads.balances(of: participant, tx)
            for currency in currencies {
                let told = balances.first { $0.currency == currency }?.balance
                let expected = model.balance(of: participant, currency)
                if told ?? ParticipantBalance() != expected {
                    wrong.append("\(participant): \(told as Any), expected \(expected)")
                }
            }
        }
        return wrong
    }

    /// Since they were held last: what there was, line by line, and what there is.
    private func statementFaults(_ tx: Transaction) throws -> [String] {
        var wrong: [String] = []
        for participant in participants + others {
            for currency in currencies {
                let statement = try LedgerReads.statement(
                    of: participant, currency, from: openedAt?.advanced(byMilliseconds: 1),
                    to: nil, linesMax: 1_000_000, tx)
                guard let statement else {
                    wrong.append("\(participant): no statement")
                    continue
                }
                let opening = opened["\(participant) \(currency)"] ?? ParticipantBalance()
                let closing = model.balance(of: participant, currency)
                var owed = opening.owed
                let isSummedUp = statement.lines.allSatisfy { line in
                    owed += line.change.owed
                    return owed == line.owed
                }
                if statement.opening != opening || statement.closing != closing || !isSummedUp
                    || owed != closing.owed
                {
                    wrong.append("\(statement), expected \(opening) and \(closing)")
                }
            }
        }
        return wrong
    }

    private func trialFaults(_ tx: Transaction) throws -> [String] {
        var expected: [Line: Int64] = [:]
        func add(_ account: LedgerAccount.Kind, _ currency: Currency, _ amount: Int64) {
            let line = Line(account: account.rawValue, currency: currency.code)
            expected[line, default: 0] += amount
        }
        for currency in currencies {
            for participant in participants + others {
                let balance = model.balance(of: participant, currency)
                add(.participantPending, currency, -balance.pending)
                add(.participantAvailable, currency, -balance.available)
                add(.payoutClearing, currency, -balance.inPayout)
                add(.paidOut, currency, -balance.paid)
                add(.clawbackReceivable, currency, balance.clawbackOwed)
            }
        }
        let cost = model.cost
        add(.budgetReserve, fixture.currency, cost[0])
        add(.programExpense, fixture.currency, cost[1])
        add(.pointsIssued, .points, cost[2])
        var wrong: [String] = []
        for currency in currencies {
            let sum = expected.reduce(0) { $0 + ($1.key.currency == currency.code ? $1.value : 0) }
            if sum != 0 { wrong.append("the model's \(currency) is out by \(sum)") }
        }
        let told = try LedgerReads.trialBalance(through: .max, tx).map {
            (Line(account: $0.account, currency: $0.currency.code), $0.amount)
        }
        if Dictionary(uniqueKeysWithValues: told) != expected.filter({ $0.value != 0 }) {
            wrong.append("trial balance: \(told), expected \(expected)")
        }
        return wrong
    }

    private func counterFaults(_ tx: Transaction) throws -> [String] {
        let counted = try CounterStore.all(prefix: "rewards.", tx)
        return Reward.State.allCases.compactMap { state in
            let count = model.rewards.count { $0.state == state }
            let told = counted.first { $0.name == "rewards.\(state.rawValue)" }?.value ?? 0
            return told == Int64(count) ? nil : "counter of \(state): \(told), \(count)"
        }
    }

    private func rowFaults(_ tx: Transaction) throws -> [String] {
        var wrong: [String] = []
        let taken =
            try orders.count { $0.item.terms.stock != nil }
            - model.redemptions.count { redemption in
                try redemption.state == .cancelled
                    && RedemptionStore.find(redemption.id, tx)?.takesStock == true
            }
        let left = try items.last.flatMap { try CatalogItemStore.find($0.id, tx) }
        if left?.terms.stock != LedgerPlayer.stock - Int64(taken) {
            wrong.append("stock: \(left?.terms.stock as Any), \(taken) taken")
        }
        for reward in model.rewards {
            let told = try RewardStore.find(reward.id, tx)
            if told?.state != reward.state || told?.amount.amount != reward.amount
                || told?.reversedAmount != reward.reversed
                || told?.correctedAmount != reward.corrected
                || told?.withdrawnAmount != reward.withdrawn
                || told?.clawbackAmount != reward.owed || told?.settledAmount != reward.settled
            {
                wrong.append("\(reward): \(told as Any)")
            }
        }
        for sale in sales { try checkGifts(of: sale, tx) }
        return wrong
    }
}

/// SplitMix64: the same seed gives the same sequence everywhere.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}
