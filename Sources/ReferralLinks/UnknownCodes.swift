import Database
import Model

/// What people asked for under `/r/` and no link has, counted by day and spelling. Bounded: a day
/// keeps so many spellings, those near a code first, and of the others the number alone.
public enum UnknownCodes {
    /// Spellings of a day that are kept.
    public static let spellingsMax: Int64 = 1_000
    /// Days that are kept.
    public static let daysMax: Int64 = 90
    /// Spellings of one batch of hits that are looked at for a code near them: each costs some
    /// hundred point reads, and anybody can make spellings up.
    static let nearChecksMax = 8

    /// A spelling with its hits in a period.
    public struct Line: Sendable {
        public let code: String
        public let hits: Int64
        /// A code that differs in one letter.
        public let near: String?
        public let firstDay: Int64
        public let lastDay: Int64
    }
}

/// All SQL of unknown codes.
public enum UnknownCodeStore {
    /// Counts a hit of a day. `mayCheck`: whether it may be looked for a code near the spelling;
    /// returns whether it was.
    static func add(
        _ code: String, day: Int64, mayCheck: Bool, _ tx: Transaction
    ) throws -> Bool {
        let known = try tx.integer(
            """
            UPDATE unknown_codes SET hits = hits + 1 WHERE day = ? AND code = ? RETURNING hits
            """, day, code)
        if known != nil { return false }
        let spellings = try tx.integer(
            "SELECT spellings FROM unknown_code_days WHERE day = ?", day)
        if spellings == nil { try begin(day, tx) }
        let near = mayCheck ? try LinkStore.neighbour(of: code, tx) : nil
        let isFull = (spellings ?? 0) >= UnknownCodes.spellingsMax
        if isFull {
            guard near != nil, try evict(day, tx) else {
                try tx.run(
                    "UPDATE unknown_code_days SET other_hits = other_hits + 1 WHERE day = ?", day)
                return mayCheck
            }
        } else {
            try tx.run(
                "UPDATE unknown_code_days SET spellings = spellings + 1 WHERE day = ?", day)
        }
        try tx.run(
            "INSERT INTO unknown_codes (day, code, hits, near) VALUES (?, ?, 1, ?)", day, code, near
        )
        return mayCheck
    }

    /// Makes room on a full day: the rarest spelling that is near no code joins the others.
    private static func evict(_ day: Int64, _ tx: Transaction) throws -> Bool {
        let rarest = try tx.first(
            """
            SELECT code, hits FROM unknown_codes WHERE day = ? AND near IS NULL
            ORDER BY hits, code LIMIT 1
            """, day
        ) { try ($0.text(0), $0.int64(1)) }
        guard let (code, hits) = rarest else { return false }
        try tx.run("DELETE FROM unknown_codes WHERE day = ? AND code = ?", day, code)
        try tx.run(
            "UPDATE unknown_code_days SET other_hits = other_hits + ? WHERE day = ?", hits, day)
        return true
    }

    /// Begins a day and forgets those that are long over: one day's at a time, as a rule.
    private static func begin(_ day: Int64, _ tx: Transaction) throws {
        try tx.run(
            "INSERT INTO unknown_code_days (day, spellings, other_hits) VALUES (?, 0, 0)", day)
        let end = day - UnknownCodes.daysMax
        try tx.run(
            """
            DELETE FROM unknown_codes WHERE day = (SELECT min(day) FROM unknown_codes) AND day < ?
            """, end)
        try tx.run("DELETE FROM unknown_code_days WHERE day < ?", end)
    }

    /// The spellings of these days, those near a code first, then those with most hits.
    public static func lines(
        _ days: Range<Int64>, limit: Int, _ reader: Reader
    ) throws -> [UnknownCodes.Line] {
        try reader.all(
            """
            SELECT code, sum(hits), max(near), min(day), max(day) FROM unknown_codes
            WHERE day >= ? AND day < ? GROUP BY code
            ORDER BY max(near) IS NULL, sum(hits) DESC, code LIMIT ?
            """, days.lowerBound, days.upperBound, Int64(limit)
        ) { row in
            try UnknownCodes.Line(
                code: row.text(0), hits: row.int64(1), near: row.optionalText(2),
                firstDay: row.int64(3), lastDay: row.int64(4))
        }
    }

    /// Hits of spellings that were not kept, and how many spellings of how many hits there are.
    public static func totals(
        _ days: Range<Int64>, _ reader: Reader
    ) throws -> (spellings: Int64, hits: Int64, others: Int64) {
        let kept = try reader.first(
            """
            SELECT count(DISTINCT code), coalesce(sum(hits), 0) FROM unknown_codes
            WHERE day >= ? AND day < ?
            """, days.lowerBound, days.upperBound
        ) { try ($0.int64(0), $0.int64(1)) }
        let others = try reader.integer(
            """
            SELECT coalesce(sum(other_hits), 0) FROM unknown_code_days WHERE day >= ? AND day < ?
            """, days.lowerBound, days.upperBound)
        return (kept?.0 ?? 0, kept?.1 ?? 0, others ?? 0)
    }
}
