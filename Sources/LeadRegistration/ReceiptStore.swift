import Crypto
import Database
import JSON
import Model

/// The newest link of the chain of receipts; number 0 and zeros before the first.
public struct ReceiptHead: Sendable, Equatable {
    public let sequence: Int64
    public let hash: [UInt8]

    public init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    public static let empty = ReceiptHead(sequence: 0, hash: ReceiptBody.noHash)
}

/// All SQL of receipts and of the keys that signed them.
public enum ReceiptStore {
    public static func head(_ reader: Reader) throws -> ReceiptHead {
        try reader.first("SELECT seq, hash FROM receipts ORDER BY seq DESC LIMIT 1") { row in
            try ReceiptHead(sequence: row.int64(0), hash: row.blob(1))
        } ?? .empty
    }

    /// The receipt of a registration; its `account` part is the caller's to add.
    public static func find(_ id: RegistrationID, _ reader: Reader) throws -> Receipt? {
        try reader.first(
            "SELECT body, signature FROM receipts WHERE registration_id = ?", id
        ) { row in
            guard let body = try ReceiptBody(json: JSONValue.parse(Array(row.text(0).utf8))) else {
                throw DatabaseFault(operation: "read a receipt", code: DatabaseFault.corrupt)
            }
            return try Receipt(body: body, signature: row.blob(1), account: nil)
        }
    }

    /// Appends the receipt, which must follow the head, and keeps the key that signed it.
    public static func append(_ receipt: Receipt, publicKey: [UInt8], _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO signing_keys (public_key, first_used_at) VALUES (?, ?)
            ON CONFLICT (public_key) DO NOTHING
            """, publicKey, tx.now)
        try tx.run(
            """
            INSERT INTO receipts (seq, registration_id, body, signature, hash)
            VALUES (?, ?, ?, ?, ?)
            """, receipt.body.sequence, receipt.body.registration, receipt.body.json.text,
            receipt.signature, receipt.hash)
    }

    /// Every key that signed a receipt, oldest first.
    public static func publicKeys(_ reader: Reader) throws -> [[UInt8]] {
        try reader.all("SELECT public_key FROM signing_keys ORDER BY first_used_at, public_key") {
            try $0.blob(0)
        }
    }

    /// Walks the whole chain: numbers without gaps, each body with the hash of the one before and a
    /// signature of a known key. Returns the number of receipts and the faults, the first one
    /// first, at most 20.
    public static func verify(_ reader: Reader) throws -> (count: Int64, faults: [String]) {
        let keys = try publicKeys(reader)
        var head = ReceiptHead.empty
        var faults: [String] = []
        try reader.forEach("SELECT seq, body, signature, hash FROM receipts ORDER BY seq") { row in
            guard faults.count < 20 else { return }
            let sequence = try row.int64(0)
            let bytes = try Array(row.text(1).utf8)
            let signature = try row.blob(2)
            let fault: String?
            if let body = (try? JSONValue.parse(bytes)).flatMap({ ReceiptBody(json: $0) }) {
                fault = ReceiptStore.fault(
                    of: body, bytes, signature, sequence: sequence, after: head, keys: keys)
            } else {
                fault = "cannot be read"
            }
            if let fault { faults.append("Receipt \(sequence) \(fault).") }
            head = ReceiptHead(sequence: sequence, hash: try row.blob(3))
            if head.hash != Receipt.hash(bytes, signature) {
                faults.append("Receipt \(sequence) does not have its own hash.")
            }
        }
        return (head.sequence, faults)
    }

    private static func fault(
        of body: ReceiptBody, _ bytes: [UInt8], _ signature: [UInt8], sequence: Int64,
        after head: ReceiptHead, keys: [[UInt8]]
    ) -> String? {
        if sequence != head.sequence &+ 1 { return "does not follow number \(head.sequence)" }
        if body.sequence != sequence { return "names another number" }
        if body.previousHash != head.hash { return "does not carry the hash of the one before" }
        guard let key = keys.first(where: { ReceiptBody.keyID(of: $0) == body.keyID }) else {
            return "is signed by a key that is not known"
        }
        guard Ed25519.verify(signature, of: ReceiptBody.signedBytes(bytes), by: key) else {
            return "has a signature that does not hold"
        }
        return nil
    }
}
