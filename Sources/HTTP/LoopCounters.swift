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
    let idleClosed = Counter()
    let unsentBytes = Counter()
}

/// A number that one thread changes and others read.
struct Counter: ~Copyable, Sendable {
    private let number = Atomic<Int>(0)

    var count: Int { number.load(ordering: .relaxed) }

    func raise() { number.wrappingAdd(1, ordering: .relaxed) }

    func set(_ value: Int) { number.store(value, ordering: .relaxed) }
}
