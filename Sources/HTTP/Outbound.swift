import Glibc

/// The bytes that one client has yet to take, in order. Small answers are copied one behind the
/// other into a buffer; large bodies wait as they are, and shared ones cost nothing.
struct Outbound {
    private struct Piece {
        enum Kind { case buffer, body, shared }

        var bytes: [UInt8] = []
        var kind = Kind.buffer

        var cost: Int { kind == .shared ? 0 : bytes.count }
        /// Whether more may be written behind its bytes. A buffer that is never empty would grow
        /// for ever under a client that keeps asking.
        var isOpen: Bool { kind == .buffer && bytes.count < Outbound.bufferBytes }
    }

    /// Bodies up to this size are copied behind their heads, so that both leave in one call.
    static let copiedBytesMax = 16_384
    private static let bufferBytes = 65_536

    private var first = Piece()
    private var start = 0
    /// Seldom used: what follows the first piece.
    private var rest: [Piece] = []
    /// Bytes that were not sent.
    private(set) var count = 0
    /// Bytes of memory that are held until they are.
    private(set) var cost = 0

    var isEmpty: Bool { count == 0 }

    /// Whether a buffer that was used before would save an allocation.
    var wantsBuffer: Bool { first.bytes.capacity == 0 }

    mutating func give(_ buffer: [UInt8]) { first.bytes = buffer }

    /// Has `body` append bytes; returns how many.
    @discardableResult
    mutating func write(_ body: (inout [UInt8]) -> Void) -> Int {
        var added: Int
        if rest.isEmpty, first.isOpen {
            added = -first.bytes.count
            body(&first.bytes)
            added += first.bytes.count
        } else {
            if rest.last?.isOpen != true { rest.append(Piece()) }
            added = -rest[rest.count - 1].bytes.count
            body(&rest[rest.count - 1].bytes)
            added += rest[rest.count - 1].bytes.count
        }
        count += added
        cost += added
        return added
    }

    /// Appends a body.
    mutating func append(_ bytes: [UInt8], isShared: Bool = false) {
        guard bytes.count > Outbound.copiedBytesMax else {
            write { $0.append(contentsOf: bytes) }
            return
        }
        let piece = Piece(bytes: bytes, kind: isShared ? .shared : .body)
        count += bytes.count
        cost += piece.cost
        if first.bytes.isEmpty {
            first = piece
        } else {
            rest.append(piece)
        }
    }

    /// Sends what the socket takes now: the number of bytes, or -1 with errno.
    func send(to socket: Int32) -> Int {
        // More follows: the kernel need not send the head's packet by itself.
        let flags = Int32(MSG_NOSIGNAL) | (rest.isEmpty ? 0 : Int32(MSG_MORE))
        return first.bytes.withUnsafeBytes { bytes in
            Glibc.send(socket, bytes.baseAddress?.advanced(by: start), bytes.count - start, flags)
        }
    }

    /// Forgets `count` bytes that were sent. Returns an emptied buffer for the next connection.
    mutating func advance(_ sent: Int) -> [UInt8]? {
        start += sent
        count -= sent
        guard start == first.bytes.count else { return nil }
        cost -= first.cost
        start = 0
        var done = rest.isEmpty ? Piece() : rest.removeFirst()
        if rest.isEmpty { rest = [] }
        swap(&done, &first)
        return done.kind == .buffer ? done.bytes : nil
    }
}
