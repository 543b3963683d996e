import Model
import Testing

@Suite("Splitting by largest remainder")
struct ApportionmentTests {
    @Test(
        "worked examples",
        arguments: [
            (1001, [40, 10, 10, 40], [401, 100, 100, 400]), (100, [1, 1, 1], [34, 33, 33]),
            (5, [3, 7], [2, 3]), (0, [1, 2], [0, 0]), (7, [0, 0], [0, 0]), (7, [0, 1], [0, 7]),
            (-100, [1, 1, 1], [-34, -33, -33]), (1, [], []),
        ] as [(Int64, [Int64], [Int64])])
    func examples(amount: Int64, parts: [Int64], expected: [Int64]) {
        #expect(Apportionment.split(amount, by: parts) == expected)
    }

    @Test("random splits add up, and nobody is off by a whole unit")
    func random() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let parts = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                Int64.random(in: 0...10_000, using: &generator)
            }
            let amount = Int64.random(in: 0...9_007_199_254_740_991, using: &generator)
            let shares = Apportionment.split(amount, by: parts)
            let whole = parts.reduce(0, +)
            guard whole > 0 else { continue }
            #expect(shares.reduce(0, +) == amount, "seed \(seed)")
            for (share, part) in zip(shares, parts) {
                let exact = Int128(amount) * Int128(part)
                #expect((Int128(share) * Int128(whole) - exact).magnitude < whole, "seed \(seed)")
            }
        }
    }
}
