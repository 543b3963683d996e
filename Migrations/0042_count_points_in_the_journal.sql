-- Points are a unit of the journal: rewards may be of them, and the program books what it has given on
-- an account of its own. Both tables are made anew, because their kinds were listed; their checks compare
-- one word after the other, for an IN of more than two words costs a table with every row.

CREATE TABLE new_rewards (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    rule_id BLOB NOT NULL REFERENCES reward_rules (id),
    rule_version INTEGER NOT NULL,
    trigger_name TEXT NOT NULL CHECK (
        trigger_name = 'lead.submitted' OR trigger_name = 'lead.qualified'
        OR trigger_name = 'lead.opportunity' OR trigger_name = 'lead.won'
        OR trigger_name = 'conversion'),
    kind TEXT NOT NULL CHECK (
        kind = 'cash' OR kind = 'account_credit' OR kind = 'gift_card' OR kind = 'donation'
        OR kind = 'choice' OR kind = 'points'),
    lead_id BLOB,
    conversion_id BLOB,
    payout_id BLOB REFERENCES payouts (id),
    state TEXT NOT NULL CHECK (
        state = 'pending' OR state = 'review' OR state = 'approved' OR state = 'paid'
        OR state = 'rejected' OR state = 'voided' OR state = 'clawed_back'),
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
    corrected_amount INTEGER NOT NULL DEFAULT 0 CHECK (corrected_amount BETWEEN 0 AND amount),
    attribution_id BLOB NOT NULL DEFAULT x'',
    -- The referred customer.
    customer_id BLOB,
    -- The instant to whose periods of limits and budget it counts.
    counts_at INTEGER NOT NULL,
    CHECK (trigger_name = 'conversion' OR lead_id IS NOT NULL),
    CHECK (trigger_name <> 'conversion' OR conversion_id IS NOT NULL)
) STRICT;

INSERT INTO new_rewards (
    seq, id, program_id, participant_id, rule_id, rule_version, trigger_name, kind, lead_id,
    conversion_id, payout_id, state, currency, amount, reversed_amount, clawback_amount,
    settled_amount, basis, reason, hold_until, approved_at, paid_at, version, created_at, updated_at,
    corrected_amount, attribution_id, customer_id, counts_at)
SELECT
    seq, id, program_id, participant_id, rule_id, rule_version, trigger_name, kind, lead_id,
    conversion_id, payout_id, state, currency, amount, reversed_amount, clawback_amount,
    settled_amount, basis, reason, hold_until, approved_at, paid_at, version, created_at, updated_at,
    corrected_amount, attribution_id, customer_id, counts_at
FROM rewards;

DROP TABLE rewards;
ALTER TABLE new_rewards RENAME TO rewards;

-- A lead that several partners share pays a rule once to each of them of what still counts, and never
-- again after a rejection; a decision about a conversion pays a rule once to a participant.
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id, participant_id)
    WHERE trigger_name <> 'conversion' AND (state = 'rejected' OR reversed_amount < amount);
CREATE UNIQUE INDEX rewards_once_per_decision
    ON rewards (conversion_id, rule_id, participant_id, attribution_id)
    WHERE trigger_name = 'conversion';
CREATE INDEX rewards_by_lead ON rewards (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX rewards_by_conversion ON rewards (conversion_id) WHERE conversion_id IS NOT NULL;
CREATE INDEX rewards_by_participant ON rewards (participant_id, state, seq);
CREATE INDEX rewards_by_state ON rewards (state, seq);
CREATE INDEX rewards_to_pay ON rewards (program_id, kind, currency, participant_id)
    WHERE state = 'approved' AND payout_id IS NULL;
CREATE INDEX rewards_to_choose ON rewards (seq) WHERE kind = 'choice';
CREATE INDEX rewards_by_period ON rewards (participant_id, counts_at);
CREATE INDEX rewards_by_customer ON rewards (customer_id) WHERE customer_id IS NOT NULL;

-- An account's owner is the program for what rewards cost, the participant for all others. The balance
-- is the sum of its postings, kept in the transaction that posts.
CREATE TABLE new_ledger_accounts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (
        kind = 'budget_reserve' OR kind = 'program_expense' OR kind = 'points_issued'
        OR kind = 'participant_pending' OR kind = 'participant_available'
        OR kind = 'payout_clearing' OR kind = 'paid_out' OR kind = 'clawback_receivable'),
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB REFERENCES participants (id),
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (
        (kind = 'budget_reserve' OR kind = 'program_expense' OR kind = 'points_issued')
        = (participant_id IS NULL))
) STRICT;

INSERT INTO new_ledger_accounts (
    seq, id, kind, program_id, participant_id, currency, balance, created_at)
SELECT seq, id, kind, program_id, participant_id, currency, balance, created_at
FROM ledger_accounts;

DROP TABLE ledger_accounts;
ALTER TABLE new_ledger_accounts RENAME TO ledger_accounts;

CREATE UNIQUE INDEX ledger_accounts_of_programs
    ON ledger_accounts (program_id, kind, currency) WHERE participant_id IS NULL;
CREATE UNIQUE INDEX ledger_accounts_of_participants
    ON ledger_accounts (participant_id, kind, currency) WHERE participant_id IS NOT NULL;

CREATE TRIGGER ledger_accounts_keep_their_names
BEFORE UPDATE OF seq, id, kind, program_id, participant_id, currency, created_at ON ledger_accounts
BEGIN SELECT RAISE(ABORT, 'ledger accounts keep their names'); END;

CREATE TRIGGER ledger_accounts_are_not_deleted BEFORE DELETE ON ledger_accounts
BEGIN SELECT RAISE(ABORT, 'ledger accounts are not deleted'); END;
