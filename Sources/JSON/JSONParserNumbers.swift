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
        let mantissa = digitsStart..<place
        let exponent = try parseExponent(of: start)
        guard place - start <= limits.numberDigitsMax else {
            throw JSONError(.numberTooLong, at: start, "a number is too long")
        }
        let number = ExactInteger(
            mantissa: input[mantissa], exponent: exponent - fractionDigits, isNegative: isNegative)
        if let value = number.value { return .integer(value) }
        let literal = UnsafeBufferPointer(rebasing: input[start..<place])
        return .number(String(decoding: literal, as: UTF8.self))
    }

    private mutating func skipDigits() {
        while place < input.count, input[place] &- UInt8(ascii: "0") < 10 { place += 1 }
    }

    /// The exponent if there is one, else 0. Bounded: beyond a million the size is settled anyway.
    private mutating func parseExponent(of start: Int) throws(JSONError) -> Int {
        guard next == UInt8(ascii: "e") || next == UInt8(ascii: "E") else { return 0 }
        place += 1
        let isNegative = next == UInt8(ascii: "-")
        if isNegative || next == UInt8(ascii: "+") { place += 1 }
        let digitsStart = place
        var exponent = 0
        while place < input.count, input[place] &- UInt8(ascii: "0") < 10 {
            exponent = min(exponent * 10 + Int(input[place] - UInt8(ascii: "0")), 1_000_000_000)
            place += 1
        }
        guard place > digitsStart else {
            throw JSONError(.syntax, at: start, "an exponent without a digit")
        }
        return isNegative ? -exponent : exponent
    }
}

/// `mantissa` (digits, perhaps with a point that counts for nothing here) times ten to `exponent`.
private struct ExactInteger {
    let mantissa: Slice<UnsafeBufferPointer<UInt8>>
    let exponent: Int
    let isNegative: Bool

    /// The number as an Int64, nil when it has a fraction or does not fit.
    var value: Int64? {
        var magnitude: UInt64 = 0
        // Zeros are held back until a digit follows, so that 1.000 and 10e-1 stay exact.
        var zeros = 0
        for byte in mantissa where byte != UInt8(ascii: ".") {
            let digit = UInt64(byte - UInt8(ascii: "0"))
            if digit == 0 {
                zeros += 1
                continue
            }
            guard let shifted = ExactInteger.shift(magnitude, by: zeros + 1) else { return nil }
            let (sum, overflow) = shifted.addingReportingOverflow(digit)
            guard !overflow else { return nil }
            (magnitude, zeros) = (sum, 0)
        }
        guard magnitude > 0 else { return 0 }
        let scale = exponent + zeros
        guard scale >= 0, let whole = ExactInteger.shift(magnitude, by: scale) else { return nil }
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
