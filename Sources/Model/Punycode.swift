/// Punycode (RFC 3492), the encoding half: labels in other scripts as ASCII.
public enum Punycode {
    /// The label in ASCII, `xn--…` where it has other letters, which are taken as they are; nil for
    /// one that is too long.
    public static func asciiLabel(_ label: Substring) -> String? {
        let scalars = Array(label.unicodeScalars)
        if scalars.allSatisfy(\.isASCII) { return String(label) }
        return encode(scalars).map { "xn--\($0)" }
    }

    private static let base: UInt32 = 36
    private static let thresholdMin: UInt32 = 1
    private static let thresholdMax: UInt32 = 26
    private static let skew: UInt32 = 38
    private static let damp: UInt32 = 700

    /// The encoding of `scalars` without the prefix `xn--` (section 6.3); nil when the arithmetic
    /// would overflow (section 6.4) or the label is longer than a label may be.
    static func encode(_ scalars: [Unicode.Scalar]) -> String? {
        guard scalars.count <= 63 else { return nil }
        var output = scalars.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
        let basicCount = UInt32(output.count)
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var handled = basicCount
        var bound: UInt32 = 128
        var delta: UInt32 = 0
        var bias: UInt32 = 72
        while handled < scalars.count {
            guard let next = scalars.lazy.map(\.value).filter({ $0 >= bound }).min() else {
                return nil
            }
            let (growth, overflow) = (next - bound).multipliedReportingOverflow(by: handled + 1)
            guard !overflow else { return nil }
            let (sum, sumOverflow) = delta.addingReportingOverflow(growth)
            guard !sumOverflow, sum < UInt32.max - 64 else { return nil }
            delta = sum
            bound = next
            for scalar in scalars {
                if scalar.value < bound { delta += 1 }
                guard scalar.value == bound else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            bound += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// `delta` as an integer of variable length (section 3.3).
    private static func append(_ delta: UInt32, bias: UInt32, to output: inout [UInt8]) {
        var rest = delta
        var position = base
        while true {
            let threshold =
                position <= bias
                ? thresholdMin
                : min(max(position - bias, thresholdMin), thresholdMax)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            position += base
        }
        output.append(digit(rest))
    }

    /// Section 6.1.
    private static func adapted(_ delta: UInt32, count: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var steps: UInt32 = 0
        while delta > (base - thresholdMin) * thresholdMax / 2 {
            delta /= base - thresholdMin
            steps += base
        }
        return steps + (base - thresholdMin + 1) * delta / (delta + skew)
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        return value < 26 ? UInt8(ascii: "a") + value : UInt8(ascii: "0") + value - 26
    }
}
