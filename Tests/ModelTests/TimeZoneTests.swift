import Testing

@testable import Model

@Suite("TimeZone")
struct TimeZoneTests {
    private func instant(_ text: String) throws -> Instant {
        try #require(Instant(rfc3339: text))
    }

    private func zone(_ name: String) throws -> TimeZone {
        try #require(TimeZone.named(name), "the package tzdata is not installed")
    }

    @Test(
        "a day begins by the clocks of its place, on both days of change and on both sides of them",
        arguments: [
            ("UTC", "2026-11-30", "2026-11-30T00:00:00Z"),
            ("Europe/Berlin", "2026-03-28", "2026-03-27T23:00:00Z"),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
            ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"),
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"),
            ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"),
            ("Europe/Berlin", "2028-02-29", "2028-02-28T23:00:00Z"),
            ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z"),
            ("America/New_York", "2026-03-09", "2026-03-09T04:00:00Z"),
            ("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z"),
            ("America/New_York", "2026-11-02", "2026-11-02T05:00:00Z"),
            ("Australia/Sydney", "2026-10-04", "2026-10-03T14:00:00Z"),
            ("Australia/Sydney", "2026-10-05", "2026-10-04T13:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-05", "2026-10-04T13:00:00Z"),
            ("Asia/Kolkata", "2026-12-31", "2026-12-30T18:30:00Z"),
            ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z"),
            ("Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00Z"),
            ("Pacific/Chatham", "2026-07-01", "2026-06-30T11:15:00Z"),
            // Midnight did not exist: the clocks went from 0:00 to 1:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
            // The clocks went back at midnight, to 23:00 of the day before.
            ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
            // Samoa left out a day.
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
            // Beyond the last change of the file, by the rule at its end.
            ("Europe/Berlin", "2090-07-01", "2090-06-30T22:00:00Z"),
            ("Europe/Berlin", "2090-12-01", "2090-11-30T23:00:00Z"),
            ("America/Nuuk", "2060-07-01", "2060-07-01T01:00:00Z"),
        ])
    func startOfDay(name: String, date: String, start: String) throws {
        let zone = try zone(name)
        let day = try #require(CivilDay.parse(date))
        #expect(zone.startOfDay(day) == (try instant(start)), "\(zone.startOfDay(day).rfc3339)")
        #expect(zone.day(of: try instant(start)) == day)
        #expect(zone.day(of: try instant(start).advanced(byMilliseconds: -1)) < day)
    }

    @Test("the days of a place follow one another without a gap, for a hundred years")
    func days() throws {
        for name in [
            "Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia",
            "Australia/Lord_Howe", "America/Scoresbysund",
        ] {
            let zone = try zone(name)
            var end = zone.startOfDay(-7305)
            var wrong: [String] = []
            for day: Int64 in -7305..<29_220 {
                let start = end
                end = zone.startOfDay(day + 1)
                // A day may be left out, as in Samoa.
                guard start != end else { continue }
                let last = end.advanced(byMilliseconds: -1)
                if start > end || zone.day(of: start) != day || zone.day(of: last) != day {
                    wrong.append(CivilDay.text(day))
                }
            }
            #expect(wrong.isEmpty, "\(name)")
        }
    }

    @Test(
        "months later clocks show the same time, on the last day of a short month",
        arguments: [
            ("Europe/Berlin", "2026-01-31T12:00:00Z", 1, "2026-02-28T12:00:00Z"),
            ("Europe/Berlin", "2028-01-31T12:00:00Z", 1, "2028-02-29T12:00:00Z"),
            ("Europe/Berlin", "2026-01-15T12:00:00Z", 6, "2026-07-15T11:00:00Z"),
            ("Europe/Berlin", "2025-12-31T23:30:00Z", 1, "2026-01-31T23:30:00Z"),
            ("Europe/Berlin", "2026-02-28T01:30:00Z", 1, "2026-03-28T01:30:00Z"),
            ("Europe/Berlin", "2026-02-28T23:30:00Z", 1, "2026-03-31T22:30:00Z"),
            ("America/New_York", "2026-02-08T07:30:00Z", 1, "2026-03-08T07:30:00Z"),
            ("America/New_York", "2026-10-01T05:30:00Z", 1, "2026-11-01T05:30:00Z"),
            ("UTC", "2026-01-31T00:00:00Z", 1, "2026-02-28T00:00:00Z"),
        ])
    func months(name: String, from: String, months: Int, to: String) throws {
        let later = try zone(name).advance(try instant(from), byMonths: Int64(months))
        #expect(later == (try instant(to)), "\(later.rfc3339)")
    }

    @Test("a month of a place begins and ends by its clocks")
    func period() throws {
        let berlin = try zone("Europe/Berlin")
        let march = CalendarPeriod(
            .month, containing: try instant("2026-03-31T21:59:59Z"), in: berlin)
        #expect(march.name == "2026-03")
        #expect(march.start == (try instant("2026-02-28T23:00:00Z")))
        #expect(march.end == (try instant("2026-03-31T22:00:00Z")))
        let next = CalendarPeriod(.month, containing: march.end, in: berlin)
        #expect(next == march.next)
        #expect(
            CalendarPeriod(.year, containing: try instant("2026-12-31T23:00:00Z"), in: berlin).name
                == "2027")
    }

    @Test(
        "what is no zone is not known",
        arguments: [
            "", "utc", "Europe", "Europe/Atlantis", "europe/berlin", "../etc/passwd", "/etc/passwd",
            "Europe/../Europe/Berlin", "Europe/Berlin/", "posix/Europe/Berlin", "right/UTC",
            "posixrules", "localtime", "Factory", "zone.tab", "Europe/Berlin\n", "Europe//Berlin",
            "CET-1CEST", "+01:00",
        ])
    func unknown(name: String) {
        #expect(TimeZone.named(name) == nil)
    }
}

