import Platform

/// What other threads have to tell a loop: the only object by which they reach it.
final class Mailbox: Sendable {
    enum Letter: Sendable {
        case answer(connection: UInt64, sequence: UInt32, Response)
        /// Of the stream that answers this request.
        case slice(connection: UInt64, sequence: UInt32, BodyStream.Slice)
        case drain
    }

    private struct Box {
        var letters: [Letter] = []
        var isClosed = false
        /// The loop was woken since it last looked.
        var isCalled = false
    }

    private let box = Locked(Box())
    private let signal: EventSignal

    init() throws {
        signal = try EventSignal(blocking: false)
    }

    /// The descriptor that becomes readable when letters arrive.
    var descriptor: Int32 { signal.number }

    /// Leaves a letter and wakes the loop.
    func post(_ letter: Letter) {
        leave(letter)
        call()
    }

    /// Leaves a letter for a loop that is called later.
    func leave(_ letter: Letter) {
        box.withLock { box in
            if !box.isClosed { box.letters.append(letter) }
        }
    }

    /// Wakes the loop if letters wait that it was not woken for: a wake-up is a system call.
    func call() {
        let isNeeded = box.withLock { box in
            guard !box.letters.isEmpty, !box.isCalled else { return false }
            box.isCalled = true
            return true
        }
        if isNeeded { signal.raise() }
    }

    /// Takes all letters, giving `spare` (empty, with capacity) in exchange.
    func take(spare: [Letter]) -> [Letter] {
        signal.wait()
        return box.withLock { box in
            let letters = box.letters
            box.letters = spare
            box.isCalled = false
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
