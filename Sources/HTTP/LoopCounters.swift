import Synchronization

/// What one loop has done; written by it alone, read by anybody.
final class LoopCounters: Sendable {
    let accepted = Counter()
    let refused = Counter()
    let requests = Counter()
    let requestsRefused = Counter()
    let timeouts = Counter()
    let answersLate = Counter()
    let slowReadersClosed = Counter()
    let unsentBytes = Counter()
}

/// A number that one thread changes and others read.
struct Counter: ~Copyable, Sendable {
    private let number = Atomic<Int>(0)

    var count: Int { number.load(ordering: .relaxed) }

    func raise() { number.wrappingAdd(1, ordering: .relaxed) }

    func set(_ value: Int) { number.store(value, ordering: .relaxed) }
}

/// The connections of the whole server, held against their limit.
final class ConnectionGauge: Sendable {
    enum Place {
        case within, overLimit, none
    }

    private let open = Atomic<Int>(0)
    private let limit: Int
    private let overLimitMax: Int

    init(limit: Int, overLimitMax: Int) {
        self.limit = limit
        self.overLimitMax = overLimitMax
    }

    /// Counts a new connection, whatever its place.
    func enter() -> Place {
        let count = open.wrappingAdd(1, ordering: .relaxed).newValue
        if count <= limit { return .within }
        return count <= limit + overLimitMax ? .overLimit : .none
    }

    func leave() {
        open.wrappingSubtract(1, ordering: .relaxed)
    }

    var count: Int { open.load(ordering: .relaxed) }
}
