import JSON
import Model
import Testing

/// When a program's payouts fall due, and how its terms are read.
struct PayoutTermsTests {
    private func schedule(_ every: PayoutTerms.Schedule.Every, _ day: Int64)
        -> PayoutTerms.Schedule
    {
        var schedule = PayoutTerms.Schedule()
        schedule.every = every
        schedule.day = day
        return schedule
    }

    @Test(
        "the next period begins at the first midnight, in UTC, of the day that was named",
        arguments: [
            // 2026-11-24 is a Tuesday.
            (.weekly, 2, "2026-11-24T00:00:00Z", "2026-12-01T00:00:00.000Z"),
            (.weekly, 2, "2026-11-23T23:59:59.999Z", "2026-11-24T00:00:00.000Z"),
            (.weekly, 1, "2026-11-24T10:00:00Z", "2026-11-30T00:00:00.000Z"),
            (.weekly, 7, "2026-11-24T10:00:00Z", "2026-11-29T00:00:00.000Z"),
            (.weekly, 4, "1969-12-31T12:00:00Z", "1970-01-01T00:00:00.000Z"),
            (.monthly, 1, "2026-12-31T23:00:00+02:00", "2027-01-01T00:00:00.000Z"),
            (.monthly, 1, "2026-12-31T23:00:00-02:00", "2027-02-01T00:00:00.000Z"),
            (.monthly, 28, "2027-02-27T00:00:00Z", "2027-02-28T00:00:00.000Z"),
            (.monthly, 28, "2028-02-28T00:00:00Z", "2028-03-28T00:00:00.000Z"),
            (.monthly, 15, "2026-11-24T10:00:00Z", "2026-12-15T00:00:00.000Z"),
        ] as [(PayoutTerms.Schedule.Every, Int64, String, String)])
    func next(
        every: PayoutTerms.Schedule.Every, day: Int64, after: String, expected: String
    ) throws {
        let schedule = schedule(every, day)
        let instant = try #require(Instant(rfc3339: after))
        let next = try #require(schedule.next(after: instant, in: .utc))
        #expect(next.rfc3339 == expected)
        #expect(schedule.period(of: next, in: .utc) == next.day)
        #expect(
            schedule.period(of: next.advanced(byMilliseconds: 86_400_000 * 6), in: .utc) == next.day
        )
    }

    @Test("every period has one beginning, over ten years of any schedule")
    func everyPeriod() throws {
        let start = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
        for (every, days, count) in [
            (PayoutTerms.Schedule.Every.weekly, Int64(1)...7, 522...523),
            (.monthly, 1...28, 120...121),
        ] {
            for day in days {
                let schedule = schedule(every, day)
                #expect(schedule.isWhole)
                var dues: [Instant] = []
                var now = start
                while let due = schedule.next(after: now, in: .utc),
                    due < start.advanced(byDays: 3_653)
                {
                    dues.append(due)
                    now = due
                }
                #expect(count.contains(dues.count + 1) || count.contains(dues.count))
            }
        }
    }

    @Test(
        "a day that the period does not have is none",
        arguments: [
            (.weekly, 0, false), (.weekly, 8, false), (.monthly, 29, false), (.monthly, 0, false),
            (.none, 28, true), (.weekly, 7, true), (.monthly, 28, true),
        ] as [(PayoutTerms.Schedule.Every, Int64, Bool)])
    func days(every: PayoutTerms.Schedule.Every, day: Int64, isWhole: Bool) {
        #expect(schedule(every, day).isWhole == isWhole)
    }

    @Test("terms are read as they were written, and nothing is scheduled by default")
    func json() {
        #expect(PayoutTerms(json: nil) == PayoutTerms())
        #expect(PayoutTerms().schedule.next(after: Instant(milliseconds: 0), in: .utc) == nil)
        var terms = PayoutTerms()
        terms.minimum = 5_000
        terms.reviewDays = 3
        terms.schedule = schedule(.monthly, 15)
        #expect(PayoutTerms(json: terms.json.objectValue) == terms)
    }
}
