/// Shows offline that one entry is part of the journal up to a head: the entry itself, and what is
/// needed of those after it to compute every hash up to that head.
///
/// The chain is linear, so a proof grows with the distance to its head. Whoever keeps a head from
/// time to time has short ones: a proof may lead to any head, not only to the newest.
public struct EntryProof: Sendable {
    public let entry: LedgerTransaction
    /// `content` of each later transaction up to the head's, in order.
    public let following: [[UInt8]]
    public let head: LedgerHead

    public init(entry: LedgerTransaction, following: [[UInt8]], head: LedgerHead) {
        self.entry = entry
        self.following = following
        self.head = head
    }

    /// About 7 MB of text.
    public static let followingMax: Int64 = 10_000
}

/// Why there is no proof of an entry up to the head that was asked for.
public enum EntryProofRefusal: Error, Equatable, Sendable {
    /// The head is older than the entry.
    case headBeforeEntry(sequence: Int64)
    case noSuchHead(newest: Int64)
    /// More than `EntryProof.followingMax` transactions lie between.
    case headTooFar(last: Int64)
}

/// Why a proof proves nothing.
public enum EntryProofFault: Error, Equatable, Sendable {
    /// The entry is not what its hash was made of.
    case entryChanged
    /// The transactions do not count up to the head one by one.
    case numbersBroken
    /// The hashes lead somewhere else than to the proof's head.
    case chainBroken
    /// The proof is sound, and of another journal or another head than the one that was kept.
    case otherHead
}

/// Decisions about proofs: pure, so that they can be checked without the service.
public enum EntryProofRules {
    /// The number of the head that a proof leads to.
    static func last(
        _ through: Int64?, entry: Int64, newest: Int64
    ) throws(EntryProofRefusal) -> Int64 {
        let last = through ?? newest
        guard last <= newest else { throw .noSuchHead(newest: newest) }
        guard last >= entry else { throw .headBeforeEntry(sequence: entry) }
        guard last - entry <= EntryProof.followingMax else {
            throw .headTooFar(last: entry + EntryProof.followingMax)
        }
        return last
    }

    /// Computes every hash from the entry to the head. `saved` is a head that was kept: the proof
    /// must lead there.
    public static func check(
        _ proof: EntryProof, against saved: LedgerHead? = nil
    ) throws(EntryProofFault) {
        guard proof.entry.sequence > 0, proof.entry.computedHash == proof.entry.hash else {
            throw .entryChanged
        }
        var head = LedgerHead(sequence: proof.entry.sequence, hash: proof.entry.hash)
        for content in proof.following {
            let (next, overflow) = head.sequence.addingReportingOverflow(1)
            guard !overflow, LedgerTransaction.isContent(content, ofNumber: next) else {
                throw .numbersBroken
            }
            head = LedgerHead(
                sequence: next,
                hash: LedgerTransaction.hash(content, after: head.hash))
        }
        guard head.sequence == proof.head.sequence else { throw .numbersBroken }
        guard head == proof.head else { throw .chainBroken }
        guard saved == nil || saved == head else { throw .otherHead }
    }
}
