import Model

/// A row that `backup` leaves in its copy alone. Whoever serves a file with it serves another
/// history than the original from there on, says so once to those who follow it, and removes it.
enum CopyMark {
    static func set(at path: String, _ settings: DatabaseSettings, _ now: Instant) throws {
        let copy = try Connection(
            path: path, access: .writer, busyMilliseconds: settings.busyMilliseconds)
        try copy.execute("PRAGMA journal_mode = DELETE")
        try copy.execute("PRAGMA synchronous = FULL")
        try copy.statement(
            """
            INSERT INTO copy_mark (id, made_at) VALUES (1, ?)
            ON CONFLICT (id) DO UPDATE SET made_at = excluded.made_at
            """
        ).run([now]) { try $0.finish() }
    }
}

extension Reader {
    /// Whether the file is a copy that `backup` made, and that nobody has served yet.
    public var isCopy: Bool {
        get throws { try integer("SELECT 1 FROM copy_mark WHERE id = 1") != nil }
    }
}

extension Transaction {
    /// From the commit on, the file is an original again.
    public func removeCopyMark() throws { try run("DELETE FROM copy_mark WHERE id = 1") }
}
