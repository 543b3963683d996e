import JSON
import RewardLedger

/// A head of the journal that somebody kept, as `--head` names it.
enum SavedHead {
    static let option = (
        flag: "--head", value: "HEAD",
        help: "A head that was kept: SEQUENCE:HASH, or a file with the answer of /v1/ledger/head."
    )

    /// Nil without the option. Throws `UsageError` for one that names no head: a mistyped path must
    /// not pass for a proof.
    static func read(_ arguments: Arguments) throws -> LedgerHead? {
        guard let text = arguments.options[option.flag] else { return nil }
        if let head = LedgerHead(text) { return head }
        guard let file = SmallFile.bytes(text),
            let object = (try? JSONValue.parse(file))?.objectValue,
            let head = LedgerHeadWire.head(object)
        else {
            throw UsageError(description: "--head is neither SEQUENCE:HASH nor a file with a head.")
        }
        return head
    }
}
