import Glibc
import Platform

/// The waiting times of `Limits` in nanoseconds.
struct Allowances {
    let header, body, write, idle, answer, linger, drain, firstRequest: UInt64
    private let nanosecondsPerByte: UInt64

    init(_ limits: Limits) {
        // Bounded to a year, so that sums stay far from overflow whatever is configured.
        func nanoseconds(_ seconds: Double) -> UInt64 {
            seconds > 0 ? UInt64(min(seconds, 31_536_000) * 1e9) : 0
        }
        header = nanoseconds(limits.headerSeconds)
        body = nanoseconds(limits.bodySeconds)
        write = nanoseconds(limits.writeSeconds)
        idle = nanoseconds(limits.idleSeconds)
        answer = nanoseconds(limits.answerSeconds)
        linger = nanoseconds(limits.lingerSeconds)
        drain = nanoseconds(limits.drainSeconds)
        firstRequest = nanoseconds(limits.drainFirstRequestSeconds)
        nanosecondsPerByte = 1_000_000_000 / UInt64(max(limits.progressBytesPerSecondMin, 1))
    }

    /// How much longer a reader has taken than the slowest link that is served.
    func lateness(_ connection: Connection, at now: MonotonicInstant) -> UInt64 {
        let waited = now.nanoseconds &- min(connection.waitStart.nanoseconds, now.nanoseconds)
        let allowed = UInt64(max(connection.progress, 0)) &* nanosecondsPerByte
        return connection.wait == .write && waited > allowed ? waited - allowed : 0
    }

    /// How long the connection's current wait may last.
    func allowance(_ connection: Connection, isDraining: Bool) -> UInt64 {
        let progress = UInt64(max(connection.progress, 0)) &* nanosecondsPerByte
        switch connection.wait {
        case .none: return .max / 2
        case .request:
            return isDraining ? min(idle, firstRequest) : idle
        case .head: return header
        case .body: return body &+ progress
        case .answer: return answer
        case .write: return write &+ progress
        case .linger: return linger
        }
    }
}

/// Deferred answers with the same patience, in the order in which they fall due.
struct DeadlineLane {
    struct Entry {
        let due: MonotonicInstant
        let connection: UInt64
        let sequence: UInt32
    }

    let milliseconds: Int
    private var entries: [Entry] = []
    private var start = 0

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    var first: Entry? { start < entries.count ? entries[start] : nil }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    mutating func removeFirst() {
        start += 1
        guard start == entries.count || start > 4096 else { return }
        entries.removeFirst(start)
        start = 0
    }
}

// Deadlines. Connections are looked through every quarter of a second, which costs less than
// keeping 10,000 timers; deferred answers, which promise 10 ms, have lanes of their own.
extension Loop {
    /// Starts a new wait if the connection now waits for something else.
    func renewWait(_ connection: Connection) {
        let wait = connection.currentWait
        guard wait != connection.wait else { return }
        connection.wait = wait
        connection.waitStart = now
        connection.progress = 0
    }

    /// Milliseconds for epoll_wait; -1 when nothing is due at any time.
    func timeout() -> Int32 {
        if !carried.isEmpty { return 0 }
        var due: UInt64?
        if openCount > 0 || !pausedListeners.isEmpty || drainDeadline != nil {
            due = nextSweep.nanoseconds
        }
        for lane in lanes.indices {
            while let entry = lanes[lane].first, !isWaiting(entry) { lanes[lane].removeFirst() }
            guard let entry = lanes[lane].first else { continue }
            due = min(due ?? .max, entry.due.nanoseconds)
        }
        guard let due else { return -1 }
        let current = MonotonicInstant.now().nanoseconds
        guard due > current else { return 0 }
        // Rounded up: waking too early would only mean to wait again.
        return Int32(truncatingIfNeeded: min((due - current) / 1_000_000 + 1, 1000))
    }

    func addDeadline(_ connection: UInt64, _ sequence: UInt32, _ milliseconds: Int) {
        let milliseconds = min(max(milliseconds, 0), 600_000)
        let entry = DeadlineLane.Entry(
            due: MonotonicInstant.now().advanced(byMilliseconds: UInt64(milliseconds)),
            connection: connection, sequence: sequence)
        if let lane = lanes.firstIndex(where: { $0.milliseconds == milliseconds }) {
            lanes[lane].append(entry)
        } else {
            var lane = DeadlineLane(milliseconds: milliseconds)
            lane.append(entry)
            lanes.removeAll { $0.first == nil }
            lanes.append(lane)
        }
    }

    /// Answers, in their stead, the deferred answers that are overdue.
    func answerLate() {
        for lane in lanes.indices {
            while let entry = lanes[lane].first, entry.due <= now || !isWaiting(entry) {
                lanes[lane].removeFirst()
                guard let connection = connection(entry.connection),
                    let index = connection.waitingSlot(entry.sequence),
                    case .waitingOr(let fallback) = connection.slots[index].state
                else { continue }
                counters.answersLate.raise()
                settle(connection, slot: index, with: fallback())
            }
        }
    }

    private func isWaiting(_ entry: DeadlineLane.Entry) -> Bool {
        connection(entry.connection)?.waitingSlot(entry.sequence) != nil
    }

    /// Ends the waits that have lasted too long.
    func sweep() {
        nextSweep = now.advanced(byMilliseconds: Self.sweepMilliseconds)
        if !pausedListeners.isEmpty { resumeListeners() }
        let isOver = drainDeadline.map { now >= $0 } ?? false
        for case let connection? in connections {
            if isOver {
                close(connection)
                continue
            }
            let allowance = allowances.allowance(connection, isDraining: drainDeadline != nil)
            if now.nanoseconds > connection.waitStart.nanoseconds &+ allowance {
                expire(connection)
            }
        }
    }

    /// Closes with a reset: the kernel would keep what the client does not take for minutes.
    func reset(_ connection: Connection) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            connection.socket.number, SOL_SOCKET, SO_LINGER, &option,
            socklen_t(MemoryLayout<linger>.size))
        close(connection)
    }

    private func expire(_ connection: Connection) {
        switch connection.wait {
        case .head, .body:
            counters.timeouts.raise()
            refuse(
                connection,
                Problem(408, "request_timeout", detail: "The request did not arrive in time."))
        case .answer:
            counters.timeouts.raise()
            // The head of a stream is sent already.
            guard connection.streaming == nil else { return reset(connection) }
            guard let index = connection.slots.firstIndex(where: \.isWaiting) else { return }
            let problem = Problem(
                503, "answer_timeout", detail: "The answer took too long to make.",
                headers: [("Retry-After", "1")])
            let id = connection.slots[index].requestID
            settle(connection, slot: index, with: problem.response(requestID: id))
        case .write:
            counters.timeouts.raise()
            reset(connection)
        case .request, .linger, .none:
            close(connection)
        }
    }
}
