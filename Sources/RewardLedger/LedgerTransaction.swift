import Crypto
import Model

/// A posted transaction: a link of the journal's chain, never changed.
///
/// `hash` is SHA-256 over the canonical bytes below, so anybody can recompute it. Each piece is
/// preceded by its length as 8 bytes, big endian; integers are 8 bytes, big endian, two's
/// complement; identifiers are their 16 bytes; what is absent is a piece of length 0. In order:
///
/// 1. the text `referrald/ledger/1`,
/// 2. the hash of the transaction before it (32 zero bytes before the first),
/// 3. sequence, id, kind, time of posting (milliseconds since 1970), currency,
/// 4. program, participant, reward, payout, conversion, lead, refund,
/// 5. the number of postings, and for each: account id, account kind, amount,
/// 6. of an entry about a redemption alone: the redemption.
public struct LedgerTransaction: Sendable {
    public struct Line: Sendable {
        public let account: LedgerAccountID
        public let posting: Posting

        public init(account: LedgerAccountID, posting: Posting) {
            self.account = account
            self.posting = posting
        }
    }

    /// Counts from 1 without gaps.
    public let sequence: Int64
    public let id: LedgerTransactionID
    public let entry: JournalEntry
    public let lines: [Line]
    public let postedAt: Instant
    public let previousHash: [UInt8]
    public let hash: [UInt8]

    public init(
        sequence: Int64, id: LedgerTransactionID, entry: JournalEntry, lines: [Line],
        postedAt: Instant, previousHash: [UInt8], hash: [UInt8]
    ) {
        self.sequence = sequence
        self.id = id
        self.entry = entry
        self.lines = lines
        self.postedAt = postedAt
        self.previousHash = previousHash
        self.hash = hash
    }

    /// What `hash` must be.
    public var computedHash: [UInt8] { LedgerTransaction.hash(content, after: previousHash) }

    /// The canonical bytes after the hash of the transaction before: 3. to 6. above.
    public var content: [UInt8] {
        var bytes = CanonicalBytes()
        bytes.append(sequence)
        bytes.append(id)
        bytes.append(entry.kind.rawValue)
        bytes.append(postedAt.milliseconds)
        bytes.append(entry.currency.code)
        bytes.append(entry.program)
        bytes.append(entry.participant)
        bytes.append(entry.reward)
        bytes.append(entry.payout)
        bytes.append(entry.conversion)
        bytes.append(entry.lead)
        bytes.append(entry.refund)
        bytes.append(Int64(lines.count))
        for line in lines {
            bytes.append(line.account)
            bytes.append(line.posting.account.rawValue)
            bytes.append(line.posting.amount)
        }
        // Entries from before there were redemptions have no such piece, not an empty one.
        if let redemption = entry.redemption { bytes.append(redemption) }
        return bytes.bytes
    }

    static func hash(_ content: [UInt8], after previousHash: [UInt8]) -> [UInt8] {
        var bytes = CanonicalBytes()
        bytes.append("referrald/ledger/1")
        bytes.append(previousHash)
        return SHA256.hash(bytes.bytes + content)
    }

    /// Whether `content` begins as that of the transaction with this number does.
    static func isContent(_ content: [UInt8], ofNumber sequence: Int64) -> Bool {
        var bytes = CanonicalBytes()
        bytes.append(sequence)
        return content.starts(with: bytes.bytes)
    }
}

extension LedgerTransaction {
    /// The link that follows `head`.
    init(
        after head: LedgerHead, id: LedgerTransactionID, entry: JournalEntry,
        accounts: [LedgerAccountID], postedAt: Instant
    ) {
        let lines = zip(accounts, entry.postings).map { Line(account: $0, posting: $1) }
        let unsealed = LedgerTransaction(
            sequence: head.sequence + 1, id: id, entry: entry, lines: lines, postedAt: postedAt,
            previousHash: head.hash, hash: [])
        self.init(
            sequence: unsealed.sequence, id: id, entry: entry, lines: lines, postedAt: postedAt,
            previousHash: head.hash, hash: unsealed.computedHash)
    }
}

/// The newest link of the chain: number and hash. Whoever keeps one can tell later whether the
/// journal still holds everything up to it.
public struct LedgerHead: Sendable, Equatable {
    public let sequence: Int64
    public let hash: [UInt8]

    public init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    /// Reads `SEQUENCE:HASH`, as `description` writes it; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = Int64(parts[0]), sequence >= 0,
            let hash = Hex.decode(String(parts[1])), hash.count == 32
        else { return nil }
        self.init(sequence: sequence, hash: hash)
    }

    /// Before the first transaction.
    public static let empty = LedgerHead(sequence: 0, hash: [UInt8](repeating: 0, count: 32))
}

extension LedgerHead: CustomStringConvertible {
    public var description: String { "\(sequence):\(Hex.encode(hash))" }
}

/// Pieces with their lengths, so that no two lists of pieces give the same bytes.
struct CanonicalBytes {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ piece: [UInt8]) {
        appendRaw(UInt64(piece.count))
        bytes.append(contentsOf: piece)
    }

    mutating func append(_ text: String) { append(Array(text.utf8)) }

    mutating func append(_ number: Int64) {
        appendRaw(8)
        appendRaw(UInt64(bitPattern: number))
    }

    mutating func append<Kind>(_ id: Identifier<Kind>?) {
        guard let id else { return appendRaw(0) }
        appendRaw(16)
        appendRaw(id.high)
        appendRaw(id.low)
    }

    private mutating func appendRaw(_ number: UInt64) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
