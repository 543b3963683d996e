import Database
import Model
import Testing

@testable import RewardLedger

/// Benefits of a sale whose credit is decided again, and of which money goes back and returns.
@Suite struct BenefitBookTests {
    private let fixture: LedgerFixture
    private let ada: ParticipantID
    private let ben: ParticipantID

    init() throws {
        fixture = try LedgerFixture(holdDays: 7)
        ada = try fixture.participant()
        ben = try fixture.participant()
    }

    /// A perk for a participant, which cannot be divided.
    private func perk(_ recipient: RewardRule.Recipient = .referrer) throws {
        var terms = RewardTerms(
            trigger: .conversion, recipient: recipient, kind: .perk, rate: nil,
            conversionKinds: nil)
        terms.gift.description = "A day at the sea"
        try fixture.rule(terms)
        fixture.advance(milliseconds: 1)
    }

    private struct Sale {
        let id: ConversionID
        let customer: CustomerID
        let recordedAt: Instant
        let fixture: LedgerFixture

        func occasion(_ tx: Transaction) -> RewardOccasion {
            var occasion = fixture.occasion(conversion: id, attribution: tx.makeID())
            occasion.facts.customer = customer
            return occasion
        }

        func facts(_ credits: [Credit], refunded: Int64, _ tx: Transaction) -> RewardSale {
            fixture.sale(
                id, credits, refunded: refunded, of: 1_000, refund: tx.makeID(),
                recordedAt: recordedAt)
        }

        func refund(_ amount: Int64, _ credits: [Credit]) throws {
            try fixture.perform {
                try BenefitBook.settle(
                    facts(credits, refunded: amount, $0), actor: "test", $0)
            }
        }

        func decide(_ credits: [Credit], refunded: Int64 = 0) throws {
            try fixture.perform {
                try BenefitBook.correct(
                    occasion($0), of: facts(credits, refunded: refunded, $0), $0)
            }
        }

        func void() throws {
            try fixture.perform { tx in
                let open = try BenefitStore.oldest(of: id, limit: 9, tx).first {
                    $0.state != .voided
                }
                guard let open else { throw MissingRow() }
                _ = try BenefitBook.void(open, .person, reason: "no", actor: "test", tx)
            }
        }

        /// Whose benefits count.
        func owners() throws -> [ParticipantID?] {
            try fixture.perform {
                try BenefitStore.oldest(of: id, limit: 9, $0).filter { $0.state != .voided }
                    .map(\.owner.participant)
            }
        }
    }

    private func credits(_ ada: Int64, _ ben: Int64) -> [Credit] {
        [
            Credit(participant: self.ada, parts: ada, base: fixture.money(ada)),
            Credit(participant: self.ben, parts: ben, base: fixture.money(ben)),
        ].filter { $0.parts > 0 }
    }

    private func sell(_ credits: [Credit]) throws -> Sale {
        try fixture.perform { [fixture] tx in
            let sale = Sale(
                id: tx.makeID(), customer: tx.makeID(), recordedAt: tx.now, fixture: fixture)
            try BenefitBook.grant(sale.occasion(tx), to: credits, tx)
            return sale
        }
    }

    @Test(
        "what a person voided is not given again to the same owner, whatever is decided later",
        arguments: [RewardRule.Recipient.referrer, .referee])
    func refused(by recipient: RewardRule.Recipient) throws {
        try perk(recipient)
        let sale = try sell(credits(1_000, 0))
        try sale.void()
        try sale.decide(credits(1_000, 0))
        #expect(try sale.owners() == [])
        // Who has the credit now was not refused.
        try sale.decide(credits(0, 1_000))
        #expect(try sale.owners() == (recipient == .referrer ? [ben] : []))
        try sale.decide(credits(1_000, 0))
        #expect(try sale.owners() == [])
    }

    @Test("a refund that is reversed does not give twice what was decided again meanwhile")
    func reversedRefund() throws {
        try perk()
        let sale = try sell(credits(1_000, 0))
        try sale.refund(1_000, credits(1_000, 0))
        #expect(try sale.owners() == [])
        try sale.decide(credits(400, 600), refunded: 1_000)
        #expect(try sale.owners() == [])
        try sale.refund(0, credits(400, 600))
        #expect(try sale.owners() == [ada])
    }

    @Test("a sale of which a person voided a benefit is decided, as one whose reward was refused")
    func decided() throws {
        try perk()
        let sale = try sell(credits(1_000, 0))
        func isDecided() throws -> Bool {
            try fixture.perform { try BenefitStore.isDecided(of: sale.id, $0) }
        }
        #expect(try !isDecided())
        try sale.refund(1_000, credits(1_000, 0))
        #expect(try !isDecided())
        try sale.refund(0, credits(1_000, 0))
        try sale.void()
        #expect(try isDecided())
    }

    @Test("what cannot be divided goes to the one whose credits together are most")
    func most() throws {
        try perk()
        let sale = try sell(credits(300, 400) + credits(300, 0))
        #expect(try sale.owners() == [ada])
    }
}
