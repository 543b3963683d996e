import Database
import HTTP
import Model
import Platform
import ReferralLinks

/// Where redirects hand in their clicks, and what is known of those since the start. Shared by all
/// loops.
final class ClickDoor: Sendable {
    /// Clicks that may wait for the writer; past it a redirect is answered at once and its click
    /// counted as unrecorded. At a kilobyte each they take 8 MB.
    static let waitingMax = 8192
    /// A visitor is never held up for longer than this.
    static let waitMilliseconds = 250

    let salts: VisitorSalts
    let intake: Intake<PendingClick>
    private let state: Locked<State>

    /// Why a redirect was answered without a durable click.
    enum Cause: Int, CaseIterable, Sendable {
        /// Too many clicks waited.
        case queueFull
        case commitFailed
        /// The visitor went on after 250 ms; the click stays queued and is most often recorded
        /// later.
        case pending

        var name: String {
            switch self {
            case .queueFull: "queue_full"
            case .commitFailed: "commit_failed"
            case .pending: "pending"
            }
        }
    }

    private struct State: Sendable {
        var recorded = [UInt64](repeating: 0, count: Click.Class.allCases.count)
        var unrecorded = [UInt64](repeating: 0, count: Cause.allCases.count)
        var closed: UInt64 = 0
    }

    /// Registers with the database, which must not have been started yet.
    init(database: Database) {
        let salts = VisitorSalts()
        let state = Locked(State())
        self.salts = salts
        self.state = state
        intake = database.addSink(limit: ClickDoor.waitingMax) { reader in
            ClickSink(
                recorder: try ClickRecorder(salts: salts, reader),
                onRecorded: { counts in
                    state.withLock { state in
                        for (index, count) in counts.enumerated() { state.recorded[index] += count }
                    }
                },
                onFailed: { count in
                    state.withLock { $0.unrecorded[Cause.commitFailed.rawValue] += UInt64(count) }
                })
        }
    }

    /// Numbers since the start, for metrics.
    struct Counts: Sendable {
        /// By class.
        let recorded: [(name: String, count: UInt64)]
        /// By cause.
        let unrecorded: [(cause: String, count: UInt64)]
        /// Hits on links that are off just now.
        let closed: UInt64
    }

    var counts: Counts {
        let state = state.withLock { $0 }
        return Counts(
            recorded: Click.Class.allCases.map { ($0.name, state.recorded[Int($0.rawValue)]) },
            unrecorded: Cause.allCases.map { ($0.name, state.unrecorded[$0.rawValue]) },
            closed: state.closed)
    }

    func countUnrecorded(_ cause: Cause) {
        state.withLock { $0.unrecorded[cause.rawValue] += 1 }
    }

    func countClosed() { state.withLock { $0.closed += 1 } }
}

/// A hit on its way to the disk, with the redirect that waits for it.
struct PendingClick: Sendable {
    enum Hit: Sendable {
        case click(Click)
        /// On a code that no link has.
        case unknown(code: String, at: Instant)
    }

    let hit: Hit
    /// Nil when nobody waits.
    let redirect: (reply: Reply, response: Response)?

    init(_ click: Click, redirect: (reply: Reply, response: Response)? = nil) {
        hit = .click(click)
        self.redirect = redirect
    }

    init(unknownCode: String, at instant: Instant) {
        hit = .unknown(code: unknownCode, at: instant)
        redirect = nil
    }
}

/// The writer's end of the click door.
struct ClickSink: BatchSink {
    private var recorder: ClickRecorder
    private let onRecorded: @Sendable ([UInt64]) -> Void
    private let onFailed: @Sendable (Int) -> Void

    init(
        recorder: ClickRecorder, onRecorded: @escaping @Sendable ([UInt64]) -> Void,
        onFailed: @escaping @Sendable (Int) -> Void
    ) {
        self.recorder = recorder
        self.onRecorded = onRecorded
        self.onFailed = onFailed
    }

    mutating func process(_ items: [PendingClick], in transaction: Transaction) throws {
        for item in items {
            switch item.hit {
            case .click(let click): try recorder.add(click, transaction)
            case .unknown(let code, let instant):
                try recorder.add(unknownCode: code, at: instant, transaction)
            }
        }
        try recorder.finish(transaction)
    }

    mutating func committed(_ items: [PendingClick]) {
        onRecorded(recorder.committed())
        for item in items {
            if let (reply, response) = item.redirect { reply.leave(response) }
        }
    }

    /// The visitors go on, and the answer says that their clicks are lost.
    mutating func failed(_ items: [PendingClick], _ error: any Error) {
        recorder.failed()
        onFailed(items.count { if case .click = $0.hit { true } else { false } })
        for item in items {
            if let (reply, response) = item.redirect { reply.leave(response.clickRecorded("no")) }
        }
    }
}

extension Response {
    /// Says what became of the click when it is not on the disk: `pending` or `no`.
    func clickRecorded(_ state: String) -> Response {
        var response = self
        response.headers.append(("Click-Recorded", state))
        return response
    }
}
