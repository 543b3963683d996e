/// The rule at the end of a zone file, such as `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX `TZ`, with the
/// hours of -167 to 167 that RFC 9636 section 3.3.2 adds): standard time, and for half of the year
/// perhaps another.
struct ZoneRule: Sendable {
    private let standard: Int64
    private let summer: (offset: Int64, from: Change, to: Change)?

    /// A day of each year, and seconds after its midnight.
    private struct Change: Sendable {
        enum Day: Sendable {
            /// 1 to 365; 29 February is never counted.
            case ofCommonYear(Int64)
            /// 0 to 365.
            case ofYear(Int64)
            /// The n-th such weekday (0 is Sunday) of the month; 5 is the last.
            case weekday(Int64, week: Int64, month: Int64)
        }

        let day: Day
        let seconds: Int64

        /// Seconds since 1970 on the clocks of the place.
        func local(in year: Int64) -> Int64 { dayNumber(in: year) * 86_400 + seconds }

        private func dayNumber(in year: Int64) -> Int64 {
            let first = CivilDate(year: year, month: 1, dayOfMonth: 1).day
            switch day {
            case .ofYear(let number): return first + number
            case .ofCommonYear(let number):
                let isLeap = CivilDate(year: year, month: 3, dayOfMonth: 1).day - first == 60
                return first + number - 1 + (isLeap && number >= 60 ? 1 : 0)
            case .weekday(let weekday, let week, let month):
                let begin = CivilDate(year: year, month: month, dayOfMonth: 1).day
                let next = CivilDate(
                    year: year + month / 12, month: month % 12 + 1, dayOfMonth: 1
                ).day
                // 1970-01-01 was a Thursday.
                let weekdayOfBegin = ((begin + 4) % 7 + 7) % 7
                var day = begin + (weekday - weekdayOfBegin + 7) % 7 + (week - 1) * 7
                while day >= next { day -= 7 }
                return day
            }
        }
    }

    init?(_ text: String) {
        var scanner = RuleScanner(text)
        guard scanner.skipName(), let west = scanner.time() else { return nil }
        standard = -west
        if scanner.isAtEnd {
            summer = nil
            return
        }
        guard scanner.skipName() else { return nil }
        var offset = standard + 3600
        if !scanner.isNext(",") {
            guard let west = scanner.time() else { return nil }
            offset = -west
        }
        guard let from = ZoneRule.change(&scanner), let to = ZoneRule.change(&scanner),
            scanner.isAtEnd
        else { return nil }
        summer = (offset, from, to)
    }

    func offset(at time: Int64) -> Int64 {
        guard let summer else { return standard }
        let local = time + standard
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let year = CivilDate(day: CivilDay.clamped(day)).year
        // Both in UTC: summer begins by the clock of standard time and ends by its own.
        let from = summer.from.local(in: year) - standard
        let to = summer.to.local(in: year) - summer.offset
        let isSummer = from < to ? (from..<to).contains(time) : !(to..<from).contains(time)
        return isSummer ? summer.offset : standard
    }

    private static func change(_ scanner: inout RuleScanner) -> Change? {
        guard scanner.skip(",") else { return nil }
        let day: Change.Day
        if scanner.skip("M") {
            guard let month = scanner.number(1...12), scanner.skip("."),
                let week = scanner.number(1...5), scanner.skip("."),
                let weekday = scanner.number(0...6)
            else { return nil }
            day = .weekday(weekday, week: week, month: month)
        } else if scanner.skip("J") {
            guard let number = scanner.number(1...365) else { return nil }
            day = .ofCommonYear(number)
        } else {
            guard let number = scanner.number(0...365) else { return nil }
            day = .ofYear(number)
        }
        guard scanner.skip("/") else { return Change(day: day, seconds: 7200) }
        return scanner.time().map { Change(day: day, seconds: $0) }
    }
}

/// Reads a rule from its beginning.
private struct RuleScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    func isNext(_ letter: Unicode.Scalar) -> Bool { rest.first == UInt8(ascii: letter) }

    mutating func skip(_ letter: Unicode.Scalar) -> Bool {
        guard isNext(letter) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// An abbreviation: three letters or more, or anything in angle brackets.
    mutating func skipName() -> Bool {
        if skip("<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
            rest = rest[end...].dropFirst()
            return true
        }
        let letters = rest.prefix { (0x41...0x5A).contains($0 & 0xDF) }
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        return range.contains(value) ? value : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time() -> Int64? {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        guard let hours = number(0...167) else { return nil }
        var seconds = hours * 3600
        for unit: Int64 in [60, 1] where skip(":") {
            guard let value = number(0...59) else { return nil }
            seconds += value * unit
        }
        return isNegative ? -seconds : seconds
    }
}
