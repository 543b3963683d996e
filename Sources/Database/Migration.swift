/// One numbered step of the schema.
public struct Migration: Sendable, Equatable {
    /// The file's name: `NNNN_what_it_does.sql`, numbered from 0001 without a gap.
    public let name: String
    public let sql: String
    /// SHA-256 of the file's bytes; a released file is never edited, and this is how it shows.
    public let checksum: [UInt8]

    public init(name: String, sql: String, checksum: [UInt8]) {
        self.name = name
        self.sql = sql
        self.checksum = checksum
    }
}
