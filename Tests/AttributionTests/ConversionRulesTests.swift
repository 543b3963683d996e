import JSON
import Model
import Testing

@testable import Attribution

/// Rules of conversions and refunds, one refusal each.
struct ConversionRulesTests {
    static let now = Instant(milliseconds: 1_800_000_000_000)
    static let usd = Currency("USD") ?? Currency.all[0]
    static let eur = Currency("EUR") ?? Currency.all[0]

    static func conversion(amount: Int64 = 1000, refunded: Int64 = 0) -> Conversion {
        Conversion(
            id: ConversionID(high: 0, low: 1), program: ProgramID(high: 0, low: 2),
            externalID: "order-1", customer: CustomerID(high: 0, low: 3), lead: nil, click: nil,
            ref: nil, kind: .purchase, amount: Money(amount: amount, currency: usd),
            refundedAmount: refunded, occurredAt: now, metadata: [:], createdAt: now)
    }

    @Test("a further report must say the same in kind, amount, customer, lead and time")
    func repeated() {
        let known = Self.conversion()
        func time(_ hours: Int64) -> Instant {
            Self.now.advanced(byMilliseconds: hours * 3_600_000)
        }
        func check(
            kind: Conversion.Kind = .purchase, amount: Int64 = 1000, at hours: Int64? = nil,
            customer: String? = nil, email: String? = nil, subscription: String? = nil
        ) -> ConversionRefusal? {
            refusal {
                () throws(ConversionRefusal) in
                try ConversionRules.checkSame(
                    known,
                    [
                        SaleReport(
                            occurredAt: Self.now, customerID: "c1", email: nil, hints: [:]),
                        SaleReport(
                            occurredAt: time(20), customerID: nil, email: "g@x.example",
                            hints: [:]),
                    ],
                    as: SaleReport(
                        occurredAt: hours.map(time), customerID: customer, email: email,
                        hints: [:]),
                    kind: kind, amount: Money(amount: amount, currency: Self.usd),
                    subscription: subscription)
            }
        }
        #expect(check() == nil)
        #expect(check(at: 0, customer: "c1", email: "g@x.example", subscription: "s") == nil)
        #expect(check(kind: .renewal) == .differs(field: "kind"))
        #expect(check(amount: 999) == .differs(field: "amount"))
        #expect(check(customer: "c2") == .differs(field: "customer"))
        #expect(check(customer: "c1", email: "h@x.example") == .differs(field: "customer"))
        // All three lie within a day, or the newest says otherwise.
        #expect(check(at: 23) == nil)
        #expect(check(at: -3) == nil)
        #expect(check(at: -4) == .differs(field: "occurred_at"))
        #expect(check(at: 24) == .differs(field: "occurred_at"))
    }

    @Test("a conversion is in the program's currency and not in the future")
    func facts() {
        func check(_ currency: Currency, later: Int64) -> ConversionRefusal? {
            refusal {
                () throws(ConversionRefusal) in
                try ConversionRules.check(
                    amount: Money(amount: 1, currency: currency), currency: Self.usd,
                    occurredAt: Self.now.advanced(byMilliseconds: later), now: Self.now)
            }
        }
        #expect(check(Self.usd, later: 0) == nil)
        #expect(check(Self.eur, later: 0) == .otherCurrency(expected: Self.usd))
        #expect(check(Self.usd, later: 1) == .inTheFuture)
    }

    private static func refund(
        _ asked: Int64?, _ kind: Refund.Kind = .refund
    ) -> Refund {
        Refund(
            id: RefundID(high: 0, low: 9), program: ProgramID(high: 0, low: 2),
            externalID: "refund-1", conversionExternalID: "order-1",
            conversion: ConversionID(high: 0, low: 1), kind: kind, asked: asked, currency: usd,
            reason: nil, createdAt: now)
    }

