/// Weights that halve with age, in whole numbers alone, so that the same ages give the same parts
/// on every machine (R126).
///
/// A touch that is `age` older than the newest one has the weight 2^(-age / halfLife), and the
/// parts `floor(2^40 * weight)`: 2^40 for the newest, half of that one half-life before it. Ages
/// are taken from the newest touch and not from the conversion, which gives the same shares,
/// because a distance that all have cancels out. A touch more than 40 half-lives older has no part.
///
/// With `age = halves * halfLife + rest`, the weight is exp(-ln 2 * rest / halfLife), by its power
/// series in fixed point with 120 binary digits, shifted right by `halves`. All steps together are
/// off by less than 2^-113, so the floor is the true one unless the true value lies that close
/// above a whole number; and they are operations on whole numbers, so every machine makes the same.
enum TimeDecay {
    /// The parts of the newest touch.
    static let whole: Int64 = 1 << 40

    /// Parts of a touch that is `age` older than the newest, both in milliseconds.
    static func parts(age: Int64, halfLife: Int64) -> Int64 {
        guard age > 0, halfLife > 0 else { return whole }
        let (halves, rest) = age.quotientAndRemainder(dividingBy: halfLife)
        guard halves <= 40 else { return 0 }
        return Int64(power(rest, halfLife) >> UInt128(fraction - 40 + halves))
    }

    /// Binary digits after the point.
    private static let fraction: Int64 = 120
    private static let one: UInt128 = 1 << 120
    /// floor(ln 2 * 2^120).
    private static let ln2: UInt128 = 921_350_637_599_661_305_226_344_307_672_478_454

    /// 2^(-rest / halfLife) for a rest below the half-life.
    private static func power(_ rest: Int64, _ halfLife: Int64) -> UInt128 {
        let shifted = UInt128(rest).multipliedFullWidth(by: one)
        let ratio = UInt128(halfLife).dividingFullWidth(shifted).quotient
        let exponent = product(ratio, ln2)
        var term = one
        var sum = one
        var step: UInt128 = 1
        while true {
            term = product(term, exponent) / step
            if term == 0 { return sum }
            // The sum never falls below one half, and the terms shrink from the first on.
            if step.isMultiple(of: 2) { sum += term } else { sum -= term }
            step += 1
        }
    }

    private static func product(_ left: UInt128, _ right: UInt128) -> UInt128 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high << 8 | low >> 120
    }
}