@Suite("ZoneData")
struct ZoneDataTests {
    /// A file of version 2 with one change, at `time`, from `before` to `after` seconds.
    private func file(
        _ changes: [(time: Int64, kind: UInt8)], types: [Int32], footer: String,
        version: UInt8 = 0x32
    ) -> [UInt8] {
        func big<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        func block(_ size: Int) -> [UInt8] {
            var bytes = Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
            for count in [0, 0, 0, changes.count, types.count, 4] { bytes += big(Int32(count)) }
            for change in changes {
                bytes += size == 8 ? big(change.time) : big(Int32(truncatingIfNeeded: change.time))
            }
            bytes += changes.map(\.kind)
            for type in types { bytes += big(type) + [0, 0] }
            return bytes + Array("LMT\0".utf8)
        }
        if version == 0 { return block(4) }
        return block(4) + block(8) + Array("\n\(footer)\n".utf8)
    }

    @Test("a file of either version is read, and its rule holds after its last change")
    func reading() throws {
        let old = try #require(
            ZoneData(file([(1000, 1)], types: [3600, 7200], footer: "", version: 0)))
        #expect(old.offset(at: 999) == 3600)
        #expect(old.offset(at: 1000) == 7200)
        let later: Int64 = 5_000_000_000
        let new = try #require(
            ZoneData(file([(1000, 1), (later, 0)], types: [60, -7200], footer: "<-03>3")))
        #expect(new.offset(at: .min) == 60)
        #expect(new.offset(at: later - 1) == -7200)
        #expect(new.offset(at: later) == -10_800)
        let ruled = try #require(ZoneData(file([], types: [1], footer: "EST5EDT,M3.2.0,M11.1.0")))
        #expect(ruled.offset(at: 1_772_953_199) == -18_000)  // 2026-03-08T06:59:59Z
        #expect(ruled.offset(at: 1_772_953_200) == -14_400)
        #expect(ruled.offset(at: 1_793_512_799) == -14_400)  // 2026-11-01T05:59:59Z
        #expect(ruled.offset(at: 1_793_512_800) == -18_000)
    }

    @Test(
        "every form of a rule is read",
        arguments: [
            ("AAA-1", 1_780_000_000, 3600), ("<+0330>-3:30", 1_780_000_000, 12_600),
            // Ireland: winter is the exception. 2026-07 and 2026-12.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_783_000_000, 3600),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_796_000_000, 0),
            // By number of the day: J60 is always 1 March, 59 is 1 March of a common year.
            ("AAA0BBB,J60/0,J300/0", 1_772_323_200, 3600),
            ("AAA0BBB,J60/0,J300/0", 1_772_323_199, 0),
            ("AAA0BBB,59/0,299/0", 1_772_323_200, 3600),
            ("AAA0BBB,J60/0,J300/0", 1_835_481_600, 3600),  // 2028-03-01
            ("AAA0BBB,J60/0,J300/0", 1_835_481_599, 0),
            ("AAA0BBB,59/0,299/0", 1_835_395_200, 3600),  // 2028-02-29
            // Hours before midnight, as for Nuuk. 2026-03-28T22:00 local.
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_774_746_000, -3600),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_774_745_999, -7200),
        ])
    func rules(text: String, time: Int64, offset: Int64) throws {
        let rule = try #require(ZoneRule(text))
        #expect(rule.offset(at: time) == offset)
    }

    @Test(
        "a rule that is none is refused",
        arguments: [
            "A", "AA1", "AAA", "AAA1BBB", "AAA1BBB,M3.2.0", "AAA1BBB,M13.2.0,M11.1.0",
            "AAA1BBB,M3.6.0,M11.1.0", "AAA1BBB,M3.2.7,M11.1.0", "AAA1BBB,J0,J1", "AAA1BBB,366,1",
            "AAA168", "AAA1:60", "<AAA1", "AAA1BBB,M3.2.0,M11.1.0x", "AAA1BBB,M3.2.0/x,M11.1.0",
        ])
    func badRules(text: String) {
        #expect(ZoneRule(text) == nil)
    }

    @Test("a file that is cut off anywhere, or contradicts itself, is none")
    func damage() {
        let whole = file([(1000, 1), (2000, 0)], types: [3600, 7200], footer: "CET-1")
        #expect(ZoneData(whole) != nil)
        for count in 0..<whole.count { #expect(ZoneData(Array(whole[..<count])) == nil) }
        #expect(ZoneData(file([(1000, 2)], types: [0, 1], footer: "CET-1")) == nil)
        #expect(ZoneData(file([(1000, 1), (1000, 0)], types: [0, 1], footer: "CET-1")) == nil)
        #expect(ZoneData(file([(1000, 0)], types: [], footer: "CET-1")) == nil)
        #expect(ZoneData(file([], types: [100_000], footer: "CET-1")) == nil)
        #expect(ZoneData(file([], types: [0], footer: "nonsense 1")) == nil)
    }
}