    @Test("refunds take together what they ask for, and never more than the sale")
    func refundTotals() throws {
        let sale = Money(amount: 1_000, currency: Self.usd)
        let none = RefundTotal(asked: 0, sale: sale)
        #expect(none.part == (0, 1_000) && !none.isWhole)
        let part = try none.adding(Self.refund(400))
        #expect(part.part == (400, 1_000) && !part.isWhole)
        let whole = try part.adding(Self.refund(nil, .chargeback))
        #expect(whole.part == (1_000, 1_000) && whole.isWhole && whole.asked == 1_400)
        // The chargeback is in force as long as it is not reversed itself.
        #expect(whole.removing(Self.refund(400)).refunded == 1_000)
        #expect(whole.removing(Self.refund(nil)) == part)
        #expect(throws: MoneyError.overflow) {
            try RefundTotal(asked: .max, sale: sale).adding(Self.refund(1))
        }
    }

    @Test("a sale of nothing can be cancelled, and stands without that")
    func cancelledNothing() throws {
        let none = RefundTotal(asked: 0, sale: Money(amount: 0, currency: Self.usd))
        #expect(none.part == (0, 1) && !none.isWhole)
        let cancelled = try none.adding(Self.refund(nil, .cancellation))
        #expect(cancelled.part == (1, 1) && cancelled.isWhole && cancelled.refunded == 0)
        #expect(cancelled.removing(Self.refund(nil, .cancellation)) == none)
        #expect(try none.adding(Self.refund(nil, .chargeback)) == none)
        #expect(throws: ConversionRefusal.self) {
            try ConversionRules.checkRefund(nil, as: .refund, of: none.sale)
        }
        try ConversionRules.checkRefund(nil, as: .cancellation, of: none.sale)
    }

    @Test("one refund asks for the whole sale at most, in its currency")
    func tooLarge() {
        let sale = Money(amount: 1_000, currency: Self.usd)
        func check(_ amount: Money?) -> ConversionRefusal? {
            refusal {
                () throws(ConversionRefusal) in
                try ConversionRules.checkRefund(amount, of: sale)
            }
        }
        #expect(check(nil) == nil && check(sale) == nil)
        #expect(
            check(Money(amount: 1_001, currency: Self.usd)) == .refundTooLarge(whole: sale))
        #expect(
            check(Money(amount: 1, currency: Self.eur)) == .otherCurrency(expected: Self.usd))
    }

    @Test("a repeated refund must be the same in sale, kind and amount")
    func repeatedRefund() {
        func check(
            _ known: Refund, _ sale: String, _ kind: Refund.Kind, _ amount: Int64?
        ) -> ConversionRefusal? {
            refusal {
                () throws(ConversionRefusal) in
                try ConversionRules.checkSame(
                    known, conversion: sale, kind: kind, amount: amount, whole: 1_000)
            }
        }
        let known = Self.refund(5)
        #expect(check(known, "order-1", .refund, 5) == nil)
        #expect(check(known, "order-2", .refund, 5) == .refundDiffers(field: "conversion"))
        #expect(check(known, "order-1", .chargeback, 5) == .refundDiffers(field: "kind"))
        #expect(check(known, "order-1", .refund, 6) == .refundDiffers(field: "amount"))
        #expect(check(known, "order-1", .refund, nil) == .refundDiffers(field: "amount"))
        // Without an amount, and with all of it, is the same.
        #expect(check(Self.refund(nil), "order-1", .refund, 1_000) == nil)
        #expect(check(Self.refund(1_000), "order-1", .refund, nil) == nil)
    }

    @Test("a refunded order that comes again with another time was paid after all, or is asked for")
    func paidAfterAll() {
        let known = Self.conversion(refunded: 1_000)
        let refund = RefundID(high: 0, low: 9)
        func check(_ time: Instant?, _ refund: RefundID?) -> ConversionRefusal? {
            refusal {
                () throws(ConversionRefusal) in
                try ConversionRules.checkStands(known, occurredAt: time, refundedBy: refund)
            }
        }
        #expect(check(nil, nil) == nil && check(Self.now, refund) == nil)
        #expect(check(nil, refund) == .cancelled(by: refund))
        #expect(
            check(Self.now.advanced(byMilliseconds: 1), refund) == .cancelled(by: refund))
    }

    private func refusal(
        _ body: () throws(ConversionRefusal) -> Void
    ) -> ConversionRefusal? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
