import Model
import Testing

@Suite("Currency and Money")
struct MoneyTests {
    private let usd: Currency
    private let jpy: Currency
    private let kwd: Currency

    init() throws {
        usd = try #require(Currency("USD"))
        jpy = try #require(Currency("JPY"))
        kwd = try #require(Currency("KWD"))
    }

    @Test("a code is read in either case and written in upper case")
    func codes() {
        #expect(Currency("usd") == usd)
        #expect(Currency("uSd")?.code == "USD")
        #expect("\(usd)" == "USD")
    }

    @Test(
        "what is no code of a currency with a minor unit is refused",
        arguments: ["", "US", "USDX", "XXX", "XAU", "XTS", "ABC", "US1", "U D", "ÜSD", "[SD"])
    func badCodes(code: String) {
        #expect(Currency(code) == nil)
    }

    @Test("exponents are those of ISO 4217")
    func exponents() {
        let groups = [
            0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
            3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW", 2: "USD EUR GBP MGA MRU CHF SEK INR",
        ]
        for (exponent, codes) in groups {
            for code in codes.split(separator: " ") {
                #expect(Currency(code)?.exponent == exponent, "\(code)")
            }
        }
        #expect(Currency.all.filter { $0.exponent == 0 }.count == 17)
        #expect(Currency.all.filter { $0.exponent == 3 }.count == 7)
        #expect(Currency.all.filter { $0.exponent == 4 }.count == 2)
    }

    @Test("the list is in order, without repetition, and every code finds itself")
    func list() {
        let codes = Currency.all.map(\.code)
        #expect(codes == Set(codes).sorted())
        #expect(codes.allSatisfy { Currency($0)?.code == $0 })
        #expect(codes.count > 150)
    }

    @Test("points are a unit of stored amounts, and no currency that anybody may name")
    func points() {
        #expect(Currency("PTS") == nil && !Currency.all.contains(.points))
        #expect(Currency(stored: "PTS") == .points && Currency(stored: "USD") == usd)
        #expect(Currency(stored: "POINTS") == nil)
        #expect(Money(amount: 100, currency: .points).formatted == "100 PTS")
    }

    @Test("sums and differences are exact, and one that does not fit is an error")
    func arithmetic() throws {
        let one = Money(amount: 1, currency: usd)
        let most = Money(amount: .max, currency: usd)
        let least = Money(amount: .min, currency: usd)
        #expect(try one.adding(one).amount == 2)
        #expect(try one.subtracting(Money(amount: 3, currency: usd)).amount == -2)
        #expect(try most.negated().amount == -Int64.max)
        #expect(throws: MoneyError.overflow) { try most.adding(one) }
        #expect(throws: MoneyError.overflow) { try least.subtracting(one) }
        #expect(throws: MoneyError.overflow) { try least.negated() }
    }

    @Test("two currencies are never brought together")
    func currencies() {
        let dollars = Money(amount: 1, currency: usd)
        let yen = Money(amount: 1, currency: jpy)
        #expect(throws: MoneyError.currencyMismatch) { try dollars.adding(yen) }
        #expect(throws: MoneyError.currencyMismatch) { try dollars.subtracting(yen) }
        #expect(throws: MoneyError.currencyMismatch) { try dollars.isLess(than: yen) }
        #expect(dollars != yen)
    }

    @Test("amounts of one currency compare")
    func comparison() throws {
        let small = Money(amount: -5, currency: kwd)
        #expect(try small.isLess(than: .zero(kwd)))
        #expect(try !Money.zero(kwd).isLess(than: small))
        #expect(try !small.isLess(than: small))
    }

    @Test("the API takes sizes up to 2^53 - 1")
    func bounds() {
        #expect(Money(amount: Money.maximum, currency: usd).isInterchangeable)
        #expect(Money(amount: -Money.maximum, currency: usd).isInterchangeable)
        #expect(!Money(amount: Money.maximum + 1, currency: usd).isInterchangeable)
        #expect(!Money(amount: .min, currency: usd).isInterchangeable)
    }

    @Test(
        "amounts are written with the decimals of their currency",
        arguments: [
            (Int64(123_450), "USD", "1234.50 USD"), (5, "USD", "0.05 USD"), (0, "USD", "0.00 USD"),
            (-5, "EUR", "-0.05 EUR"), (-100, "EUR", "-1.00 EUR"), (1234, "JPY", "1234 JPY"),
            (-1, "JPY", "-1 JPY"), (1234, "KWD", "1.234 KWD"), (7, "KWD", "0.007 KWD"),
            (12_345, "CLF", "1.2345 CLF"), (.min, "USD", "-92233720368547758.08 USD"),
        ])
    func formatting(amount: Int64, code: String, text: String) throws {
        let currency = try #require(Currency(code))
        #expect(Money(amount: amount, currency: currency).formatted == text)
    }

