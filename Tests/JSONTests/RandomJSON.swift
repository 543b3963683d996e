import JSON

/// SplitMix64: the same seed gives the same run, and the seed is printed by a failing test.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Random JSON values that the strict parser accepts.
enum RandomJSON {
    private static let numbers = ["0.5", "-1.25e-7", "1e400", "18446744073709551616", "123.456"]
    private static let scalars: [Unicode.Scalar] = [
        "a", "\"", "\\", "/", "\n", "\u{1}", "\u{1F}", "\u{7F}", "é", "\u{301}", "\u{2028}", "漢",
        "\u{FFFF}", "😀", "\u{10FFFF}", " ", "~", "0",
    ]

    static func value(depth: Int, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            let shift = Int64.random(in: 0..<64, using: &random)
            return .integer(Int64(bitPattern: random.next()) >> shift)
        case 3: return .number(numbers[Int.random(in: 0..<numbers.count, using: &random)])
        case 4, 5: return .string(text(using: &random))
        case 6:
            let count = Int.random(in: 0..<5, using: &random)
            return .array((0..<count).map { _ in value(depth: depth - 1, using: &random) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                object[text(using: &random)] = value(depth: depth - 1, using: &random)
            }
            return .object(object)
        }
    }

    static func text(using random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            text.unicodeScalars.append(scalars[Int.random(in: 0..<scalars.count, using: &random)])
        }
        return text
    }
}
