import Crypto
import Database
import JSON
import Model

/// Proves the receipts: one chain of numbers, hashes and signatures, each of them for the claim
/// that is stored, and one for every claim that was accepted. All SQL of that.
public struct ReceiptVerifier {
    public private(set) var count: Int64 = 0
    /// The first one first.
    public private(set) var faults: [String] = []
    private let keys: [[UInt8]]
    private var head = ReceiptHead.empty
    /// Place of the newest claim so far that had its receipt when it was submitted.
    private var newestClaim: Int64 = 0

    private static let faultsMax = 20

    /// Walks the whole chain. `kept`: a head of an earlier day, which must be in it.
    public static func verify(
        _ reader: Reader, kept: ReceiptHead? = nil
    ) throws -> (count: Int64, faults: [String]) {
        var verifier = ReceiptVerifier(keys: try ReceiptStore.publicKeys(reader))
        try verifier.walk(reader)
        try verifier.findMissing(reader)
        if let kept { try verifier.check(kept, reader) }
        return (verifier.count, verifier.faults)
    }

    private init(keys: [[UInt8]]) { self.keys = keys }

    private mutating func walk(_ reader: Reader) throws {
        try reader.forEach(
            """
            SELECT c.seq, c.body, c.signature, c.hash, c.registration_id, r.seq, r.participant_id,
                r.program_id, r.program_version, r.window_ends_at, r.protected_until_latest,
                r.created_at, r.blocked_by IS NOT NULL, r.nonce, r.account_normalized,
                r.account_domain, r.contact_email, r.account_country
            FROM receipts AS c LEFT JOIN registrations AS r ON r.id = c.registration_id
            ORDER BY c.seq
            """
        ) { row in
            let sequence = try row.int64(0)
            let bytes = try Array(row.text(1).utf8)
            let signature = try row.blob(2)
            if let body = (try? JSONValue.parse(bytes)).flatMap({ ReceiptBody(json: $0) }) {
                let fault =
                    try fault(of: body, bytes, signature, sequence: sequence)
                    ?? disagreement(of: body, row)
                if let fault { add("Receipt \(sequence) \(fault).") }
            } else {
                add("Receipt \(sequence) cannot be read.")
            }
            head = ReceiptHead(sequence: sequence, hash: try row.blob(3))
            if head.hash != Receipt.hash(bytes, signature) {
                add("Receipt \(sequence) does not have its own hash.")
            }
        }
        count = head.sequence
    }

    private func fault(
        of body: ReceiptBody, _ bytes: [UInt8], _ signature: [UInt8], sequence: Int64
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

    /// What the receipt states otherwise than the claim that it proves.
    private mutating func disagreement(of body: ReceiptBody, _ row: Row) throws -> String? {
        guard let place = try row.optionalInt64(5) else { return "is for no claim" }
        let differs = "states another"
        if try body.registration != row.id(4) { return "\(differs) claim than it is kept for" }
        if try body.participant != row.id(6) { return "\(differs) participant than its claim" }
        if try body.program != row.id(7) { return "\(differs) program than its claim" }
        if try body.programVersion != row.int64(8) {
            return "\(differs) version of the program than its claim"
        }
        if try body.windowEndsAt != row.instant(9) {
            return "\(differs) end of the window than its claim"
        }
        if try body.protectedUntilLatest != row.instant(10) {
            return "\(differs) end of protection than its claim"
        }
        // A claim that was refused at first gets its receipt by a ruling, later.
        let created = try row.instant(11)
        let wasRefused = try row.bool(12)
        guard wasRefused ? body.issuedAt >= created : body.issuedAt == created else {
            return "\(differs) time than its claim"
        }
        if !wasRefused {
            if place < newestClaim { return "is for an earlier claim than the one before" }
            newestClaim = place
        }
        return try otherAccount(body, row)
    }

    /// Nil too once the account has been erased: then nothing tells it.
    private func otherAccount(_ body: ReceiptBody, _ row: Row) throws -> String? {
        guard let key = try row.optionalBlob(13), let normalized = try row.optionalText(14) else {
            return nil
        }
        let account = FingerprintedAccount(key: key, normalized: normalized)
        let other = "is for another account than its claim"
        guard account.fingerprint == body.accountFingerprint else { return other }
        let domains = try [
            row.optionalText(15), row.optionalText(16).flatMap { EmailAddress($0)?.domain },
        ].compactMap { $0 }
        guard account.states(domainOf: domains, country: try row.optionalText(17)) else {
            return other
        }
        return nil
    }

    /// Every claim but a refused one was accepted, and has a receipt.
    private mutating func findMissing(_ reader: Reader) throws {
        let missing: [RegistrationID] = try reader.all(
            """
            SELECT r.id FROM registrations AS r
            WHERE r.state <> 'refused' AND NOT (r.blocked_by IS NOT NULL AND r.nonce IS NULL)
                AND NOT EXISTS (SELECT 1 FROM receipts AS c WHERE c.registration_id = r.id)
            ORDER BY r.seq LIMIT ?
            """, Int64(ReceiptVerifier.faultsMax)
        ) { try $0.id(0) }
        for id in missing { add("The accepted claim \(id) has no receipt.") }
    }

    private mutating func check(_ kept: ReceiptHead, _ reader: Reader) throws {
        if kept == .empty { return }
        let hash = try reader.first(
            "SELECT hash FROM receipts WHERE seq = ?", kept.sequence
        ) { try $0.blob(0) }
        switch hash {
        case nil: add("The kept head of receipts, \(kept.sequence), is not in the chain.")
        case kept.hash: break
        default: add("Receipt \(kept.sequence) is not the one that the kept head names.")
        }
    }

    private mutating func add(_ fault: String) {
        if faults.count < ReceiptVerifier.faultsMax { faults.append(fault) }
    }
}

extension FingerprintedAccount {
    /// Whether what was fingerprinted can be the account with one of these domains, in this
    /// country.
    fileprivate func states(domainOf domains: [String], country: String?) -> Bool {
        func line(_ name: String) -> String {
            let prefix = name + "="
            return normalized.split(separator: "\n").first { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) } ?? ""
        }
        let domain = line("domain")
        return line("country") == country ?? ""
            && (domain.isEmpty || domains.contains { $0 == domain || $0.hasSuffix("." + domain) })
    }
}