    @Test(
        "basis points are rounded once, a half to the even neighbour",
        arguments: [
            (Int64(10_000), Int64(250), Int64(250)), (999, 1000, 100), (50, 100, 0), (150, 100, 2),
            (250, 100, 2), (251, 100, 3), (249, 100, 2), (-50, 100, 0), (-150, 100, -2),
            (-151, 100, -2), (-250, 100, -2), (-251, 100, -3), (1, 5000, 0), (3, 5000, 2),
            (3, -5000, -2), (0, 10_000, 0), (7, 0, 0), (.max, 10_000, .max), (.min, 10_000, .min),
            (.max, 5000, 4_611_686_018_427_387_904), (.max, 1, 922_337_203_685_478),
        ])
    func basisPoints(amount: Int64, points: Int64, result: Int64) throws {
        #expect(try Money(amount: amount, currency: usd).basisPoints(points).amount == result)
    }

    @Test(
        "basis points that do not fit are an error",
        arguments: [(Int64.max, Int64(10_001)), (.min, -10_000), (.max, .max), (.min, .min)])
    func basisPointsOverflow(amount: Int64, points: Int64) {
        #expect(throws: MoneyError.overflow) {
            try Money(amount: amount, currency: usd).basisPoints(points)
        }
    }
}

@Suite("Money.split")
struct MoneySplitTests {
    struct Row: Sendable {
        let total: Int64
        let weights: [Int64]
        let shares: [Int64]
    }

    private static let half: Int64 = 4_611_686_018_427_387_904

    private static let rows: [Row] = [
        Row(total: 100, weights: [1, 1, 1], shares: [34, 33, 33]),
        Row(total: 1001, weights: [40, 10, 10, 40], shares: [401, 100, 100, 400]),
        Row(total: 5, weights: [3, 7], shares: [2, 3]),
        Row(total: 0, weights: [1, 2], shares: [0, 0]),
        Row(total: 1, weights: [1, 1], shares: [1, 0]),
        Row(total: 2, weights: [1, 1, 1], shares: [1, 1, 0]),
        Row(total: 10, weights: [0, 1, 0], shares: [0, 10, 0]),
        Row(total: 7, weights: [1], shares: [7]),
        Row(total: -100, weights: [1, 1, 1], shares: [-34, -33, -33]),
        Row(total: -5, weights: [3, 7], shares: [-2, -3]),
        Row(total: .max, weights: [1, 1], shares: [half, half - 1]),
        Row(total: .max, weights: [.max, .max], shares: [half, half - 1]),
        Row(total: .min, weights: [1], shares: [.min]),
        Row(total: .min, weights: [.max, .max], shares: [-half, -half]),
        Row(total: 10, weights: [-5, 5], shares: [0, 10]),
        Row(total: 100, weights: [0, 0, 0], shares: [34, 33, 33]),
        Row(total: 3, weights: [-1, 0], shares: [2, 1]),
        Row(total: 100, weights: [], shares: []),
    ]

    @Test(
        "a total is split by the largest remainders, the earlier of equals first",
        arguments: rows)
    func table(row: Row) {
        #expect(Money.split(total: row.total, weights: row.weights) == row.shares)
    }

    @Test("shares add up to the total and lie within one unit of their exact value")
    func properties() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            let shift = Int64.random(in: 0..<64, using: &random)
            let total = Int64(bitPattern: random.next()) >> shift
            let weights = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                let shift = Int64.random(in: 0..<64, using: &random)
                return Int64.random(in: 0 ... .max, using: &random) >> shift
            }
            let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
            guard sum > 0 else { continue }
            let shares = Money.split(total: total, weights: weights)
            let context = "seed \(seed): \(total) by \(weights)"
            let sumOfShares = shares.reduce(Int128(0)) { $0 + Int128($1) }
            try #require(sumOfShares == Int128(total), "\(context)")
            for (share, weight) in zip(shares, weights) {
                // |share - total * weight / sum| < 1, without a fraction.
                let product = Int128(total) * Int128(weight)
                let quotient = product / sum
                try #require((Int128(share) - quotient).magnitude <= 1, "\(context)")
                try #require(weight > 0 || share == 0, "\(context)")
            }
            guard total > .min else { continue }
            let negated = Money.split(total: -total, weights: weights)
            try #require(negated == shares.map { -$0 }, "\(context)")
        }
    }
}
