import Crypto
import JSON
import Model
import RewardLedger

/// How a proof of one entry of the journal looks as an answer and as a file.
enum EntryProofWire {
    static let schema = Schema.named(
        "LedgerProof",
        .object([
            .required("object", .choice(["ledger_proof"])),
            .required("entry", LedgerTransactionWire.schema),
            .required(
                "following",
                .list(.text(64...8_192), count: 0...Int(EntryProof.followingMax)),
                "For each later transaction up to the head, its canonical bytes after "
                    + "previous_hash, in hexadecimal."),
            .required("head", LedgerHeadWire.schema),
        ]))

    static func json(_ proof: EntryProof) -> [UInt8] {
        var json = JSONWriter(capacity: 2_048 + 1_024 * proof.following.count)
        json.object { object in
            object.field("object", "ledger_proof")
            object.object("entry") { LedgerTransactionWire.write(proof.entry, &$0) }
            object.array("following") { list in
                for content in proof.following { list.element(Hex.encode(content)) }
            }
            object.object("head") { LedgerHeadWire.write(proof.head, &$0) }
        }
        return json.bytes
    }

    /// The proof in a file that is, byte for byte, what `json` writes; nil for anything else. One
    /// line end after the last byte does not count: editors add it.
    static func proof(in file: [UInt8]) -> EntryProof? {
        let bytes = file.last == UInt8(ascii: "\n") ? Array(file.dropLast()) : file
        guard let object = (try? JSONValue.parse(bytes))?.objectValue,
            let entry = object["entry"]?.objectValue.flatMap({ LedgerTransactionWire.read($0) }),
            let texts = object["following"]?.arrayValue,
            let head = object["head"]?.objectValue.flatMap({ LedgerHeadWire.head($0) })
        else { return nil }
        let following = texts.compactMap { $0.stringValue.flatMap { Hex.decode($0) } }
        let proof = EntryProof(entry: entry, following: following, head: head)
        return json(proof) == bytes ? proof : nil
    }
}

extension LedgerTransactionWire {
    /// Reads what `write` wrote. What it does not look at is for the caller to compare.
    fileprivate static func read(_ json: JSONObject) -> LedgerTransaction? {
        guard let sequence = json["sequence"]?.integerValue,
            let id: LedgerTransactionID = identifier(json, "id"),
            let program: ProgramID = identifier(json, "program_id"),
            let participant: ParticipantID = identifier(json, "participant_id"),
            let kind = json["kind"]?.stringValue.flatMap({ JournalEntry.Kind(rawValue: $0) }),
            let currency = json["currency"]?.stringValue.flatMap({ Currency(stored: $0) }),
            let postedAt = json["posted_at"]?.stringValue.flatMap({ Instant(rfc3339: $0) }),
            let lines = json["postings"]?.arrayValue?.compactMap({ line($0) }),
            let previousHash = json["previous_hash"]?.stringValue.flatMap({ Hex.decode($0) }),
            let hash = json["hash"]?.stringValue.flatMap({ Hex.decode($0) })
        else { return nil }
        return LedgerTransaction(
            sequence: sequence, id: id,
            entry: JournalEntry(
                kind, program: program, participant: participant, currency: currency,
                postings: lines.map(\.posting), reward: identifier(json, "reward_id"),
                payout: identifier(json, "payout_id"),
                conversion: identifier(json, "conversion_id"), lead: identifier(json, "lead_id"),
                refund: identifier(json, "refund_id"),
                redemption: identifier(json, "redemption_id")),
            lines: lines, postedAt: postedAt, previousHash: previousHash, hash: hash)
    }

    private static func line(_ json: JSONValue) -> LedgerTransaction.Line? {
        guard let object = json.objectValue,
            let account: LedgerAccountID = identifier(object, "account_id"),
            let kind = object["account"]?.stringValue.flatMap({ LedgerAccount.Kind(rawValue: $0) }),
            let amount = object["amount"]?.integerValue
        else { return nil }
        return LedgerTransaction.Line(account: account, posting: Posting(kind, amount))
    }

    private static func identifier<Kind>(_ json: JSONObject, _ name: String) -> Identifier<Kind>? {
        json[name]?.stringValue.flatMap { Identifier<Kind>($0) }
    }
}
