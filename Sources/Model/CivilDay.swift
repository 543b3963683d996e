/// Days of the proleptic Gregorian calendar in UTC, counted from 1970-01-01, and their text
/// `YYYY-MM-DD` (RFC 3339 `full-date`, years 0001 to 9999).
public enum CivilDay {
    /// 0001-01-01 to 9999-12-31.
    public static let representable: ClosedRange<Int64> = -719_162...2_932_896

    /// `YYYY-MM-DD`; a day outside `representable` is written as the nearest one inside.
    public static func text(_ day: Int64) -> String {
        let date = CivilDate(day: clamped(day))
        return String(unsafeUninitializedCapacity: 10) { buffer in
            date.write(to: buffer)
            return 10
        }
    }

    /// The day that `YYYY-MM-DD` names; nil for another shape and for a day that does not exist.
    public static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count == 10 else { return nil }
            return CivilDate(bytes)?.day
        }
    }

    /// The calendar year that the day is in.
    public static func year(of day: Int64) -> Int64 { CivilDate(day: day).year }

    /// The first day of the month after the day's; no month has more than 31.
    public static func firstOfNextMonth(after day: Int64) -> Int64 {
        (day + 1...day + 31).first { CivilDate(day: $0).dayOfMonth == 1 } ?? day
    }

    static func clamped(_ day: Int64) -> Int64 {
        min(max(day, representable.lowerBound), representable.upperBound)
    }
}

/// Year, month (1 to 12) and day of the month (from 1).
struct CivilDate {
    let year: Int64
    let month: Int64
    let dayOfMonth: Int64

    /// A date that there is.
    init(year: Int64, month: Int64, dayOfMonth: Int64) {
        self.year = year
        self.month = month
        self.dayOfMonth = dayOfMonth
    }

    /// The calendar repeats every 400 years, which are 146 097 days. A year is taken to begin in
    /// March, so that the leap day is its last and the lengths of the months follow one line:
    /// month m (0 is March) begins on day (153 m + 2) / 5.
    init(day: Int64) {
        let shifted = day + 719_468  // From 0000-03-01.
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Reads `YYYY-MM-DD` from the first ten of `bytes`; nil when there is no such day.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let century = Digits.pair(bytes, at: 0), let yearOfCentury = Digits.pair(bytes, at: 2),
            let month = Digits.pair(bytes, at: 5), let dayOfMonth = Digits.pair(bytes, at: 8)
        else { return nil }
        year = century * 100 + yearOfCentury
        self.month = month
        self.dayOfMonth = dayOfMonth
        guard year >= 1, (1...12).contains(month), dayOfMonth >= 1, dayOfMonth <= daysInMonth
        else { return nil }
    }

    /// The inverse of `init(day:)`.
    var day: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + dayOfMonth - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Ten bytes, `YYYY-MM-DD`, at the start of `buffer`; the year has at most four digits.
    func write(to buffer: UnsafeMutableBufferPointer<UInt8>) {
        Digits.write(year / 100, to: buffer, at: 0)
        Digits.write(year % 100, to: buffer, at: 2)
        buffer[4] = UInt8(ascii: "-")
        Digits.write(month, to: buffer, at: 5)
        buffer[7] = UInt8(ascii: "-")
        Digits.write(dayOfMonth, to: buffer, at: 8)
    }

    private var daysInMonth: Int64 {
        switch month {
        case 2: isLeapYear ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private var isLeapYear: Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }
}

/// Two decimal digits in a fixed place.
enum Digits {
    static func pair(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> Int64? {
        let tens = bytes[place] &- UInt8(ascii: "0")
        let ones = bytes[place + 1] &- UInt8(ascii: "0")
        guard tens < 10, ones < 10 else { return nil }
        return Int64(tens * 10 + ones)
    }

    /// `value` is 0 to 99.
    static func write(
        _ value: Int64, to buffer: UnsafeMutableBufferPointer<UInt8>, at place: Int
    ) {
        buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
        buffer[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
    }
}
