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
}
