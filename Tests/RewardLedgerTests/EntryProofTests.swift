import Database
import Model
import Testing

@testable import RewardLedger

@Suite struct EntryProofTests {
    /// Six transactions: three sales, each granted and approved.
    private func books() throws -> LedgerFixture {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        let participant = try fixture.participant()
        for _ in 0..<3 { _ = try fixture.approvedSale(10_000, to: participant) }
        return fixture
    }

    private func proof(
        _ fixture: LedgerFixture, _ number: Int, through: Int64? = nil
    ) throws -> EntryProof {
        let id = try fixture.transactions()[number - 1].id
        return try #require(
            try fixture.perform { try LedgerReads.proof(of: id, through: through, $0) })
    }

    @Test("every entry is proved up to every head from its own on")
    func sound() throws {
        let fixture = try books()
        let all = try fixture.transactions()
        #expect(all.count == 6)
        for number in 1...6 {
            for through in number...6 {
                let proof = try proof(fixture, number, through: Int64(through))
                #expect(proof.following.count == through - number)
                let head = LedgerHead(sequence: Int64(through), hash: all[through - 1].hash)
                #expect(proof.head == head)
                try EntryProofRules.check(proof, against: head)
            }
        }
        #expect(try proof(fixture, 2).head.sequence == 6)
    }

    @Test("an entry that there is not has no proof")
    func missing() throws {
        let fixture = try books()
        let id = LedgerTransactionID(high: 1, low: 2)
        #expect(try fixture.perform { try LedgerReads.proof(of: id, through: nil, $0) == nil })
    }

    @Test(
        "a proof leads to a head from the entry's on, which there is, and not too far away",
        arguments: [
            (nil, 3, 5, nil), (3, 3, 5, nil), (5, 5, 5, nil),
            (2, 3, 5, .headBeforeEntry(sequence: 3)), (6, 3, 5, .noSuchHead(newest: 5)),
            (10_003, 3, 99_999, nil), (10_004, 3, 99_999, .headTooFar(last: 10_003)),
            (nil, 3, 99_999, .headTooFar(last: 10_003)),
            (100_000, 3, 99_999, .noSuchHead(newest: 99_999)),
        ] as [(Int64?, Int64, Int64, EntryProofRefusal?)])
    func reach(through: Int64?, entry: Int64, newest: Int64, refusal: EntryProofRefusal?) {
        do throws(EntryProofRefusal) {
            let last = try EntryProofRules.last(through, entry: entry, newest: newest)
            #expect(refusal == nil && last == through ?? newest)
        } catch {
            #expect(error == refusal)
        }
    }

    /// What somebody could do to a proof, and the fault that tells of it.
    private func fault(
        of proof: EntryProof, against saved: LedgerHead? = nil
    ) -> EntryProofFault? {
        do throws(EntryProofFault) {
            try EntryProofRules.check(proof, against: saved)
            return nil
        } catch {
            return error
        }
    }

    @Test("a changed entry, a gap, a wrong hash and another head are told apart")
    func faults() throws {
        let fixture = try books()
        let good = try proof(fixture, 2)
        let other = try proof(fixture, 3)
        let swapped = EntryProof(
            entry: LedgerTransaction(
                sequence: 2, id: good.entry.id, entry: good.entry.entry,
                lines: good.entry.lines.reversed(), postedAt: good.entry.postedAt,
                previousHash: good.entry.previousHash, hash: good.entry.hash),
            following: good.following, head: good.head)
        #expect(fault(of: swapped) == .entryChanged)
        func with(_ following: [[UInt8]], _ head: LedgerHead? = nil) -> EntryProof {
            EntryProof(entry: good.entry, following: following, head: head ?? good.head)
        }
        #expect(fault(of: with(Array(good.following.dropFirst()))) == .numbersBroken)
        #expect(fault(of: with(Array(good.following.dropLast()))) == .numbersBroken)
        #expect(fault(of: with(good.following + [good.following[3]])) == .numbersBroken)
        #expect(fault(of: with([[]] + good.following.dropFirst())) == .numbersBroken)
        var changed = good.following
        changed[1][40] ^= 1
        #expect(fault(of: with(changed)) == .chainBroken)
        changed = good.following
        changed[3].append(0)
        #expect(fault(of: with(changed)) == .chainBroken)
        let forged = LedgerHead(sequence: 6, hash: [UInt8](repeating: 7, count: 32))
        #expect(fault(of: with(good.following, forged)) == .chainBroken)
        let later = LedgerHead(sequence: 7, hash: good.head.hash)
        #expect(fault(of: with(good.following, later)) == .numbersBroken)
        #expect(
            fault(of: EntryProof(entry: good.entry, following: other.following, head: other.head))
                == .numbersBroken)
        let kept = LedgerHead(sequence: 5, hash: try fixture.transactions()[4].hash)
        #expect(fault(of: good, against: kept) == .otherHead)
        #expect(fault(of: try proof(fixture, 2, through: 5), against: kept) == nil)
    }

    @Test("a head is read as it is written, and nothing else is one")
    func heads() throws {
        let hash = String(repeating: "0a", count: 32)
        let head = try #require(LedgerHead("7:" + hash))
        #expect(head.description == "7:" + hash)
        let wrong = ["", ":", "7", "7:", ":" + hash, "-1:" + hash, "7:\(hash)0a", "7:x" + hash]
        for text in wrong + ["7:\(hash):", "7:\(hash.dropLast())g", "x:" + hash] {
            #expect(LedgerHead(text) == nil, "\(text)")
        }
    }
}
