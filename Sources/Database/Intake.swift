import Platform

/// Takes a stream of small records along with the batches, without a savepoint and a closure for
/// each. It is made on the writer thread and never leaves it.
public protocol BatchSink: SendableMetatype {
    associatedtype Item: Sendable

    /// Writes the items. An error undoes what this call did, and nothing else of the batch.
    mutating func process(_ items: [Item], in transaction: Transaction) throws
    /// The items are on the disk.
    mutating func committed(_ items: [Item])
    /// Nothing of the items is on the disk: `process` threw, or the batch was not committed.
    mutating func failed(_ items: [Item], _ error: any Error)
}

/// Where items for a sink are handed in, from any thread.
public final class Intake<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var isOpen = true
    }

    private let state = Locked(State())
    private let limit: Int
    private let doorbell: Doorbell

    init(limit: Int, doorbell: Doorbell) {
        self.limit = limit
        self.doorbell = doorbell
    }

    /// False when the bound is reached, or the database closes: the item is not taken. The writer
    /// is not called: `Database.callWriter` must follow.
    public func leave(_ item: Item) -> Bool {
        state.withLock { state in
            guard state.isOpen, state.items.count < limit else { return false }
            state.items.append(item)
            return true
        }
    }

    /// As `leave`, and calls the writer.
    public func push(_ item: Item) -> Bool {
        let accepted = leave(item)
        if accepted { doorbell.ring() }
        return accepted
    }

    /// Items that wait.
    public var depth: Int { state.withLock { $0.items.count } }

    /// Moves the `count` oldest items at most out.
    func take(atMost count: Int) -> [Item] {
        state.withLock { state in
            if state.items.count <= count {
                var taken: [Item] = []
                taken.reserveCapacity(min(state.items.count, 256))
                swap(&taken, &state.items)
                return taken
            }
            let taken = Array(state.items.prefix(count))
            state.items.removeFirst(count)
            return taken
        }
    }

    func close() { state.withLock { $0.isOpen = false } }
}

/// A sink and its intake as the writer sees them, whatever their item.
protocol SinkRunner: AnyObject {
    var hasItems: Bool { get }
    func close()
    /// Hands waiting items to the sink inside a savepoint. Returns their number, and what the sink
    /// threw.
    func process(
        atMost count: Int, in transaction: Transaction
    ) -> (count: Int, error: (any Error)?)
    /// Takes waiting items out, to be concluded with the fault that lost the batch. Returns their
    /// number.
    func skip(atMost count: Int) -> Int
    /// Tells the sink what became of the items: `fault` when the batch was lost.
    func conclude(_ fault: DatabaseFault?)
}

final class TypedSinkRunner<Sink: BatchSink>: SinkRunner {
    private var sink: Sink
    private let intake: Intake<Sink.Item>
    private var items: [Sink.Item] = []
    private var failure: (any Error)?

    init(_ sink: Sink, _ intake: Intake<Sink.Item>) {
        self.sink = sink
        self.intake = intake
    }

    var hasItems: Bool { intake.depth > 0 }

    func close() { intake.close() }

    func process(
        atMost count: Int, in transaction: Transaction
    ) -> (count: Int, error: (any Error)?) {
        guard skip(atMost: count) > 0 else { return (0, nil) }
        failure = transaction.runInSavepoint { try sink.process(items, in: $0) }
        return (items.count, failure)
    }

    func skip(atMost count: Int) -> Int {
        items = intake.take(atMost: count)
        return items.count
    }

    func conclude(_ fault: DatabaseFault?) {
        guard !items.isEmpty else { return }
        if let error = fault ?? failure {
            sink.failed(items, error)
        } else {
            sink.committed(items)
        }
        items = []
        failure = nil
    }
}
