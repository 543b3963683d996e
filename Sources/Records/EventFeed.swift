import Database
import Model

/// Where a reader of the log has got to: `FEED.NUMBER`. A plain number, as it was given out before
/// there were feeds, means the same number of the feed of today.
public struct EventCursor: Sendable, Equatable, CustomStringConvertible {
    public let feed: String?
    public let sequence: Int64

    public init(feed: String?, sequence: Int64) {
        self.feed = feed
        self.sequence = sequence
    }

    /// Nil for what is no cursor.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = parts.last, parts.count <= 2, !last.isEmpty,
            last.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let sequence = Int64(last)
        else { return nil }
        if parts.count == 2 {
            guard parts[0].utf8.count == EventFeed.idLength else { return nil }
            feed = String(parts[0])
        } else {
            feed = nil
        }
        self.sequence = sequence
    }

    public var description: String { (feed.map { $0 + "." } ?? "") + String(sequence) }
}

/// Why a reader cannot go on from where it is.
public enum EventFeedRefusal: Error, Equatable, Sendable {
    /// The log does not reach as far, or the cursor is of another history, as after a restore: what
    /// the reader has seen after `head` did not happen here.
    case cursorAhead(head: EventCursor)
}

/// The histories of the log. There is one, until a copy that `backup` made is served: it goes on
/// under another id, because from there on its numbers mean other events than the original's.
public enum EventFeed {
    static let idLength = 10

    /// Draws the id of a log that has none yet, or that is a copy. To be called once, before the
    /// service answers.
    public static func begin(_ tx: Transaction) throws {
        let isCopy = try tx.isCopy
        guard try isCopy || newest(tx) == nil else { return }
        // The random end of a fresh identifier.
        let id = String(tx.makeID(EventID.self).description.suffix(idLength))
        try tx.run(
            "INSERT INTO feeds (id, from_seq) VALUES (?, ?)", id,
            isCopy ? EventStore.head(tx) : 0)
        try tx.removeCopyMark()
    }

    /// The end of the log; to a participant that of its own events, else it could watch how much
    /// happens.
    public static func head(
        of participant: ParticipantID? = nil, _ reader: Reader
    ) throws -> EventCursor {
        EventCursor(
            feed: try newest(reader), sequence: try EventStore.head(of: participant, reader))
    }

    /// The sequence from which a reader at `cursor` goes on. Throws `EventFeedRefusal`.
    public static func place(
        of cursor: EventCursor, head: EventCursor, _ reader: Reader
    ) throws -> Int64 {
        guard try cursor.sequence <= end(of: cursor.feed, head: head, reader) else {
            throw EventFeedRefusal.cursorAhead(head: head)
        }
        return cursor.sequence
    }

    /// Up to which number the history is this log's: an older one's ends where the next begins, and
    /// of one that is not known nothing is.
    private static func end(
        of feed: String?, head: EventCursor, _ reader: Reader
    ) throws -> Int64 {
        guard let feed, feed != head.feed else { return head.sequence }
        let number = try reader.integer("SELECT seq FROM feeds WHERE id = ?", feed)
        guard let number else { return -1 }
        return try reader.integer(
            "SELECT from_seq FROM feeds WHERE seq > ? ORDER BY seq LIMIT 1", number)
            ?? head.sequence
    }

    private static func newest(_ reader: Reader) throws -> String? {
        try reader.first("SELECT id FROM feeds ORDER BY seq DESC LIMIT 1") { try $0.text(0) }
    }
}
