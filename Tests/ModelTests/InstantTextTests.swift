import Glibc
import Model
import Testing

@Suite("Instant as text")
struct InstantTextTests {
    @Test(
        "every form of RFC 3339 is read",
        arguments: [
            ("1970-01-01T00:00:00Z", Int64(0)),
            ("1970-01-01T00:00:00.000Z", 0),
            ("1970-01-01t00:00:00z", 0),
            ("1970-01-01T00:00:00-00:00", 0),
            ("1970-01-01T00:00:00.1Z", 100),
            ("1970-01-01T00:00:00.12Z", 120),
            ("1970-01-01T00:00:00.1239999999999999999999Z", 123),
            ("1969-12-31T23:59:59.9999Z", -1),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T18:30:00-05:30", 0),
            ("1970-01-01T23:59:00+23:59", 0),
            ("1985-04-12T23:20:50.52Z", 482_196_050_520),
            ("1996-12-19T16:39:57-08:00", 851_042_397_000),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ])
    func reading(text: String, milliseconds: Int64) {
        #expect(Instant(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "what RFC 3339 does not allow, and leap seconds, are refused",
        arguments: [
            "", "2026-11-24", "2026-11-24T", "2026-11-24T03:50:04", "2026-11-24 03:50:04Z",
            "2026-11-24T24:00:00Z", "2026-11-24T03:60:00Z", "2026-12-31T23:59:60Z",
            "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-02-30T00:00:00Z",
            "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "0000-01-01T00:00:00Z",
            "2026-11-24T03:50Z", "2026-11-24T03:50:04.Z", "2026-11-24T03:50:04,5Z",
            "2026-11-24T03:50:04+0100", "2026-11-24T03:50:04+01", "2026-11-24T03:50:04+24:00",
            "2026-11-24T03:50:04+01:60", "2026-11-24T03:50:04Zx", "2026-11-24T03:50:04+01:00x",
            "2026-11-24T03:50:04ZZ", " 2026-11-24T03:50:04Z", "2026-11-24T03:50:04Z ",
            "2026-11-24T03:50:04.5", "2026/11/24T03:50:04Z", "20261124T035004Z",
            "26-11-24T03:50:04Z", "-2026-11-24T03:50:04Z", "+2026-11-24T03:50:04Z",
            "2026-11-24T3:50:04Z", "２０２６-11-24T03:50:04Z", "2026-11-24T03:50:04.5é",
            "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-W48-2T00:00:00Z",
            "2026-11-24T03:50:0-1:00Z", "2026-11-24T03:50:04\u{0}Z", "2026-1a-24T03:50:04Z",
        ])
    func refusing(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test(
        "an instant is written in UTC with three decimals",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_492_204_007, "2026-11-24T03:50:04.007Z"),
            (951_827_696_120, "2000-02-29T12:34:56.120Z"),
            (.max, "9999-12-31T23:59:59.999Z"), (.min, "0001-01-01T00:00:00.000Z"),
        ])
    func writing(milliseconds: Int64, text: String) {
        #expect(Instant(milliseconds: milliseconds).rfc3339 == text)
    }

    @Test("what is written is read back as the same instant")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let instant = Instant(
                milliseconds: Int64.random(in: Instant.representable, using: &random))
            try #require(Instant(rfc3339: instant.rfc3339) == instant, "seed \(seed)")
        }
    }

    @Test("mutated text is read as an instant that writes itself, or refused")
    func mutations() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789-:+.TtZz x".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("2024-02-29T23:59:59.999+05:30".utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                } else {
                    bytes.remove(at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let instant = Instant(rfc3339: text) else { continue }
            try #require(Instant(rfc3339: instant.rfc3339) == instant, "seed \(seed): \(text)")
        }
    }

    @Test("every day of two thousand years agrees with the C library, both ways")
    func civilDays() throws {
        // 0999-12-31 to 3000-01-01; then steps that reach both ends of what can be written.
        let dense = Array(Int64(-354_286)...376_200)
        let sparse = stride(
            from: CivilDay.representable.lowerBound, through: CivilDay.representable.upperBound,
            by: 97)
        for day in dense + Array(sparse) + [CivilDay.representable.upperBound] {
            var seconds = time_t(day * 86_400)
            var fields = tm()
            gmtime_r(&seconds, &fields)
            let text = CivilDay.text(day)
            let matches =
                number(text, 0..<4) == Int(fields.tm_year) + 1900
                && number(text, 5..<7) == Int(fields.tm_mon) + 1
                && number(text, 8..<10) == Int(fields.tm_mday)
            try #require(matches, "day \(day) is written \(text)")
            try #require(CivilDay.parse(text) == day, "day \(day) is written \(text)")
            try #require(timegm(&fields) == day * 86_400)
        }
    }

    @Test(
        "a day that does not exist or is written otherwise is refused",
        arguments: [
            "", "2026-11-31", "2025-02-29", "0000-12-31", "2026-1-01", "2026-11-24T", "24.11.2026",
            "2026-11-2x", "20261124",
        ])
    func badDays(text: String) {
        #expect(CivilDay.parse(text) == nil)
    }

    @Test("a day starts at midnight UTC and is the day of its instants")
    func startOfDay() {
        #expect(Instant.startOfDay(20_781).rfc3339 == "2026-11-24T00:00:00.000Z")
        #expect(Instant.startOfDay(-1).rfc3339 == "1969-12-31T00:00:00.000Z")
        #expect(Instant.startOfDay(20_781).day == 20_781)
        #expect(Instant.startOfDay(20_782).advanced(byMilliseconds: -1).day == 20_781)
        #expect(Instant.startOfDay(.max).rfc3339 == "9999-12-31T00:00:00.000Z")
        #expect(Instant.startOfDay(.min).rfc3339 == "0001-01-01T00:00:00.000Z")
    }

    private func number(_ text: String, _ range: Range<Int>) -> Int? {
        Int(String(decoding: Array(text.utf8)[range], as: UTF8.self))
    }
}
