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

    @Test("refunds add up to the conversion's amount at most")
    func refundTotals() throws {
        let money = { (amount: Int64) in Money(amount: amount, currency: Self.usd) }
        let sold = Self.conversion(refunded: 400)
        func total(_ amount: Money, as kind: Refund.Kind = .refund) throws -> Int64 {
            try ConversionRules.refundedTotal(
                of: sold, adding: amount, as: kind, isRefunded: true)
        }
        #expect(try total(money(600)) == 1000)
        #expect(throws: ConversionRefusal.refundTooLarge(left: 600)) { try total(money(601)) }
        #expect(throws: ConversionRefusal.refundTooLarge(left: 600)) {
            try total(money(0), as: .cancellation)
        }
        #expect(throws: ConversionRefusal.otherCurrency(expected: Self.usd)) {
            try total(Money(amount: 1, currency: Self.eur))
        }
        #expect(ConversionRules.refundedPart(of: sold, isRefunded: true) == (400, 1000))
    }

    @Test("a conversion of nothing can be cancelled once, which takes all of it")
    func cancelledNothing() throws {
        let nothing = Self.conversion(amount: 0, refunded: 0)
        func total(_ kind: Refund.Kind, isRefunded: Bool) throws -> Int64 {
            try ConversionRules.refundedTotal(
                of: nothing, adding: nothing.amount, as: kind, isRefunded: isRefunded)
        }
        #expect(try total(.cancellation, isRefunded: false) == 0)
        for (kind, isRefunded) in [
            (Refund.Kind.cancellation, true), (.refund, false), (.chargeback, false),
        ] {
            #expect(throws: ConversionRefusal.refundTooLarge(left: 0)) {
                try total(kind, isRefunded: isRefunded)
            }
        }
        #expect(ConversionRules.refundedPart(of: nothing, isRefunded: false) == (0, 1))
        #expect(ConversionRules.refundedPart(of: nothing, isRefunded: true) == (1, 1))
    }

    @Test("a repeated refund must be the same in conversion, kind and amount")
    func repeatedRefund() {
        let known = Refund(
            id: RefundID(high: 0, low: 9), program: ProgramID(high: 0, low: 2),
            conversion: ConversionID(high: 0, low: 1), externalID: "refund-1", kind: .refund,
            amount: 5, reason: nil, createdAt: Self.now)
        func check(_ conversion: UInt64, _ kind: Refund.Kind, _ amount: Int64) -> ConversionRefusal?
        {
            refusal {
                () throws(ConversionRefusal) in
                try ConversionRules.checkSame(
                    known, conversion: ConversionID(high: 0, low: conversion), kind: kind,
                    amount: amount)
            }
        }
        #expect(check(1, .refund, 5) == nil)
        #expect(check(2, .refund, 5) == .refundDiffers(field: "conversion"))
        #expect(check(1, .chargeback, 5) == .refundDiffers(field: "kind"))
        #expect(check(1, .refund, 6) == .refundDiffers(field: "amount"))
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
