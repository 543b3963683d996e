import Database
import Model

/// All SQL of the funnel's daily numbers, changed in the transaction of what they count.
public enum FunnelStore {
    /// Counts one more that came into `stage` on `day`.
    public static func add(
        _ stage: FunnelStage, amount: Int64 = 0, at place: FunnelPlace, in program: ProgramID,
        day: Int64, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO funnel_days (
                program_id, day, channel, campaign, source, referrer, stage, count, amount)
            VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
            ON CONFLICT (program_id, day, channel, campaign, source, referrer, stage)
            DO UPDATE SET count = count + 1, amount = amount + excluded.amount
            """, program, day, place.channel, place.campaign, place.source, place.referrer,
            stage.rawValue, amount)
    }

    /// Counts the same under each of its UTM values.
    public static func add(
        _ stage: FunnelStage, amount: Int64 = 0, under tags: FunnelTags, in program: ProgramID,
        day: Int64, _ tx: Transaction
    ) throws {
        for (tag, value) in tags.values {
            try tx.run(
                """
                INSERT INTO funnel_tag_days (program_id, tag, day, value, stage, count, amount)
                VALUES (?, ?, ?, ?, ?, 1, ?)
                ON CONFLICT (program_id, tag, day, value, stage)
                DO UPDATE SET count = count + 1, amount = amount + excluded.amount
                """, program, tag.rawValue, day, value, stage.rawValue, amount)
        }
    }

    private static func sums(
        of program: ProgramID, _ days: Range<Int64>, under tag: FunnelDimension, _ reader: Reader
    ) throws -> [FunnelSum] {
        try reader.all(
            """
            SELECT value, stage, sum(count), sum(amount) FROM funnel_tag_days
            WHERE program_id = ? AND tag = ? AND day >= ? AND day < ? GROUP BY 1, 2
            """, program, tag.rawValue, days.lowerBound, days.upperBound, map: sum)
    }

    private static func sum(_ row: Row) throws -> FunnelSum {
        guard let stage = try FunnelStage(rawValue: row.int64(1)) else {
            throw DatabaseFault(operation: "read a funnel", code: DatabaseFault.corrupt)
        }
        return try FunnelSum(
            key: row.text(0), stage: stage, count: row.int64(2), amount: row.int64(3))
    }

    /// What came into each stage on these days, by one of the places. Without clicks.
    public static func sums(
        of program: ProgramID, _ days: Range<Int64>, by dimension: FunnelDimension,
        _ reader: Reader
    ) throws -> [FunnelSum] {
        var query = Query("SELECT ")
        switch dimension {
        case .channel: query.append("channel")
        case .campaign: query.append("campaign")
        case .source: query.append("source")
        case .referrer: query.append("referrer")
        case .utmSource, .utmMedium, .utmCampaign, .utmTerm, .utmContent:
            return try sums(of: program, days, under: dimension, reader)
        }
        query.append(
            """
            , stage, sum(count), sum(amount) FROM funnel_days
            WHERE program_id = ? AND day >= ? AND day < ? GROUP BY 1, 2
            """, program, days.lowerBound, days.upperBound)
        return try reader.all(query, map: sum)
    }
}
