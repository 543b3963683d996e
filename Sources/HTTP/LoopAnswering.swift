import Glibc
import Platform

// From requests to bytes on the wire, in the order of the requests.
extension Loop {
    /// Hands a complete request to the handler.
    func dispatch(_ connection: Connection, _ request: Request) {
        var slot = Connection.Slot(
            sequence: connection.takeSequence(), requestID: request.id, method: request.method,
            isHTTP10: request.isHTTP10, keepsAlive: request.head.keepsAlive,
            arrival: request.arrival, isRefusal: false, state: .waiting)
        if !slot.keepsAlive { connection.phase = .last }
        let outcome: Outcome
        if request.path == "*" {
            outcome = .answer(Response(status: 204, headers: [("Allow", Self.methodsKnown)]))
        } else {
            let reply = Reply(
                mailbox: mailbox, connection: connection.id, sequence: slot.sequence)
            outcome = handler.handle(request, reply)
        }
        switch outcome {
        case .answer(let response):
            return answer(connection, slot, response)
        case .later:
            break
        case .laterOr(let milliseconds, let fallback):
            slot.state = .waitingOr(fallback)
            addDeadline(connection.id, slot.sequence, milliseconds)
        }
        connection.slots.append(slot)
    }

    /// For `OPTIONS *` (RFC 9110 section 9.3.7).
    private static var methodsKnown: String { "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }

    /// Refuses the request that is being read. Its rest is not read, so the connection ends.
    func refuse(_ connection: Connection, _ problem: Problem) {
        let id = connection.incoming?.id ?? handler.makeRequestID()
        counters.requestsRefused.raise()
        refuse(connection, problem.response(requestID: id), isRefusal: true, id: id)
    }

    func refuse(
        _ connection: Connection, _ response: Response, isRefusal: Bool, id: String? = nil
    ) {
        let request = connection.incoming
        let slot = Connection.Slot(
            sequence: connection.takeSequence(),
            requestID: id ?? request?.id ?? handler.makeRequestID(),
            method: request?.method ?? .other, isHTTP10: request?.isHTTP10 ?? false,
            keepsAlive: false, arrival: request?.arrival ?? now, isRefusal: isRefusal,
            state: .waiting)
        connection.incoming = nil
        release(connection)
        connection.owesContinue = false
        connection.phase = .last
        connection.lingers = true
        touch(connection)
        answer(connection, slot, response)
    }

    /// Writes the answer of a request that was just read, or keeps it until those before it are
    /// written.
    private func answer(
        _ connection: Connection, _ slot: Connection.Slot, _ response: Response
    ) {
        guard !connection.slots.isEmpty || connection.streaming != nil else {
            return write(connection, slot, response)
        }
        var slot = slot
        slot.state = .ready(response)
        connection.readyCost += slot.cost
        connection.slots.append(slot)
    }

    /// Gives the waiting slot at `index` its answer, and writes all that can now go out.
    func settle(_ connection: Connection, slot index: Int, with response: Response) {
        connection.slots[index].state = .ready(response)
        connection.readyCost += response.cost
        touch(connection)
        writeReady(connection)
    }

    /// Writes the answers whose turn it is.
    func writeReady(_ connection: Connection) {
        while connection.streaming == nil, let slot = connection.slots.first,
            case .ready(let response) = slot.state
        {
            connection.slots.removeFirst()
            connection.readyCost -= response.cost
            connection.wait = .none
            write(connection, slot, response)
        }
        sendContinue(connection)
    }

    private func write(
        _ connection: Connection, _ slot: Connection.Slot, _ response: Response
    ) {
        var stream: BodyStream?
        if case .stream(let body) = response.content, slot.method != .head,
            ResponseWriter.hasBody(response.status)
        {
            stream = body
        }
        let closes =
            !slot.keepsAlive || response.closesConnection || drainDeadline != nil
            || stream != nil && slot.isHTTP10
        if closes {
            // When the client did not ask for it, it may be sending more.
            if slot.keepsAlive { connection.lingers = true }
            connection.phase = .last
            connection.slots.removeAll()
            connection.readyCost = 0
        }
        if connection.outbound.wantsBuffer, let spare = spareBuffers.popLast() {
            connection.outbound.give(spare)
        }
        let shape = ResponseWriter.Shape(
            requestID: slot.requestID, isHead: slot.method == .head, closes: closes,
            isHTTP10: slot.isHTTP10)
        let bytes = writer.append(response, shape, at: second, to: &connection.outbound)
        let seconds = MonotonicInstant.now().seconds(since: slot.arrival)
        if let stream {
            connection.streaming = Streaming(
                stream: stream, slot: slot, tag: response.tag, status: response.status,
                seconds: seconds, isChunked: !slot.isHTTP10, bytes: bytes)
            return
        }
        handler.didAnswer(
            Answered(
                method: slot.method, tag: response.tag, status: response.status, bytes: bytes,
                seconds: seconds, requestID: slot.requestID, refusedByParser: slot.isRefusal))
    }

    /// Sends 100 (Continue) if it is owed and nothing has to go out before.
    func sendContinue(_ connection: Connection) {
        guard connection.owesContinue, connection.slots.isEmpty, connection.streaming == nil else {
            return
        }
        connection.owesContinue = false
        connection.outbound.write { $0.append(contentsOf: "HTTP/1.1 100 Continue\r\n\r\n".utf8) }
        touch(connection)
    }

    /// At the turn's end: sends, closes what is done, goes on with what was held back, renews
    /// deadlines.
    func settle(_ connection: Connection) {
        send(connection)
        guard !connection.isClosed else { return }
        pull(connection)
        if connection.phase == .last, connection.slots.isEmpty, !connection.hasOutbound,
            !connection.isLingering, connection.streaming == nil
        {
            end(connection)
        } else if drainDeadline != nil, connection.isResting, connection.requestCount > 0 {
            close(connection)
        }
        guard !connection.isClosed else { return }
        if connection.hasMore || connection.isReadable, !isBlocked(connection),
            !connection.isCarried
        {
            connection.isCarried = true
            carried.append(connection)
        }
        unsentBytes += connection.cost - connection.countedCost
        connection.countedCost = connection.cost
        renewWait(connection)
    }

    private func send(_ connection: Connection) {
        while connection.hasOutbound, connection.isWritable {
            let count = connection.outbound.send(to: connection.socket.number)
            if count >= 0 {
                if connection.wait == .write { connection.progress += count }
                if let buffer = connection.outbound.advance(count) { recycle(buffer) }
            } else if errno == EAGAIN {
                connection.isWritable = false
            } else if errno != EINTR {
                return close(connection)
            }
        }
    }

    /// Puts an emptied buffer where the next connection finds it: resting connections hold none.
    private func recycle(_ buffer: consuming [UInt8]) {
        guard buffer.capacity > 0, buffer.capacity <= Self.receiveBytes, spareBuffers.count < 64
        else { return }
        buffer.removeAll(keepingCapacity: true)
        spareBuffers.append(buffer)
    }

    /// Everything is sent and nothing more will be. Closing with unread bytes would send a reset,
    /// which can destroy the answer before the client reads it (RFC 9112 section 9.6), so first
    /// only our side ends.
    private func end(_ connection: Connection) {
        guard connection.lingers, !connection.sawEnd else { return close(connection) }
        shutdown(connection.socket.number, Int32(SHUT_WR))
        connection.isLingering = true
        connection.isReadable = true
        connection.progress = 0
        discard(connection)
    }
}
