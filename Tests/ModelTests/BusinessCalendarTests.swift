import Testing

@testable import Model

/// Days that are worked, as a table.
struct BusinessCalendarTests {
    private static func instant(_ day: String) throws -> Instant {
        try #require(Instant(rfc3339: day + "T15:30:00Z"))
    }

    @Test(
        "business days leave out weekends and holidays, and keep the time of day",
        arguments: [
            ("2026-11-23", 5, "2026-11-30"),  // Monday to Monday.
            ("2026-11-27", 1, "2026-11-30"),  // Friday to Monday.
            ("2026-11-28", 1, "2026-11-30"),  // From a Saturday.
            ("2026-11-29", 5, "2026-12-04"),  // From a Sunday to Friday.
            ("2026-12-23", 2, "2026-12-28"),  // Over a holiday on Friday.
            ("2026-12-24", 5, "2027-01-04"),  // Over two of them.
            ("2026-11-24", 0, "2026-11-24"),
            ("1969-12-31", 1, "1970-01-01"),  // A Thursday.
        ])
    func adding(start: String, count: Int64, end: String) throws {
        let holidays = Set(["2026-12-25", "2027-01-01"].compactMap { CivilDay.parse($0) })
        let calendar = BusinessCalendar(holidays: holidays)
        #expect(try calendar.adding(count, to: Self.instant(start)) == Self.instant(end))
    }

    @Test("other days can be the weekend, and never all of them")
    func weekend() throws {
        let friday = BusinessCalendar(weekend: [5, 6])
        #expect(try friday.adding(1, to: Self.instant("2026-11-26")) == Self.instant("2026-11-29"))
        let all = BusinessCalendar(weekend: [1, 2, 3, 4, 5, 6, 7])
        #expect(try all.adding(1, to: Self.instant("2026-11-26")) == Self.instant("2026-11-27"))
    }
}
