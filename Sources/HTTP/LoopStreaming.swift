import Platform

// Bodies that are made while they are sent, and clients that do not take theirs.
extension Loop {
    /// Has the next slice made when the one before is nearly sent.
    func pull(_ connection: Connection) {
        guard let streaming = connection.streaming, !streaming.isPulling,
            connection.outbound.count <= limits.streamBytesLow
        else { return }
        connection.streaming?.isPulling = true
        let (mailbox, id, sequence) = (mailbox, connection.id, streaming.slot.sequence)
        streaming.stream.pull { slice in
            mailbox.post(.slice(connection: id, sequence: sequence, slice))
        }
    }

    func take(_ slice: BodyStream.Slice, of sequence: UInt32, _ connection: Connection) {
        guard var streaming = connection.streaming, streaming.slot.sequence == sequence,
            streaming.isPulling
        else { return }
        streaming.isPulling = false
        touch(connection)
        let before = connection.outbound.count
        switch slice {
        case .bytes(let bytes):
            write(bytes, isChunked: streaming.isChunked, to: &connection.outbound)
        case .end:
            // RFC 9112 section 7.1: the last chunk, and no trailers.
            if streaming.isChunked {
                connection.outbound.write { $0.append(contentsOf: "0\r\n\r\n".utf8) }
            }
        case .failed:
            handler.didAnswer(streaming.answered)
            return reset(connection)
        }
        streaming.bytes += connection.outbound.count - before
        guard case .end = slice else {
            connection.streaming = streaming
            return
        }
        connection.streaming = nil
        connection.wait = .none
        handler.didAnswer(streaming.answered)
        writeReady(connection)
    }

    private func write(_ bytes: [UInt8], isChunked: Bool, to outbound: inout Outbound) {
        // A chunk of nothing would end the body.
        guard !bytes.isEmpty else { return }
        guard isChunked else { return outbound.append(bytes) }
        outbound.write { $0.append(contentsOf: (String(bytes.count, radix: 16) + "\r\n").utf8) }
        outbound.append(bytes)
        outbound.write { $0.append(contentsOf: "\r\n".utf8) }
    }

    /// Closes the readers that are furthest behind the slowest link that is served, until a quarter
    /// of this loop's share is free again.
    func closeSlowReaders() {
        var slow: [(lateness: UInt64, connection: Connection)] = []
        for case let connection? in connections where connection.countedCost > 0 {
            slow.append((allowances.lateness(connection, at: now), connection))
        }
        slow.sort { $0.lateness > $1.lateness }
        for (_, connection) in slow {
            guard unsentBytes > unsentBytesMax / 4 * 3 else { return }
            counters.slowReadersClosed.raise()
            reset(connection)
        }
    }
}
