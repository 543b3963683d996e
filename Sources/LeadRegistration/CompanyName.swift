/// A company's name in one spelling for all that are written differently: case, accents,
/// punctuation, `&`, a leading `the` and the legal form at the end do not count.
public struct CompanyName: Hashable, Sendable {
    /// Words of lower-case letters and digits with single spaces between them; never empty.
    public let normalized: String

    /// Nil when nothing is left to tell the company by.
    public init?(_ text: String) {
        var words = CompanyName.words(text)
        if words.count > 1, words.first == "the" { words.removeFirst() }
        while words.count > 1 {
            if let pair = CompanyName.joined(words), words.count > 2,
                CompanyName.legalForms.contains(pair)
            {
                words.removeLast(2)
            } else if let last = words.last, CompanyName.legalForms.contains(last) {
                words.removeLast()
            } else {
                break
            }
        }
        guard !words.isEmpty else { return nil }
        normalized = words.joined(separator: " ")
    }

    public var firstWord: String { String(normalized.prefix { $0 != " " }) }

    /// Whether both may be one company: equal without spaces, or at most one letter in eight typed
    /// differently.
    public func isSimilar(to other: CompanyName) -> Bool {
        let (left, right) = (
            Array(normalized.utf8.filter { $0 != 0x20 }),
            Array(other.normalized.utf8.filter { $0 != 0x20 })
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
            } else if scalar.properties.generalCategory == .nonspacingMark {
                // An accent of its own, after its letter.
                continue
            } else {
                end()
            }
        }
        end()
        return words
    }

    private static func joined(_ words: [String]) -> String? {
        words.count > 1 ? words.suffix(2).joined(separator: " ") : nil
    }

    private static let legalForms: Set<String> = [
        "ab", "ag", "aps", "as", "asa", "bhd", "bv", "bvba", "co", "company", "corp",
        "corporation", "doo", "eood", "eirl", "eurl", "gmbh", "gmbh co", "hf", "inc",
        "incorporated", "kft", "kg", "kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "ltda",
        "mbh", "nv", "ohg", "ood", "ou", "oy", "oyj", "plc", "pte", "pty", "pvt", "sa", "sab",
        "sapi", "sarl", "sas", "sdn", "se", "sl", "slu", "sp zoo", "zoo", "spa", "sro", "srl",
        "srls", "ug", "uab", "zrt", "and co", "de cv", "de rl",
    ]

    private static let folds: [Unicode.Scalar: String] = {
        let letters: [(String, String)] = [
            ("àáâãäåāăąǎ", "a"), ("çćĉċč", "c"), ("ďđð", "d"), ("èéêëēĕėęě", "e"), ("ĝğġģ", "g"),
            ("ĥħ", "h"), ("ìíîïĩīĭįı", "i"), ("ĵ", "j"), ("ķ", "k"), ("ĺļľŀł", "l"),
            ("ñńņňŉ", "n"), ("òóôõöøōŏő", "o"), ("ŕŗř", "r"), ("śŝşšș", "s"), ("ţťŧț", "t"),
            ("ùúûüũūŭůűų", "u"), ("ŵ", "w"), ("ýÿŷ", "y"), ("źżž", "z"), ("ß", "ss"), ("æ", "ae"),
            ("œ", "oe"), ("þ", "th"),
        ]
        var folds: [Unicode.Scalar: String] = [:]
        for (from, to) in letters {
            for scalar in from.unicodeScalars { folds[scalar] = to }
        }
        return folds
    }()

    /// Levenshtein's, over bytes. Names have at most some hundred.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (place, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for (column, other) in right.enumerated() {
                let cost = byte == other ? diagonal : diagonal + 1
                diagonal = row[column + 1]
                row[column + 1] = min(cost, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
