import Crypto
import JSON
import Model

/// What a partner holds in hand to prove that its claim was accepted: number, time and account,
/// signed, and chained to the receipt before it.
///
/// The account itself is not in the signed body, only its fingerprint: HMAC-SHA-256 under a random
/// key of this claim. Whoever holds the receipt's `account` part can show which account it is for;
/// once that is erased, the chain says nothing about anybody.
public struct Receipt: Sendable, Equatable {
    public let body: ReceiptBody
    /// Ed25519 over `signedBytes` of the body.
    public let signature: [UInt8]
    /// Key of the fingerprint and the account as it was fingerprinted; nil once erased.
    public let account: FingerprintedAccount?

    public init(body: ReceiptBody, signature: [UInt8], account: FingerprintedAccount?) {
        self.body = body
        self.signature = signature
        self.account = account
    }

    /// What the next receipt names: SHA-256 of the body's bytes and the signature.
    public var hash: [UInt8] { Receipt.hash(Array(body.json.text.utf8), signature) }

    public static func hash(_ body: [UInt8], _ signature: [UInt8]) -> [UInt8] {
        SHA256.hash(body + signature)
    }

    /// The only bytes that are a receipt: compact JSON, members in this order.
    public var json: JSONValue {
        var object: JSONObject = [
            "object": "receipt", "body": body.json, "signature": .string(Hex.encode(signature)),
        ]
        object["account"] =
            account.map {
                ["key": .string(Hex.encode($0.key)), "normalized": .string($0.normalized)]
            } ?? .null
        return .object(object)
    }
}

/// An account in the one spelling that is fingerprinted, with the key.
public struct FingerprintedAccount: Sendable, Equatable {
    public let key: [UInt8]
    public let normalized: String

    public init(key: [UInt8], normalized: String) {
        self.key = key
        self.normalized = normalized
    }

    public var fingerprint: [UInt8] { HMAC.sha256(key: key, Array(normalized.utf8)) }
}

/// The signed part of a receipt. It holds ids, times and hashes, nothing personal.
public struct ReceiptBody: Sendable, Equatable {
    public let sequence: Int64
    public let issuedAt: Instant
    public let registration: RegistrationID
    public let participant: ParticipantID
    public let program: ProgramID
    /// Of the rules in force.
    public let programVersion: Int64
    public let accountFingerprint: [UInt8]
    public let windowEndsAt: Instant
    public let protectedUntilLatest: Instant
    /// Hash of the receipt before; 32 zeros for the first.
    public let previousHash: [UInt8]
    /// Names the key: the first 8 bytes of SHA-256 of the public key.
    public let keyID: [UInt8]

    public init(
        sequence: Int64, issuedAt: Instant, registration: RegistrationID,
        participant: ParticipantID, program: ProgramID, programVersion: Int64,
        accountFingerprint: [UInt8], windowEndsAt: Instant, protectedUntilLatest: Instant,
        previousHash: [UInt8], keyID: [UInt8]
    ) {
        self.sequence = sequence
        self.issuedAt = issuedAt
        self.registration = registration
        self.participant = participant
        self.program = program
        self.programVersion = programVersion
        self.accountFingerprint = accountFingerprint
        self.windowEndsAt = windowEndsAt
        self.protectedUntilLatest = protectedUntilLatest
        self.previousHash = previousHash
        self.keyID = keyID
    }

    public static let noHash = [UInt8](repeating: 0, count: 32)

