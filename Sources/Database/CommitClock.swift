import Model
import Platform

/// The instants of the writer's transactions: they follow the system's clock, and never go back,
/// not even across a restart. What it takes for a jump of the clock it reports.
struct CommitClock {
    /// Differences below this are what time servers correct all day.
    static let toleratedMilliseconds: Int64 = 1_000
    /// The clock ran ahead of CLOCK_MONOTONIC: a correction at start, or the machine slept.
    static let forwardMilliseconds: Int64 = 60_000

    private let clock: Clock
    private(set) var last: Instant
    private var previous: (wall: Instant, monotonic: MonotonicInstant)?
    private var isBehind = false

    init(clock: Clock, last: Instant) {
        self.clock = clock
        self.last = last
    }

    /// The next transaction's instant, and a sentence when the clock was found to have jumped.
    mutating func next(_ monotonic: MonotonicInstant) -> (now: Instant, jump: String?) {
        let wall = clock.now()
        let jump = jump(to: wall, monotonic)
        previous = (wall, monotonic)
        return (max(wall, last), jump)
    }

    /// To be called once the transaction of `instant` is committed.
    mutating func committed(_ instant: Instant) { last = max(last, instant) }

    private mutating func jump(to wall: Instant, _ monotonic: MonotonicInstant) -> String? {
        let behind = last.milliseconds.subtractingReportingOverflow(wall.milliseconds)
        if !behind.overflow, behind.partialValue > CommitClock.toleratedMilliseconds {
            // Once for each time it falls behind, not for each batch until it has caught up.
            defer { isBehind = true }
            return isBehind
                ? nil
                : """
                the clock is \(behind.partialValue) ms behind the last commit; new records carry \
                the time of that commit until it has caught up
                """
        }
        isBehind = false
        guard let previous else { return nil }
        let elapsed = Int64(monotonic.seconds(since: previous.monotonic) * 1_000)
        let ahead = wall.milliseconds.subtractingReportingOverflow(previous.wall.milliseconds)
        guard !ahead.overflow, ahead.partialValue > elapsed,
            ahead.partialValue - elapsed > CommitClock.forwardMilliseconds
        else { return nil }
        return "the clock jumped forward by \(ahead.partialValue - elapsed) ms"
    }
}
