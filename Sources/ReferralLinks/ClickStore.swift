import Database
import JSON
import Model
import Records

/// All SQL of clicks, their daily numbers and the visitor keys.
public enum ClickStore {
    /// Where the click came from; nil when there is none of this id.
    public static func find(_ id: ClickID, _ reader: Reader) throws -> ClickOrigin? {
        try reader.first(
            """
            SELECT links.program_id, links.participant_id, links.id, clicks.class, links.channel,
                links.campaign, clicks.visitor
            FROM clicks JOIN links ON links.seq = clicks.link_seq WHERE clicks.id = ?
            """, id
        ) { row in
            guard let kind = try Click.Class(rawValue: row.int64(3)) else {
                throw DatabaseFault(operation: "read a click", code: DatabaseFault.corrupt)
            }
            return try ClickOrigin(
                program: row.id(0), participant: row.id(1), link: row.id(2), kind: kind,
                occurredAt: id.instant, visitor: row.optionalInt64(6),
                place: LinkPlace(channel: row.text(4), campaign: row.optionalText(5)))
        }
    }

    public static func get(_ id: ClickID, _ reader: Reader) throws -> RecordedClick? {
        try reader.first(
            """
            SELECT clicks.id, links.id, links.program_id, links.participant_id, clicks.class,
                clicks.reason, clicks.rules_version, clicks.visitor, clicks.detail
            FROM clicks JOIN links ON links.seq = clicks.link_seq WHERE clicks.id = ?
            """, id, map: click)
    }

    /// What a list of clicks is asked for.
    public struct Filter: Sendable {
        public var link: LinkID?
        public var kind: Click.Class?
        public var created: Range<Instant>?

        public init(
            link: LinkID? = nil, kind: Click.Class? = nil, created: Range<Instant>? = nil
        ) {
            self.link = link
            self.kind = kind
            self.created = created
        }
    }

    /// Up to `limit` clicks and one more, newest first: older than `after`, or newer than `before`
    /// and then nearest first. A scan along the key; filters by link or class may read far.
    public static func clicks(
        _ filter: Filter, after: ClickID?, before: ClickID?, limit: Int, _ reader: Reader
    ) throws -> [RecordedClick] {
        var query = Query(
            """
            SELECT clicks.id, links.id, links.program_id, links.participant_id, clicks.class,
                clicks.reason, clicks.rules_version, clicks.visitor, clicks.detail
            FROM clicks JOIN links ON links.seq = clicks.link_seq WHERE 1 = 1
            """)
        if let link = filter.link {
            query.append(
                " AND clicks.link_seq = (SELECT seq FROM links WHERE links.id = ?)", link)
        }
        if let kind = filter.kind { query.append(" AND clicks.class = ?", kind.rawValue) }
        if let created = filter.created {
            query.append(
                " AND clicks.id >= ? AND clicks.id < ?", ClickID(first: created.lowerBound),
                ClickID(first: created.upperBound))
        }
        if let after { query.append(" AND clicks.id < ?", after) }
        if let before {
            query.append(" AND clicks.id > ?", before)
            query.append(" ORDER BY clicks.id ASC LIMIT ?", Int64(limit + 1))
        } else {
            query.append(" ORDER BY clicks.id DESC LIMIT ?", Int64(limit + 1))
        }
        return try reader.all(query, map: click)
    }

    /// Clicks of one link by class, in all.
    public static func totals(link: Int64, _ reader: Reader) throws -> [Click.Class: Int64] {
        var totals: [Click.Class: Int64] = [:]
        try reader.forEach(
            "SELECT class, sum(clicks) FROM link_days WHERE link_seq = ? GROUP BY class", link
        ) { row in
            if let kind = try Click.Class(rawValue: row.int64(0)) {
                totals[kind] = try row.int64(1)
            }
        }
        return totals
    }

    /// Clicks of one link by class on its `latest` days with clicks (counted from 1970-01-01 UTC),
    /// oldest first.
    public static func days(
        link: Int64, latest count: Int, _ reader: Reader
    ) throws -> [(day: Int64, clicks: [Click.Class: Int64])] {
        var days: [(day: Int64, clicks: [Click.Class: Int64])] = []
        try reader.forEach(
            """
            SELECT day, class, clicks FROM link_days
            WHERE link_seq = ? AND day >= (
                SELECT min(day) FROM (
                    SELECT DISTINCT day FROM link_days WHERE link_seq = ?
                    ORDER BY day DESC LIMIT ?))
            ORDER BY day, class
            """, link, link, Int64(count)
        ) { row in
            let day = try row.int64(0)
            guard let kind = try Click.Class(rawValue: row.int64(1)) else { return }
            if days.last?.day != day { days.append((day, [:])) }
            days[days.count - 1].clicks[kind] = try row.int64(2)
        }
        return days
    }

