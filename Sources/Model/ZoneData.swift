/// A zone file as RFC 9636 lays it out (TZif): the instants at which a place changed its clocks,
/// and the rule that holds after the last of them.
struct ZoneData: Sendable {
    /// In order; `offsets[0]` holds before the first, `offsets[n + 1]` from the n-th on.
    private let transitions: [Int64]
    private let offsets: [Int64]
    private let rule: ZoneRule?

    /// Nil for what is no such file, or is one that contradicts itself.
    init?(_ bytes: [UInt8]) {
        var reader = ZoneReader(bytes)
        guard var header = reader.header() else { return nil }
        var timeBytes = 4
        if header.version >= UInt8(ascii: "2") {
            // The first block is for readers of 1986, and its times end in 2038.
            guard reader.skip(header.blockBytes(timeBytes: 4)), let second = reader.header()
            else { return nil }
            (header, timeBytes) = (second, 8)
        }
        guard header.typeCount > 0 else { return nil }
        var transitions: [Int64] = []
        for _ in 0..<header.timeCount {
            guard let time = reader.integer(timeBytes) else { return nil }
            transitions.append(time)
        }
        guard zip(transitions, transitions.dropFirst()).allSatisfy(<) else { return nil }
        var kinds: [Int] = []
        for _ in 0..<header.timeCount {
            guard let kind = reader.byte(), kind < header.typeCount else { return nil }
            kinds.append(Int(kind))
        }
        var types: [Int64] = []
        for _ in 0..<header.typeCount {
            guard let offset = reader.integer(4), reader.skip(2),
                abs(offset) <= ZoneData.offsetMost
            else { return nil }
            types.append(offset)
        }
        guard reader.skip(header.namesAndMarksBytes(timeBytes: timeBytes)) else { return nil }
        self.transitions = transitions
        offsets = [types[0]] + kinds.map { types[$0] }
        guard timeBytes == 8 else {
            rule = nil
            return
        }
        guard let footer = reader.footer() else { return nil }
        if footer.isEmpty {
            rule = nil
        } else if let rule = ZoneRule(footer) {
            self.rule = rule
        } else {
            return nil
        }
    }

    /// RFC 9636 section 3.2 advises readers to expect no more than 26 hours.
    private static let offsetMost: Int64 = 26 * 3600

    /// Seconds ahead of UTC at `time`, in seconds since 1970.
    func offset(at time: Int64) -> Int64 {
        if let rule, transitions.last.map({ time >= $0 }) != false { return rule.offset(at: time) }
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return offsets[low]
    }
}

/// Reads a zone file from its beginning, big-endian.
private struct ZoneReader {
    struct Header {
        let version: UInt8
        let utcMarkCount: Int
        let standardMarkCount: Int
        let leapCount: Int
        let timeCount: Int
        let typeCount: Int
        let nameBytes: Int

        func blockBytes(timeBytes: Int) -> Int {
            timeCount * (timeBytes + 1) + typeCount * 6 + namesAndMarksBytes(timeBytes: timeBytes)
        }

        /// Abbreviations, leap seconds (which our count of time has none of) and the two marks that
        /// only a rule without a footer would need.
        func namesAndMarksBytes(timeBytes: Int) -> Int {
            nameBytes + leapCount * (timeBytes + 4) + standardMarkCount + utcMarkCount
        }
    }

    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func header() -> Header? {
        guard bytes.count - place >= 44, bytes[place...].starts(with: "TZif".utf8) else {
            return nil
        }
        let version = bytes[place + 4]
        place += 20
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = integer(4), (0...100_000).contains(count) else { return nil }
            counts.append(Int(count))
        }
        return Header(
            version: version, utcMarkCount: counts[0], standardMarkCount: counts[1],
            leapCount: counts[2], timeCount: counts[3], typeCount: counts[4],
            nameBytes: counts[5])
    }

    mutating func skip(_ count: Int) -> Bool {
        guard bytes.count - place >= count else { return false }
        place += count
        return true
    }

    mutating func byte() -> UInt8? {
        guard place < bytes.count else { return nil }
        defer { place += 1 }
        return bytes[place]
    }

    /// A signed integer of four or eight bytes.
    mutating func integer(_ size: Int) -> Int64? {
        guard bytes.count - place >= size else { return nil }
        let value = bytes[place..<place + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        place += size
        return size == 4
            ? Int64(Int32(truncatingIfNeeded: value)) : Int64(truncatingIfNeeded: value)
    }

    /// What stands between two line feeds at the end.
    mutating func footer() -> String? {
        guard byte() == 0x0A, let end = bytes[place...].firstIndex(of: 0x0A) else { return nil }
        return String(decoding: bytes[place..<end], as: UTF8.self)
    }
}
