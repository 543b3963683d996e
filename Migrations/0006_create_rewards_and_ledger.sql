-- What rewards are promised, what was earned and paid, and the double-entry journal that proves it.

CREATE TABLE reward_rules (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    name TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'archived')),
    trigger_name TEXT NOT NULL CHECK (trigger_name IN ('lead.qualified', 'lead.won', 'conversion')),
    terms TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX reward_rules_by_program ON reward_rules (program_id, seq);

CREATE TABLE payouts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    reference TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN (
        'draft', 'processing', 'unknown', 'paid', 'partially_paid', 'failed', 'cancelled')),
    currency TEXT NOT NULL,
    rewards_amount INTEGER NOT NULL CHECK (rewards_amount > 0),
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount >= 0),
    amount INTEGER NOT NULL CHECK (amount > 0 AND amount = rewards_amount - clawback_amount),
    paid_amount INTEGER NOT NULL CHECK (paid_amount BETWEEN 0 AND amount),
    reward_count INTEGER NOT NULL CHECK (reward_count > 0),
    provider_reference TEXT,
    reason TEXT,
    submitted_at INTEGER,
    settled_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX payouts_by_participant ON payouts (participant_id, seq);
CREATE INDEX payouts_by_state ON payouts (state, seq);

CREATE TABLE rewards (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    rule_id BLOB NOT NULL REFERENCES reward_rules (id),
    rule_version INTEGER NOT NULL,
    trigger_name TEXT NOT NULL CHECK (trigger_name IN ('lead.qualified', 'lead.won', 'conversion')),
    kind TEXT NOT NULL CHECK (kind IN ('cash', 'account_credit')),
    lead_id BLOB,
    conversion_id BLOB,
    payout_id BLOB REFERENCES payouts (id),
    state TEXT NOT NULL CHECK (state IN (
        'pending', 'review', 'approved', 'paid', 'rejected', 'voided', 'clawed_back')),
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reversed_amount INTEGER NOT NULL CHECK (reversed_amount BETWEEN 0 AND amount),
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount BETWEEN 0 AND reversed_amount),
    settled_amount INTEGER NOT NULL CHECK (
        settled_amount BETWEEN 0 AND amount - reversed_amount + clawback_amount),
    basis TEXT NOT NULL,
    reason TEXT,
    hold_until INTEGER NOT NULL,
    approved_at INTEGER,
    paid_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (trigger_name = 'conversion' OR lead_id IS NOT NULL),
    CHECK (trigger_name <> 'conversion' OR conversion_id IS NOT NULL)
) STRICT;

-- Exactly once: a lead pays a rule once (again only after the first was voided), a conversion pays a
-- rule once to a participant.
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id)
    WHERE trigger_name <> 'conversion' AND state <> 'voided';
CREATE UNIQUE INDEX rewards_once_per_conversion ON rewards (conversion_id, rule_id, participant_id)
    WHERE trigger_name = 'conversion';
CREATE INDEX rewards_by_lead ON rewards (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX rewards_by_conversion ON rewards (conversion_id) WHERE conversion_id IS NOT NULL;
CREATE INDEX rewards_by_participant ON rewards (participant_id, state, seq);
CREATE INDEX rewards_by_state ON rewards (state, seq);

-- The rewards of a payout and how much of each it asked for. A failed payout keeps its rows.
CREATE TABLE payout_rewards (
    payout_id BLOB NOT NULL REFERENCES payouts (id),
    reward_id BLOB NOT NULL REFERENCES rewards (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    settled_amount INTEGER NOT NULL CHECK (settled_amount BETWEEN 0 AND amount),
    PRIMARY KEY (payout_id, reward_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX payout_rewards_by_reward ON payout_rewards (reward_id);

-- An account's owner is the program for its expense, the participant for all others. The balance is
-- the sum of its postings, kept in the transaction that posts.
CREATE TABLE ledger_accounts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN (
        'program_expense', 'participant_pending', 'participant_available', 'payout_clearing',
        'paid_out', 'clawback_receivable')),
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB REFERENCES participants (id),
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'program_expense') = (participant_id IS NULL))
) STRICT;

CREATE UNIQUE INDEX ledger_accounts_of_programs
    ON ledger_accounts (program_id, currency) WHERE participant_id IS NULL;
CREATE UNIQUE INDEX ledger_accounts_of_participants
    ON ledger_accounts (participant_id, kind, currency) WHERE participant_id IS NOT NULL;

CREATE TRIGGER ledger_accounts_keep_their_names
BEFORE UPDATE OF seq, id, kind, program_id, participant_id, currency, created_at ON ledger_accounts
BEGIN SELECT RAISE(ABORT, 'ledger accounts keep their names'); END;

CREATE TRIGGER ledger_accounts_are_not_deleted BEFORE DELETE ON ledger_accounts
BEGIN SELECT RAISE(ABORT, 'ledger accounts are not deleted'); END;

-- seq counts from 1 without gaps; hash covers the row, its postings and previous_hash.
CREATE TABLE ledger_transactions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL,
    reward_id BLOB,
    payout_id BLOB,
    conversion_id BLOB,
    lead_id BLOB,
    refund_id BLOB,
    posted_at INTEGER NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX ledger_transactions_by_participant ON ledger_transactions (participant_id, seq);
CREATE INDEX ledger_transactions_by_reward
    ON ledger_transactions (reward_id) WHERE reward_id IS NOT NULL;
CREATE INDEX ledger_transactions_by_payout
    ON ledger_transactions (payout_id) WHERE payout_id IS NOT NULL;
CREATE INDEX ledger_transactions_by_time ON ledger_transactions (posted_at);

CREATE TRIGGER ledger_transactions_are_not_updated BEFORE UPDATE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER ledger_transactions_are_not_deleted BEFORE DELETE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE ledger_postings (
    transaction_seq INTEGER NOT NULL REFERENCES ledger_transactions (seq),
    line INTEGER NOT NULL,
    account_seq INTEGER NOT NULL REFERENCES ledger_accounts (seq),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transaction_seq, line)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_postings_by_account ON ledger_postings (account_seq, transaction_seq);

CREATE TRIGGER ledger_postings_are_not_updated BEFORE UPDATE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER ledger_postings_are_not_deleted BEFORE DELETE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
