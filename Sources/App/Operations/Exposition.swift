import Database

/// Prometheus text format 0.0.4: HELP and TYPE first, a family's samples together.
struct Exposition {
    private var text = ""

    var bytes: [UInt8] { Array(text.utf8) }

    /// The families of another one behind these.
    mutating func append(_ other: Exposition) { text += other.text }

    enum Kind: String { case counter, gauge, histogram }

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name + Exposition.render(labels) + " " + Exposition.number(value) + "\n"
    }

    /// A family of one sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, [], value)
    }

    /// The samples of one histogram; `counts` has one element more than `bounds`.
    mutating func histogram(
        _ name: String, _ labels: [(String, String)] = [], bounds: [Double], counts: [UInt64],
        sum: Double
    ) {
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? Exposition.number(bounds[index]) : "+Inf"
            sample(name + "_bucket", labels + [("le", bound)], Double(total))
        }
        sample(name + "_sum", labels, sum)
        sample(name + "_count", labels, Double(total))
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, .histogram, help)
        self.histogram(
            name, bounds: histogram.bounds, counts: histogram.counts, sum: histogram.sum)
    }

    private static func render(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.map { name, value in
            var escaped = ""
            for character in value.unicodeScalars {
                switch character {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.unicodeScalars.append(character)
                }
            }
            return "\(name)=\"\(escaped)\""
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    /// Whole numbers without a fraction.
    private static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }
}
