import Database
import LeadRegistration
import Model

/// A claim is accepted: its partner gets the next receipt of the chain.
enum IssueReceipt {
    static func run(
        _ registration: Registration, _ key: SigningKey, _ tx: Transaction
    ) throws {
        guard let account = registration.fingerprinted else { return }
        let head = try ReceiptStore.head(tx)
        let body = ReceiptBody(
            sequence: head.sequence + 1, issuedAt: tx.now, registration: registration.id,
            participant: registration.participant, program: registration.program,
            programVersion: registration.programVersion,
            accountFingerprint: account.fingerprint, windowEndsAt: registration.windowEndsAt,
            protectedUntilLatest: registration.protectedUntilLatest, previousHash: head.hash,
            keyID: ReceiptBody.keyID(of: key.publicKey))
        let receipt = Receipt(body: body, signature: try key.sign(body), account: nil)
        try ReceiptStore.append(receipt, publicKey: key.publicKey, tx)
    }
}
