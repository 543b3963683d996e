// The number half of the parser: RFC 8259 section 6, without ever going through Double.

extension JSONParser {
    /// A number literal at `place`, which holds a minus sign or a digit.
    mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = place
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { place += 1 }
        let digitsStart = place
        skipDigits()
        let wholeDigits = place - digitsStart
        guard wholeDigits > 0 else {
            throw JSONError(.syntax, at: start, "a minus sign without a digit")
        }
        guard wholeDigits == 1 || input[digitsStart] != UInt8(ascii: "0") else {
            throw JSONError(.syntax, at: start, "a number starts with a needless zero")
        }
        var fractionDigits = 0
        if next == UInt8(ascii: ".") {
            place += 1
            let fractionStart = place
            skipDigits()
            fractionDigits = place - fractionStart
            guard fractionDigits > 0 else {
                throw JSONError(.syntax, at: start, "a decimal point without a digit after it")
            }
        }
        let digits = digitsStart..<place
        try skipExponent(of: start)
        guard place - start <= limits.numberDigitsMax else {
            throw JSONError(.numberTooLong, at: start, "a number is too long")
        }
        // Written in digits alone; minus zero is not.
        if digits.upperBound == place, fractionDigits == 0,
            let value = ExactInteger.value(input[digits], isNegative: isNegative),
            value != 0 || !isNegative
        {
            return .integer(value)
        }
        let literal = UnsafeBufferPointer(rebasing: input[start..<place])
        return .number(String(decoding: literal, as: UTF8.self))
    }

    private mutating func skipDigits() {
        while place < input.count, input[place] &- UInt8(ascii: "0") < 10 { place += 1 }
    }

    /// The exponent if there is one.
    private mutating func skipExponent(of start: Int) throws(JSONError) {
        guard next == UInt8(ascii: "e") || next == UInt8(ascii: "E") else { return }
        place += 1
        if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { place += 1 }
        let digitsStart = place
        skipDigits()
        guard place > digitsStart else {
            throw JSONError(.syntax, at: start, "an exponent without a digit")
        }
    }
}

/// Whole numbers, found without ever rounding.
enum ExactInteger {
    /// The Int64 that a JSON number stands for, however it is spelled (`100.0`, `1e2`, `-0`); nil
    /// when it has a fraction or does not fit.
    static func value(of literal: String) -> Int64? {
        let bytes = Array(literal.utf8)
        let isNegative = bytes.first == UInt8(ascii: "-")
        let unsigned = isNegative ? bytes.dropFirst() : bytes[...]
        let mantissa = unsigned.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let fractionDigits = mantissa.firstIndex(of: UInt8(ascii: ".")).map {
            mantissa.endIndex - $0 - 1
        }
        let exponent = exponent(unsigned.dropFirst(mantissa.count).dropFirst())
        return value(
            mantissa, exponent: exponent - (fractionDigits ?? 0), isNegative: isNegative)
    }

    /// Bounded: beyond a billion the size is settled anyway.
    private static func exponent(_ bytes: ArraySlice<UInt8>) -> Int {
        var exponent = 0
        for byte in bytes where byte &- UInt8(ascii: "0") < 10 {
            exponent = min(exponent * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000_000)
        }
        return bytes.first == UInt8(ascii: "-") ? -exponent : exponent
    }

    /// `mantissa` (digits, perhaps with a point that counts for nothing here) times ten to
    /// `exponent`.
    static func value(
        _ mantissa: some Sequence<UInt8>, exponent: Int = 0, isNegative: Bool
    ) -> Int64? {
        var magnitude: UInt64 = 0
        // Zeros are held back until a digit follows, so that 1.000 and 10e-1 stay exact.
        var zeros = 0
        for byte in mantissa where byte != UInt8(ascii: ".") {
            let digit = UInt64(byte - UInt8(ascii: "0"))
            if digit == 0 {
                zeros += 1
                continue
            }
            guard let shifted = shift(magnitude, by: zeros + 1) else { return nil }
            let (sum, overflow) = shifted.addingReportingOverflow(digit)
            guard !overflow else { return nil }
            (magnitude, zeros) = (sum, 0)
        }
        guard magnitude > 0 else { return 0 }
        let scale = exponent + zeros
        guard scale >= 0, let whole = shift(magnitude, by: scale) else { return nil }
        guard isNegative else { return Int64(exactly: whole) }
        return whole == Int64.min.magnitude ? .min : Int64(exactly: whole).map { -$0 }
    }

    /// `value` times ten to `places`, nil when it does not fit.
    private static func shift(_ value: UInt64, by places: Int) -> UInt64? {
        guard value > 0 else { return 0 }
        guard places < 20 else { return nil }
        var value = value
        for _ in 0..<places {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
        }
        return value
    }
}
