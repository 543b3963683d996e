import Glibc
import Platform

// From bytes to requests.
extension Loop {
    /// Times that a full buffer is read from one connection in one turn.
    private static var readsPerTurn: Int { 4 }

    /// Reads what the socket has, as far as the connection may go on.
    func read(_ connection: Connection) {
        touch(connection)
        guard !connection.isLingering else { return discard(connection) }
        var reads = 0
        while connection.isReadable, !isBlocked(connection), !connection.isClosed {
            guard reads < Self.readsPerTurn else { return }
            reads += 1
            let count = recv(
                connection.socket.number, receiveBuffer.baseAddress, Self.receiveBytes, 0)
            if count > 0 {
                // A short read emptied the socket: more bytes bring another edge (epoll(7),
                // question 9).
                if count < Self.receiveBytes, !connection.expectsEnd {
                    connection.isReadable = false
                }
                take(connection, UnsafeBufferPointer(receiveBuffer).part(0..<count))
            } else if count == 0 {
                connection.isReadable = false
                connection.sawEnd = true
                connection.phase = .last
                connection.pending = []
            } else if errno == EAGAIN {
                connection.isReadable = false
            } else if errno != EINTR {
                close(connection)
            }
        }
    }

    /// Goes on with requests that had to wait, then with the socket.
    func resume(_ connection: Connection) {
        if connection.hasMore, !isBlocked(connection) { usePending(connection) }
        read(connection)
    }

    /// Whether no more requests may be taken from the connection now.
    func isBlocked(_ connection: Connection) -> Bool {
        connection.phase == .last || connection.streaming != nil
            || connection.slots.count >= max(limits.pipelineDepthMax, 1)
            || connection.unsentBytes > limits.outboundBytesMax
    }

    private func take(_ connection: Connection, _ input: UnsafeBufferPointer<UInt8>) {
        if connection.wait == .body { connection.progress += input.count }
        guard connection.pending.isEmpty else {
            connection.pending.append(contentsOf: input)
            return usePending(connection)
        }
        let used = consume(connection, input)
        if used < input.count, connection.phase != .last {
            connection.pending.append(contentsOf: input.part(used..<input.count))
        }
    }

    private func usePending(_ connection: Connection) {
        var bytes: [UInt8] = []
        swap(&bytes, &connection.pending)
        let used = bytes.withUnsafeBufferPointer { consume(connection, $0) }
        guard connection.phase != .last, used < bytes.count else { return }
        bytes.removeFirst(used)
        swap(&bytes, &connection.pending)
    }

    /// Uses up as much of `input` as makes whole requests and parts of bodies; returns how much
    /// that was.
    private func consume(_ connection: Connection, _ input: UnsafeBufferPointer<UInt8>) -> Int {
        var used = 0
        connection.hasMore = false
        while used < input.count {
            guard !isBlocked(connection) else {
                connection.hasMore = true
                return used
            }
            let rest = input.part(used..<input.count)
            switch connection.phase {
            case .head:
                switch connection.parser.advance(over: rest, limits: limits) {
                case .incomplete:
                    return used
                case .malformed(let refusal):
                    refuse(connection, Problem(refusal))
                case .complete(let head, let length):
                    used += length
                    begin(connection, head, hasMore: used < input.count)
                }
            case .fixedBody:
                used += takeFixed(connection, rest)
            case .chunkedBody:
                used += takeChunked(connection, rest)
            case .last:
                return used
            }
        }
        return used
    }

