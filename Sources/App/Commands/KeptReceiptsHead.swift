import Crypto
import JSON
import LeadRegistration

/// A head of the chain of receipts that somebody kept, as `verify` is given it.
enum KeptReceiptsHead {
    static let member = "receipts_head"

    /// `SEQ:HASH`, or a file with the answer of `/v1/registrations/head`.
    static func read(_ option: String) throws -> ReceiptHead {
        if let head = parse(option) { return head }
        let object = SmallFile.bytes(option).flatMap { try? JSONValue.parse($0).objectValue }
        guard let object, let sequence = object["sequence"]?.integerValue,
            let hash = object["hash"]?.stringValue, let head = parse("\(sequence):\(hash)")
        else {
            throw UsageError(
                description: "--receipts-head is neither SEQ:HASH nor a file with a head.")
        }
        return head
    }

    static func parse(_ text: String) -> ReceiptHead? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = Int64(parts[0]), sequence >= 0,
            let hash = Hex.decode(String(parts[1])), hash.count == 32
        else { return nil }
        return ReceiptHead(sequence: sequence, hash: hash)
    }

    /// What the daemon is asked.
    static func body(_ head: ReceiptHead?) -> JSONValue {
        guard let head else { return [:] }
        return [member: .string("\(head.sequence):\(Hex.encode(head.hash))")]
    }
}
