/// Which visitor was on which link within the last hour: 64-bit keys with the second of the counted
/// click.
///
/// Two tables of open addressing, the current hour's and the one before. A table that is full
/// begins a new hour early, so that the memory stays flat; then some repeated clicks count as new.
struct RecentVisits: Sendable {
    /// Slots of one table at most; two full ones take 12 MB.
    static let slotsMax = 1 << 19

    private var current: Table
    private var previous = Table(slots: 0)
    private var currentBegan: Int64?
    private let slotsMax: Int

    init(slotsMax: Int = RecentVisits.slotsMax) {
        self.slotsMax = slotsMax
        current = Table(slots: min(1024, slotsMax))
    }

    /// One key for a visitor on a link, never 0, which marks a free slot.
    static func key(visitor: Int64, link: Int64) -> UInt64 {
        // The finaliser of MurmurHash3: each bit of either number changes half of the key's.
        var key = UInt64(bitPattern: visitor) ^ (UInt64(bitPattern: link) &* 0x9E37_79B9_7F4A_7C15)
        key ^= key >> 33
        key = key &* 0xFF51_AFD7_ED55_8CCD
        key ^= key >> 33
        key = key &* 0xC4CE_B9FE_1A85_EC53
        key ^= key >> 33
        return key == 0 ? 1 : key
    }

    /// Whether the key was counted less than an hour from `second`.
    func contains(_ key: UInt64, at second: Int64) -> Bool {
        isRecent(current.second(of: key), second) || isRecent(previous.second(of: key), second)
    }

    mutating func insert(_ key: UInt64, at second: Int64) {
        if let began = currentBegan, second - began < ClickRules.repeatSeconds {
            if current.isFull { current.grow(to: min(current.slots * 2, slotsMax)) }
        }
        let isOver = currentBegan.map { second - $0 >= ClickRules.repeatSeconds } ?? true
        if isOver || current.isFull {
            previous = current
            current = Table(slots: min(1024, slotsMax))
            currentBegan = second
        }
        current.insert(key, at: UInt32(clamping: second))
    }

    private func isRecent(_ counted: UInt32?, _ second: Int64) -> Bool {
        guard let counted else { return false }
        return (Int64(counted) - second).magnitude < UInt64(ClickRules.repeatSeconds)
    }
}

private struct Table: Sendable {
    private var keys: [UInt64]
    private var seconds: [UInt32]
    private var count = 0

    /// `slots` is a power of two, or 0.
    init(slots: Int) {
        keys = [UInt64](repeating: 0, count: slots)
        seconds = [UInt32](repeating: 0, count: slots)
    }

    var slots: Int { keys.count }
    /// Three quarters: beyond that the chains grow long.
    var isFull: Bool { count >= keys.count / 4 * 3 }

    func second(of key: UInt64) -> UInt32? {
        guard !keys.isEmpty else { return nil }
        let slot = slot(of: key)
        return keys[slot] == key ? seconds[slot] : nil
    }

    mutating func insert(_ key: UInt64, at second: UInt32) {
        let slot = slot(of: key)
        if keys[slot] != key {
            keys[slot] = key
            count += 1
        }
        seconds[slot] = second
    }

    mutating func grow(to slots: Int) {
        guard slots > keys.count else { return }
        var larger = Table(slots: slots)
        for (slot, key) in keys.enumerated() where key != 0 {
            larger.insert(key, at: seconds[slot])
        }
        self = larger
    }

    /// Where the key is, or the free slot that ends its chain; there is one, as a table is never
    /// full.
    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: key) & mask
        while keys[slot] != 0 && keys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }
}
