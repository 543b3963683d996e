import Database
import Model

/// Writes clicks in batches and decides which repeat an earlier one. Lives on the writer thread.
///
/// What a batch teaches is staged, and believed only once the batch is committed: `add` each click,
/// then `finish`, then `committed` or `failed`.
public struct ClickRecorder {
    /// Clicks read back at the start to know the last hour's visitors.
    public static let rebuiltClicksMax = 50_000

    private struct Rollup: Hashable {
        let link: Int64
        let day: Int64
        let kind: Int64
    }

    private let salts: VisitorSalts
    private var visits = RecentVisits()
    private var stagedVisits: [UInt64: Int64] = [:]
    private var rollups: [Rollup: Int64] = [:]
    private var nearChecks = 0
    private var storedDay: Int64?

    /// Takes up the day's key and the last hour's visitors from the file.
    public init(salts: VisitorSalts, _ reader: Reader) throws {
        self.salts = salts
        guard let salt = try ClickStore.newestSalt(reader) else { return }
        salts.restore(day: salt.day, bytes: salt.bytes)
        for visit in try ClickStore.recentVisits(limit: Self.rebuiltClicksMax, reader) {
            visits.insert(
                RecentVisits.key(visitor: visit.visitor, link: visit.link), at: visit.second)
        }
    }

    /// Writes one click.
    public mutating func add(_ click: Click, _ tx: Transaction) throws {
        let verdict = decide(click)
        try ClickStore.insert(click, verdict, tx)
        let rollup = Rollup(
            link: click.link, day: click.day, kind: verdict.kind.rawValue)
        rollups[rollup, default: 0] += 1
    }

    /// Counts a hit of a person on a code that no link has.
    public mutating func add(unknownCode code: String, at instant: Instant, _ tx: Transaction)
        throws
    {
        let wasChecked = try UnknownCodeStore.add(
            code, day: instant.day, mayCheck: nearChecks < UnknownCodes.nearChecksMax, tx)
        if wasChecked { nearChecks += 1 }
    }

    /// Writes the batch's numbers: one row for each link, day and class.
    public mutating func finish(_ tx: Transaction) throws {
        for (rollup, clicks) in rollups {
            try ClickStore.add(
                clicks, link: rollup.link, day: rollup.day, kind: rollup.kind, tx)
        }
        if let salt = salts.unstored() {
            try ClickStore.store(salt: salt.bytes, day: salt.day, tx)
            storedDay = salt.day
        }
    }

    /// The batch is on the disk. Returns its clicks by class (`Click.Class.rawValue` is the index).
    public mutating func committed() -> [UInt64] {
        for (key, second) in stagedVisits { visits.insert(key, at: second) }
        if let storedDay { salts.markStored(day: storedDay) }
        var counts = [UInt64](repeating: 0, count: Click.Class.allCases.count)
        for (rollup, clicks) in rollups { counts[Int(rollup.kind)] += UInt64(clicks) }
        forget()
        return counts
    }

    /// Nothing of the batch is on the disk, so none of it was ever seen.
    public mutating func failed() { forget() }

    private mutating func decide(_ click: Click) -> ClickVerdict {
        guard click.verdict.kind == .human, let visitor = click.visitor else {
            return click.verdict
        }
        let key = RecentVisits.key(visitor: visitor, link: click.link)
        let second = click.id.instant.milliseconds / 1000
        if stagedVisits[key] != nil || visits.contains(key, at: second) {
            return ClickVerdict(
                .duplicate, click.verdict.reason ?? ClickRules.duplicate.reason)
        }
        stagedVisits[key] = second
        return click.verdict
    }

    private mutating func forget() {
        stagedVisits.removeAll(keepingCapacity: true)
        rollups.removeAll(keepingCapacity: true)
        storedDay = nil
        nearChecks = 0
    }
}