    /// Persons' clicks on the program's links on these days, by one of the places as the links are
    /// today; a click is before any door, so that the source is none.
    public static func sums(
        of program: ProgramID, _ days: Range<Int64>, by dimension: FunnelDimension,
        _ reader: Reader
    ) throws -> [FunnelSum] {
        var query = Query("SELECT ")
        switch dimension {
        case .channel: query.append("links.channel")
        case .campaign: query.append("coalesce(links.campaign, ?)", FunnelPlace.none)
        case .source: query.append("?", FunnelPlace.none)
        case .referrer:
            query.append(
                "(SELECT kind FROM participants WHERE participants.id = links.participant_id)")
        case .utmSource, .utmMedium, .utmCampaign, .utmTerm, .utmContent:
            query.append(
                "lower(coalesce(json_extract(links.utm, ?), ?))",
                "$.\(dimension.rawValue.dropFirst(4))", FunnelPlace.none)
        }
        query.append(
            """
            , sum(link_days.clicks)
            FROM links JOIN link_days ON link_days.link_seq = links.seq
            WHERE links.program_id = ? AND link_days.day >= ? AND link_days.day < ?
                AND link_days.class = ?
            GROUP BY 1
            """, program, days.lowerBound, days.upperBound, Click.Class.human.rawValue)
        return try reader.all(query) { row in
            try FunnelSum(key: row.text(0), stage: .click, count: row.int64(1))
        }
    }

    /// Deletes the visitor keys of days before `day`; for a job of every night, when nobody clicks.
    public static func deleteSalts(before day: Int64, _ tx: Transaction) throws {
        try tx.run("DELETE FROM visitor_salts WHERE day < ?", day)
    }

    private static func click(_ row: Row) throws -> RecordedClick {
        guard let kind = try Click.Class(rawValue: row.int64(4)) else {
            throw DatabaseFault(operation: "read a click", code: DatabaseFault.corrupt)
        }
        var detail = JSONObject()
        if let text = try row.optionalText(8) {
            guard let object = try JSONValue.parse(Array(text.utf8)).objectValue else {
                throw DatabaseFault(operation: "read a click", code: DatabaseFault.corrupt)
            }
            detail = object
        }
        return try RecordedClick(
            id: row.id(0), link: row.id(1), program: row.id(2), participant: row.id(3),
            verdict: ClickVerdict(kind, row.optionalText(5)), rulesVersion: row.int64(6),
            isAnonymous: row.isNull(7), utm: CampaignTags(detail["utm"]?.objectValue ?? [:]),
            referrerHost: detail["referrer"]?.stringValue)
    }
}

/// What only the recorder writes and reads.
extension ClickStore {
    static func insert(_ click: Click, _ verdict: ClickVerdict, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO clicks (id, link_seq, class, reason, rules_version, visitor, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, click.id, click.link, verdict.kind.rawValue, verdict.reason, ClickRules.version,
            click.visitor, click.detail)
    }

    static func add(
        _ clicks: Int64, link: Int64, day: Int64, kind: Int64, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO link_days (link_seq, day, class, clicks) VALUES (?, ?, ?, ?)
            ON CONFLICT (link_seq, day, class) DO UPDATE SET clicks = clicks + excluded.clicks
            """, link, day, kind, clicks)
    }

    /// Keeps this day's key and no older one.
    static func store(salt: [UInt8], day: Int64, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO visitor_salts (day, salt) VALUES (?, ?)
            ON CONFLICT (day) DO UPDATE SET salt = excluded.salt
            """, day, salt)
        try deleteSalts(before: day, tx)
    }

    static func newestSalt(_ reader: Reader) throws -> (day: Int64, bytes: [UInt8])? {
        try reader.first("SELECT day, salt FROM visitor_salts ORDER BY day DESC LIMIT 1") { row in
            try (row.int64(0), row.blob(1))
        }
    }

    /// Visits counted within an hour of the newest click, oldest first, out of the newest `limit`
    /// clicks: so many that the start stays quick on a large file.
    static func recentVisits(
        limit: Int, _ reader: Reader
    ) throws -> [(link: Int64, visitor: Int64, second: Int64)] {
        var visits: [(link: Int64, visitor: Int64, second: Int64)] = []
        var newest: Int64?
        try reader.forEach(
            "SELECT id, link_seq, class, visitor FROM clicks ORDER BY id DESC LIMIT ?", Int64(limit)
        ) { row in
            let second = try row.id(0, as: ClickID.self).instant.milliseconds / 1000
            if newest == nil { newest = second }
            guard let newest, newest - second < ClickRules.repeatSeconds,
                try row.int64(2) == Click.Class.human.rawValue,
                let visitor = try row.optionalInt64(3)
            else { return }
            visits.append((try row.int64(1), visitor, second))
        }
        return visits.reversed()
    }
}

extension Identifier {
    /// The smallest identifier of `instant`.
    init(first instant: Instant) {
        self.init(
            high: min(UInt64(clamping: instant.milliseconds), 0xFFFF_FFFF_FFFF) << 16, low: 0)
    }
}