    public static func keyID(of publicKey: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(publicKey).prefix(8))
    }

    public var json: JSONValue {
        [
            "sequence": .integer(sequence), "issued_at": .string(issuedAt.rfc3339),
            "registration_id": .string(registration.description),
            "participant_id": .string(participant.description),
            "program_id": .string(program.description),
            "program_version": .integer(programVersion),
            "account_fingerprint": .string(Hex.encode(accountFingerprint)),
            "window_ends_at": .string(windowEndsAt.rfc3339),
            "protected_until_latest": .string(protectedUntilLatest.rfc3339),
            "previous_hash": .string(Hex.encode(previousHash)),
            "key_id": .string(Hex.encode(keyID)),
        ]
    }

    /// Reads what `json` wrote; nil for anything else.
    public init?(json: JSONValue) {
        guard let object = json.objectValue, object.count == 11,
            let sequence = object["sequence"]?.integerValue, sequence > 0,
            let issuedAt = object["issued_at"]?.stringValue.flatMap({ Instant(rfc3339: $0) }),
            let registration = object["registration_id"]?.stringValue.flatMap({
                RegistrationID($0)
            }),
            let participant = object["participant_id"]?.stringValue.flatMap({ ParticipantID($0) }),
            let program = object["program_id"]?.stringValue.flatMap({ ProgramID($0) }),
            let version = object["program_version"]?.integerValue,
            let fingerprint = object["account_fingerprint"]?.stringValue.flatMap({
                Hex.decode($0)
            }),
            let windowEnds = object["window_ends_at"]?.stringValue.flatMap({
                Instant(rfc3339: $0)
            }),
            let latest = object["protected_until_latest"]?.stringValue.flatMap({
                Instant(rfc3339: $0)
            }),
            let previous = object["previous_hash"]?.stringValue.flatMap({ Hex.decode($0) }),
            let keyID = object["key_id"]?.stringValue.flatMap({ Hex.decode($0) })
        else { return nil }
        self.init(
            sequence: sequence, issuedAt: issuedAt, registration: registration,
            participant: participant, program: program, programVersion: version,
            accountFingerprint: fingerprint, windowEndsAt: windowEnds,
            protectedUntilLatest: latest, previousHash: previous, keyID: keyID)
    }

    /// What is signed. The prefix keeps the key from signing anything else by accident.
    public static func signedBytes(_ body: [UInt8]) -> [UInt8] {
        Array("referrald receipt 1\n".utf8) + body
    }
}

/// Why a file is no receipt that this key signed.
public enum ReceiptFault: Error, Equatable, Sendable {
    /// Not byte for byte what the service writes.
    case notCanonical
    /// Signed by another key.
    case otherKey(String)
    case badSignature
    /// The account is not the one that was fingerprinted.
    case otherAccount
}

/// Checks a receipt without the service.
public enum ReceiptRules {
    /// The body of the receipt in `file`, signed by one of `publicKeys`. Every byte counts but one
    /// line end after the last, which editors add.
    public static func check(
        _ file: [UInt8], publicKeys: [[UInt8]]
    ) throws(ReceiptFault) -> ReceiptBody {
        let bytes = file.last == UInt8(ascii: "\n") ? Array(file.dropLast()) : file
        guard let receipt = parse(bytes), receipt.json.encoded() == bytes else {
            throw .notCanonical
        }
        let keyID = receipt.body.keyID
        guard let key = publicKeys.first(where: { ReceiptBody.keyID(of: $0) == keyID }) else {
            throw .otherKey(Hex.encode(keyID))
        }
        let signed = ReceiptBody.signedBytes(receipt.body.json.encoded())
        guard Ed25519.verify(receipt.signature, of: signed, by: key) else { throw .badSignature }
        if let account = receipt.account {
            guard account.fingerprint == receipt.body.accountFingerprint else {
                throw .otherAccount
            }
        }
        return receipt.body
    }

    private static func parse(_ bytes: [UInt8]) -> Receipt? {
        guard let object = (try? JSONValue.parse(bytes))?.objectValue,
            let body = object["body"].flatMap({ ReceiptBody(json: $0) }),
            let signature = object["signature"]?.stringValue.flatMap({ Hex.decode($0) })
        else { return nil }
        var account: FingerprintedAccount?
        if let part = object["account"]?.objectValue {
            guard let key = part["key"]?.stringValue.flatMap({ Hex.decode($0) }),
                let normalized = part["normalized"]?.stringValue
            else { return nil }
            account = FingerprintedAccount(key: key, normalized: normalized)
        }
        return Receipt(body: body, signature: signature, account: account)
    }
}
