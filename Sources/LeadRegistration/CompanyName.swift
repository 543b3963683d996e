/// A company's name in one spelling for all that are written differently: case, accents,
/// punctuation, `&`, invisible characters, a leading `the` and the legal form at the end do not
/// count.
public struct CompanyName: Hashable, Sendable {
    /// Words of lower-case letters and digits with single spaces between them; never empty.
    public let normalized: String

    /// Nil when nothing is left to tell the company by.
    public init?(_ text: String) {
        var words = CompanyName.words(text)
        if words.count > 1, words.first == "the" { words.removeFirst() }
        while let length = CompanyName.formLength(words) { words.removeLast(length) }
        guard !words.isEmpty else { return nil }
        normalized = words.joined(separator: " ")
    }

    public var firstWord: String { String(normalized.prefix { $0 != " " }) }

    /// Whether both may be one company: equal without spaces, or at most one letter in eight typed
    /// differently.
    public func isSimilar(to other: CompanyName) -> Bool {
        let (left, right) = (
            normalized.unicodeScalars.filter { $0 != " " }.map(\.value),
            other.normalized.unicodeScalars.filter { $0 != " " }.map(\.value)
        )
        if left == right { return true }
        let allowed = max(left.count, right.count) / 8
        guard allowed > 0, abs(left.count - right.count) <= allowed else { return false }
        return CompanyName.distance(left, right) <= allowed
    }

    /// `S.A.` is one word; other marks part words.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        func end() {
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for scalar in text.lowercased().unicodeScalars {
            if let plain = folds[scalar] {
                word += plain
            } else if scalar == "&" || scalar == "+" {
                end()
                words.append("and")
            } else if scalar == "." || scalar == "'" || scalar == "\u{2019}" {
                continue
            } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                word.unicodeScalars.append(scalar)
            } else if [.nonspacingMark, .format].contains(scalar.properties.generalCategory) {
                // An accent of its own, after its letter; or what nobody sees.
                continue
            } else {
                end()
            }
        }
        end()
        return words
    }

    /// How many words the legal form at the end has; nil without one, or when there is no more than
    /// that.
    private static func formLength(_ words: [String]) -> Int? {
        (1...3).reversed().first { length in
            words.count > length
                && legalForms.contains(words.suffix(length).joined(separator: " "))
        }
    }

    /// As `words` gives them: `sp. z o.o.` is `sp z oo`.
    private static let legalForms: Set<String> = [
        "a s", "ab", "ag", "and co", "aps", "as", "asa", "bhd", "bv", "bvba", "co", "company",
        "corp", "corporation", "de cv", "de rl", "dd", "doo", "eirl", "eood", "eurl", "gmbh",
        "gmbh and co", "hf", "inc", "incorporated", "jsc", "kft", "kg", "kgaa", "kk", "limited",
        "llc", "llp", "lp", "ltd", "ltda", "mbh", "n v", "nv", "ohg", "ood", "ou", "oy", "oyj",
        "plc", "pte", "pty", "pvt", "s a", "s l", "s p a", "s r l", "s r o", "sa", "sab", "sapi",
        "sarl", "sas", "sdn", "sdn bhd", "se", "sl", "slu", "sp zoo", "sp z oo", "spa", "srl",
        "srls", "sro", "uab", "ug", "zrt",
    ]

    private static let folds: [Unicode.Scalar: String] = {
        let letters: [(String, String)] = [
            ("àáâãäåāăąǎ", "a"), ("çćĉċč", "c"), ("ďđð", "d"), ("èéêëēĕėęě", "e"), ("ĝğġģ", "g"),
            ("ĥħ", "h"), ("ìíîïĩīĭįı", "i"), ("ĵ", "j"), ("ķ", "k"), ("ĺļľŀł", "l"),
            ("ñńņňŉ", "n"), ("òóôõöøōŏőơ", "o"), ("ŕŗř", "r"), ("śŝşšș", "s"), ("ţťŧț", "t"),
            ("ùúûüũūŭůűųư", "u"), ("ŵ", "w"), ("ýÿŷ", "y"), ("źżž", "z"), ("ß", "ss"), ("æ", "ae"),
            ("œ", "oe"), ("þ", "th"),
        ]
        var folds: [Unicode.Scalar: String] = [:]
        for (from, to) in letters {
            for scalar in from.unicodeScalars { folds[scalar] = to }
        }
        // The Vietnamese letters: 12 for a, 8 for e and so on, capital and small by turns.
        let runs: [(String, Int)] = [
            ("a", 12), ("e", 8), ("i", 2), ("o", 12), ("u", 7), ("y", 4),
        ]
        var value: UInt32 = 0x1EA0
        for (letter, count) in runs {
            for _ in 0..<(2 * count) {
                Unicode.Scalar(value).map { folds[$0] = letter }
                value += 1
            }
        }
        return folds
    }()

    /// Levenshtein's. Names have at most some hundred letters.
    private static func distance(_ left: [UInt32], _ right: [UInt32]) -> Int {
        var row = Array(0...right.count)
        for (place, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for (column, other) in right.enumerated() {
                let cost = letter == other ? diagonal : diagonal + 1
                diagonal = row[column + 1]
                row[column + 1] = min(cost, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
