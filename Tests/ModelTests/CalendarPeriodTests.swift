import Testing

@testable import Model

struct CalendarPeriodTests {
    private func instant(_ text: String) throws -> Instant {
        try #require(Instant(rfc3339: text))
    }

    struct Row: Sendable {
        let length: CalendarPeriod.Length
        let at: String
        let name: String
        let start: String
        let end: String
        init(
            _ length: CalendarPeriod.Length, _ at: String, _ name: String, _ start: String,
            _ end: String
        ) {
            (self.length, self.at, self.name) = (length, at, name)
            (self.start, self.end) = (start, end)
        }
    }

    @Test(
        "a period of the calendar has a name, a beginning and an end",
        arguments: [
            Row(.month, "2026-02-28T23:59:59.999Z", "2026-02", "2026-02-01", "2026-03-01"),
            Row(.month, "2026-12-01T00:00:00Z", "2026-12", "2026-12-01", "2027-01-01"),
            Row(.quarter, "2026-12-31T23:59:59.999Z", "2026-Q4", "2026-10-01", "2027-01-01"),
            Row(.quarter, "2026-04-01T00:00:00Z", "2026-Q2", "2026-04-01", "2026-07-01"),
            Row(.year, "2024-02-29T12:00:00Z", "2024", "2024-01-01", "2025-01-01"),
            Row(.quarter, "1969-12-31T23:59:59Z", "1969-Q4", "1969-10-01", "1970-01-01"),
        ])
    func periods(row: Row) throws {
        let period = CalendarPeriod(row.length, containing: try instant(row.at), in: .utc)
        #expect(period.name == row.name)
        #expect(period.start == (try instant(row.start + "T00:00:00Z")))
        #expect(period.end == (try instant(row.end + "T00:00:00Z")))
        #expect(period.next.start == period.end)
        #expect(period.months.first?.start == period.start)
        #expect(period.months.last?.end == period.end)
    }

    @Test(
        "some months later is the same day, or the last of a shorter month",
        arguments: [
            ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
            ("2024-01-31T10:00:00Z", 1, "2024-02-29T10:00:00Z"),
            ("2026-11-30T23:59:59.999Z", 12, "2027-11-30T23:59:59.999Z"),
            ("2024-02-29T00:00:00Z", 12, "2025-02-28T00:00:00Z"),
            ("2026-12-15T00:00:00Z", 1, "2027-01-15T00:00:00Z"),
            ("2026-05-15T00:00:00Z", 0, "2026-05-15T00:00:00Z"),
        ] as [(String, Int64, String)])
    func months(from: String, months: Int64, to: String) throws {
        #expect(try instant(from).advanced(byMonths: months) == instant(to))
    }
}
