import Database
import Model

/// All SQL of sales that a code was credited with: whether another participant's click was in the
/// window (R236).
public enum CodeSaleStore {
    /// So many of the newest sales of a code are looked at, and so many of them make it one that
    /// takes the sales of others.
    public static let lookedAt: Int64 = 20
    public static let taken: Int64 = 10

    public static func keep(
        _ link: LinkID, _ conversion: ConversionID, hasOtherClick: Bool, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO code_sales (link_id, conversion_seq, has_other_click)
            SELECT ?, seq, ? FROM conversions WHERE id = ?
            ON CONFLICT (link_id, conversion_seq) DO UPDATE
                SET has_other_click = excluded.has_other_click
            """, link, hasOtherClick, conversion)
    }

    /// How many of the newest sales of the code followed another participant's click.
    public static func takenFromOthers(_ link: LinkID, _ reader: Reader) throws -> Int64 {
        try reader.integer(
            """
            SELECT coalesce(sum(has_other_click), 0) FROM (
                SELECT has_other_click FROM code_sales WHERE link_id = ?
                ORDER BY conversion_seq DESC LIMIT ?)
            """, link, lookedAt) ?? 0
    }
}