    private func begin(_ connection: Connection, _ head: RequestHead, hasMore: Bool) {
        let request = Request(
            head, id: handler.makeRequestID(), peer: connection.peer,
            listener: connection.listener, arrival: now)
        connection.requestCount += 1
        // The next wait is a new one, also when it is of the same kind.
        connection.wait = .none
        counters.requests.raise()
        guard head.expectation != .unknown else {
            connection.incoming = request
            return refuse(
                connection,
                Problem(
                    417, "expectation_failed",
                    detail: "The only expectation that is met is 100-continue."))
        }
        guard head.framing != .none else { return dispatch(connection, request) }
        connection.incoming = request
        guard let bytesMax = bodyBytesMax(connection, request) else { return }
        switch head.framing {
        case .length(let length):
            guard length <= bytesMax else {
                return refuse(connection, Problem(ChunkedBody.tooLarge))
            }
            connection.bodyRemaining = length
            // A declared length is no reason to reserve memory for it before bytes come.
            connection.incoming?.body.reserveCapacity(min(length, Self.receiveBytes))
            connection.phase = .fixedBody
        case .chunked, .none:
            connection.chunks = ChunkedBody(bytesMax: bytesMax)
            connection.phase = .chunkedBody
        }
        // RFC 9110 section 10.1.1: no 100 when the body is on its way already.
        connection.owesContinue = head.expectation == .continue && !hasMore
        sendContinue(connection)
    }

    /// The bound for the request's body; nil when the handler refused, which is then answered.
    private func bodyBytesMax(_ connection: Connection, _ request: Request) -> Int? {
        switch handler.decideBody(request) {
        case .accept(let bytesMax):
            return bytesMax
        case .acceptUpToLimit:
            return limits.bodyBytesMax
        case .refuse(let response):
            refuse(connection, response, isRefusal: false)
            return nil
        }
    }

    private func takeFixed(_ connection: Connection, _ rest: UnsafeBufferPointer<UInt8>) -> Int {
        let count = min(connection.bodyRemaining, rest.count)
        connection.owesContinue = false
        connection.incoming?.body.append(contentsOf: rest.part(0..<count))
        connection.bodyRemaining -= count
        guard hold(count, for: connection) else { return rest.count }
        if connection.bodyRemaining == 0 { finishBody(connection) }
        return count
    }

    /// Counts bytes of an unfinished body; false when there are too many now, which is answered.
    private func hold(_ count: Int, for connection: Connection) -> Bool {
        connection.heldBytes += count
        heldBytes += count
        guard heldBytes > limits.unfinishedBodiesBytesMax else { return true }
        refuse(
            connection,
            Problem(
                503, "too_many_bodies", detail: "Too many large requests are on their way.",
                headers: [("Retry-After", "1")]))
        return false
    }

    /// The body is whole, or will never be.
    func release(_ connection: Connection) {
        heldBytes -= connection.heldBytes
        connection.heldBytes = 0
    }

    private func takeChunked(_ connection: Connection, _ rest: UnsafeBufferPointer<UInt8>) -> Int {
        connection.owesContinue = false
        guard var request = connection.incoming else { return rest.count }
        // Taken out while it grows: a second reference would have the body copied.
        connection.incoming = nil
        let progress = connection.chunks.advance(over: rest, into: &request.body, limits: limits)
        connection.incoming = request
        switch progress {
        case .incomplete:
            _ = hold(request.body.count - connection.heldBytes, for: connection)
            return rest.count
        case .malformed(let refusal):
            refuse(connection, Problem(refusal))
            return rest.count
        case .complete(let consumed):
            finishBody(connection)
            return consumed
        }
    }

    private func finishBody(_ connection: Connection) {
        connection.phase = .head
        connection.wait = .none
        release(connection)
        guard let request = connection.incoming else { return }
        connection.incoming = nil
        dispatch(connection, request)
    }

    /// Reads and drops what still comes on a connection that we have ended.
    func discard(_ connection: Connection) {
        while connection.isReadable {
            let count = recv(
                connection.socket.number, receiveBuffer.baseAddress, Self.receiveBytes, 0)
            if count > 0 {
                connection.progress += count
                if connection.progress > limits.lingerBytesMax { return close(connection) }
            } else if count < 0, errno == EAGAIN {
                connection.isReadable = false
            } else if count == 0 || errno != EINTR {
                return close(connection)
            }
        }
    }
}
