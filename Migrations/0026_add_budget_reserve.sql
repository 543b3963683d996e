-- What is set aside for rewards that wait is an account of its own beside the program's expense. The
-- table is made anew, because its kinds were listed and a program had one account a currency.

CREATE TABLE new_ledger_accounts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN (
        'budget_reserve', 'program_expense', 'participant_pending', 'participant_available',
        'payout_clearing', 'paid_out', 'clawback_receivable')),
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB REFERENCES participants (id),
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK ((kind IN ('budget_reserve', 'program_expense')) = (participant_id IS NULL))
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
