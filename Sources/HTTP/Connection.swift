import Glibc
import Platform

/// The state of one connection. Its loop does all the work on it; nobody else sees it.
final class Connection {
    /// A request that was read and whose answer was not yet written.
    struct Slot {
        enum State {
            case waiting
            /// Waits, and has an answer for when its time is up.
            case waitingOr(@Sendable () -> Response)
            /// Answered, but an earlier request of this connection is not.
            case ready(Response)
        }

        let sequence: UInt32
        let requestID: String
        let method: Method
        let isHTTP10: Bool
        /// The client wants the connection kept.
        let keepsAlive: Bool
        let arrival: MonotonicInstant
        /// The server answers by itself, because it refuses the request.
        let isRefusal: Bool
        var state: State

        var isWaiting: Bool {
            if case .ready = state { false } else { true }
        }

        /// Bytes of memory that its answer holds.
        var cost: Int {
            if case .ready(let response) = state { response.cost } else { 0 }
        }
    }

    enum Phase {
        case head, fixedBody, chunkedBody
        /// No more requests are read; what still has to be answered is answered, and then it
        /// closes.
        case last
    }

    /// What the connection waits for: which limit its deadline comes from.
    enum Wait {
        case none, request, head, body, answer, write, linger
    }

    /// Generation and descriptor: `generation << 32 | descriptor`. No two connections of a loop
    /// share one before 2^31 have passed, so a late answer never reaches a reused descriptor.
    let id: UInt64
    let socket: FileDescriptor
    let peer: Peer
    let listener: Int
    /// What the gauge counts it as.
    let place: ConnectionGauge.Place

    // Reading.
    var phase = Phase.head
    var parser = RequestParser()
    /// Received bytes that are not yet used up: a part of a head, or requests beyond the pipeline's
    /// depth.
    var pending: [UInt8] = []
    var incoming: Request?
    var bodyRemaining = 0
    /// Bytes of the unfinished body, as counted by the loop.
    var heldBytes = 0
    var chunks = ChunkedBody(bytesMax: 0)
    var owesContinue = false
    /// The socket may have bytes that were not read: epoll is edge-triggered.
    var isReadable = false
    /// The peer has ended its side: read on until that shows.
    var expectsEnd = false
    /// `pending` has whole requests that must wait.
    var hasMore = false
    /// Is in the loop's list for the next turn.
    var isCarried = false
    /// The peer will send no more.
    var sawEnd = false

    // Answering.
    var slots: [Slot] = []
    var nextSequence: UInt32 = 0
    /// Bytes of answers that wait in slots.
    var readyCost = 0
    var outbound = Outbound()
    /// The answer that is being made while it is sent; what was answered after it waits.
    var streaming: Streaming?
    /// What the loop's sum of unsent bytes holds of this connection.
    var countedCost = 0
    var isWritable = true
    /// When it ends, go on reading for a while, so that the last answer is not lost to a reset.
    var lingers = false
    var isLingering = false
    var isClosed = false
    /// Is in the loop's list of connections to be settled at the end of the turn.
    var isTouched = false

    // Time.
    var wait = Wait.none
    /// When the current wait began, and how many bytes came or went in it.
    var waitStart = MonotonicInstant(nanoseconds: 0)
    var progress = 0
    var requestCount = 0

    init(
        id: UInt64, socket: consuming FileDescriptor, peer: Peer, listener: Int,
        place: ConnectionGauge.Place
    ) {
        self.place = place
        self.id = id
        self.socket = socket
        self.peer = peer
        self.listener = listener
    }

    var hasOutbound: Bool { !outbound.isEmpty }

    /// Bytes of answers that the client has not taken.
    var unsentBytes: Int { outbound.count + readyCost }

    /// Bytes of memory that these hold.
    var cost: Int { outbound.cost + readyCost }

    /// Nothing is under way: it may be closed without breaking a promise.
    var isResting: Bool {
        phase == .head && pending.isEmpty && slots.isEmpty && !hasOutbound && streaming == nil
    }

    /// What it waits for now.
    var currentWait: Wait {
        if isLingering { return .linger }
        if hasOutbound { return .write }
        if streaming != nil || !slots.isEmpty { return .answer }
        switch phase {
        case .head: return pending.isEmpty ? .request : .head
        case .fixedBody, .chunkedBody: return .body
        case .last: return .write
        }
    }

    /// The index of the slot with this number, if its request still waits for an answer.
    func waitingSlot(_ sequence: UInt32) -> Int? {
        guard let first = slots.first else { return nil }
        // Slots have consecutive numbers.
        let index = Int(sequence &- first.sequence)
        guard index < slots.count else { return nil }
        return slots[index].isWaiting ? index : nil
    }

    /// The number of the next request.
    func takeSequence() -> UInt32 {
        defer { nextSequence &+= 1 }
        return nextSequence
    }
}
