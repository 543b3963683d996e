import Platform

/// What other threads have to tell a loop: the only object by which they reach it.
final class Mailbox: Sendable {
    enum Letter: Sendable {
        case answer(connection: UInt64, sequence: UInt32, Response)
        case drain
    }

    private struct Box {
        var letters: [Letter] = []
        var isClosed = false
    }

    private let box = Locked(Box())
    private let signal: EventSignal

    init() throws {
        signal = try EventSignal(blocking: false)
    }

    /// The descriptor that becomes readable when letters arrive.
    var descriptor: Int32 { signal.number }

    /// Leaves a letter. The loop is woken only for the first of those that wait: a wake-up is a
    /// system call.
    func post(_ letter: Letter) {
        let wasEmpty = box.withLock { box in
            guard !box.isClosed else { return false }
            box.letters.append(letter)
            return box.letters.count == 1
        }
        if wasEmpty { signal.raise() }
    }

    /// Takes all letters, giving `spare` (empty, with capacity) in exchange.
    func take(spare: [Letter]) -> [Letter] {
        signal.wait()
        return box.withLock { box in
            let letters = box.letters
            box.letters = spare
            return letters
        }
    }

    /// Drops what waits and whatever comes later.
    func close() {
        box.withLock { box in
            box.isClosed = true
            box.letters = []
        }
    }
}
