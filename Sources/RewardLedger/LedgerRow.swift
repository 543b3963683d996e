import Database
import Model

/// A row of the journal as it is stored, whatever it says: the verifier must be able to read what
/// somebody has tampered with.
struct LedgerRow {
    /// A posting with its account.
    struct Posted {
        let account: LedgerAccountID
        let kind: String
        let amount: Int64
        let currency: String
        /// Of the account, after it.
        let balanceAfter: Int64

        /// Reads account id, account kind, amount, currency and the balance from five columns.
        init(_ row: Row, from column: Int) throws {
            account = try row.id(column)
            kind = try row.text(column + 1)
            amount = try row.int64(column + 2)
            currency = try row.text(column + 3)
            balanceAfter = try row.int64(column + 4)
        }
    }

    let sequence: Int64
    let id: LedgerTransactionID
    let kind: String
    let program: ProgramID
    let participant: ParticipantID
    let reward: RewardID?
    let payout: PayoutID?
    let conversion: ConversionID?
    let lead: LeadID?
    let refund: RefundID?
    let postedAt: Instant
    let previousHash: [UInt8]
    let hash: [UInt8]
    let redemption: RedemptionID?

    /// Reads the first 14 columns: seq, id, kind, program_id, participant_id, reward_id, payout_id,
    /// conversion_id, lead_id, refund_id, posted_at, previous_hash, hash, redemption_id.
    init(_ row: Row) throws {
        sequence = try row.int64(0)
        id = try row.id(1)
        kind = try row.text(2)
        program = try row.id(3)
        participant = try row.id(4)
        reward = try row.optionalID(5)
        payout = try row.optionalID(6)
        conversion = try row.optionalID(7)
        lead = try row.optionalID(8)
        refund = try row.optionalID(9)
        postedAt = try row.instant(10)
        previousHash = try row.blob(11)
        hash = try row.blob(12)
        redemption = try row.optionalID(13)
    }

    /// The transaction with its postings. Throws `DatabaseFault` when they are not what this
    /// program writes.
    func transaction(with postings: [Posted]) throws -> LedgerTransaction {
        guard let transaction = whole(with: postings) else {
            throw DatabaseFault(operation: "read a transaction", code: DatabaseFault.corrupt)
        }
        return transaction
    }

    /// Nil when a kind or currency is not known, or the postings are in several currencies or none.
    func whole(with postings: [Posted]) -> LedgerTransaction? {
        guard let entryKind = JournalEntry.Kind(rawValue: kind),
            let code = postings.first?.currency, let currency = Currency(stored: code),
            postings.allSatisfy({ $0.currency == code })
        else { return nil }
        var lines: [LedgerTransaction.Line] = []
        for posting in postings {
            guard let kind = LedgerAccount.Kind(rawValue: posting.kind) else { return nil }
            lines.append(
                LedgerTransaction.Line(
                    account: posting.account, posting: Posting(kind, posting.amount)))
        }
        return LedgerTransaction(
            sequence: sequence, id: id,
            entry: JournalEntry(
                entryKind, program: program, participant: participant, currency: currency,
                postings: lines.map(\.posting), reward: reward, payout: payout,
                conversion: conversion, lead: lead, refund: refund, redemption: redemption),
            lines: lines, postedAt: postedAt, previousHash: previousHash, hash: hash)
    }
}
