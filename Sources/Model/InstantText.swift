// Instants as RFC 3339 text.

extension Instant {
    /// The first instant of a UTC day counted from 1970-01-01, kept within `representable`.
    public static func startOfDay(_ day: Int64) -> Instant {
        Instant(milliseconds: CivilDay.clamped(day) * 86_400_000)
    }

    /// Reads a `date-time` of RFC 3339 section 5.6, with `T` and `Z` in either case, any offset and
    /// any number of decimals; what lies below the millisecond is cut off.
    ///
    /// Nil for everything else: a date alone, another separator, 24:00, second 60 (a leap second
    /// has no place in this count), a missing offset, a day that does not exist, and an instant
    /// outside the years 0001 to 9999 in UTC.
    public init?(rfc3339 text: String) {
        var text = text
        guard let milliseconds = text.withUTF8({ Instant.milliseconds(rfc3339: $0) }) else {
            return nil
        }
        self.init(milliseconds: milliseconds)
    }

    /// `2026-11-24T03:50:04.000Z`: UTC, always three decimals. An instant that RFC 3339 cannot
    /// write is written as the nearest that it can.
    public var rfc3339: String {
        let bounds = Instant.representable
        let clamped = Instant(
            milliseconds: min(max(milliseconds, bounds.lowerBound), bounds.upperBound))
        let day = clamped.day
        let timeOfDay = clamped.milliseconds - day * 86_400_000
        return String(unsafeUninitializedCapacity: 24) { buffer in
            CivilDate(day: day).write(to: buffer)
            buffer[10] = UInt8(ascii: "T")
            Digits.write(timeOfDay / 3_600_000, to: buffer, at: 11)
            buffer[13] = UInt8(ascii: ":")
            Digits.write(timeOfDay / 60_000 % 60, to: buffer, at: 14)
            buffer[16] = UInt8(ascii: ":")
            Digits.write(timeOfDay / 1000 % 60, to: buffer, at: 17)
            buffer[19] = UInt8(ascii: ".")
            Digits.write(timeOfDay % 1000 / 10, to: buffer, at: 20)
            buffer[22] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: timeOfDay % 10)
            buffer[23] = UInt8(ascii: "Z")
            return 24
        }
    }

    private static func milliseconds(rfc3339 bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        // The shortest form is 2026-11-24T03:50:04Z.
        guard bytes.count >= 20, let date = CivilDate(bytes), bytes[10] | 0x20 == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let hour = Digits.pair(bytes, at: 11), hour < 24,
            let minute = Digits.pair(bytes, at: 14), minute < 60,
            let second = Digits.pair(bytes, at: 17), second < 60
        else { return nil }
        var place = 19
        var fraction: Int64 = 0
        if bytes[place] == UInt8(ascii: ".") {
            place += 1
            let start = place
            var weight: Int64 = 100
            while place < bytes.count, bytes[place] &- UInt8(ascii: "0") < 10 {
                fraction += Int64(bytes[place] - UInt8(ascii: "0")) * weight
                weight /= 10
                place += 1
            }
            guard place > start else { return nil }
        }
        guard let offset = offsetMinutes(bytes, at: place) else { return nil }
        let seconds = date.day * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
        let milliseconds = seconds * 1000 + fraction
        return representable.contains(milliseconds) ? milliseconds : nil
    }

    /// The offset that fills the rest of `bytes`; -00:00 counts as UTC (RFC 3339 section 4.3).
    private static func offsetMinutes(
        _ bytes: UnsafeBufferPointer<UInt8>, at place: Int
    ) -> Int64? {
        guard place < bytes.count else { return nil }
        let sign = bytes[place]
        if sign | 0x20 == UInt8(ascii: "z") { return bytes.count == place + 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), bytes.count == place + 6,
            bytes[place + 3] == UInt8(ascii: ":"),
            let hours = Digits.pair(bytes, at: place + 1), hours < 24,
            let minutes = Digits.pair(bytes, at: place + 4), minutes < 60
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }
}
