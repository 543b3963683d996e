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
        }
        query.append(
            """
            , stage, sum(count), sum(amount) FROM funnel_days
            WHERE program_id = ? AND day >= ? AND day < ? GROUP BY 1, 2
            """, program, days.lowerBound, days.upperBound)
        return try reader.all(query) { row in
            guard let stage = try FunnelStage(rawValue: row.int64(1)) else {
                throw DatabaseFault(operation: "read a funnel", code: DatabaseFault.corrupt)
            }
            return try FunnelSum(
                key: row.text(0), stage: stage, count: row.int64(2), amount: row.int64(3))
        }
    }
}
