-- Partners' claims on accounts, who holds which account when, and the chain of receipts that proves
-- the order.

CREATE TABLE registrations (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    state TEXT NOT NULL CHECK (state IN (
        'submitted', 'approved', 'rejected', 'won', 'lost', 'expired', 'withdrawn', 'refused')),
    account_name TEXT,
    account_domain TEXT,
    account_country TEXT,
    part TEXT,
    contact_name TEXT,
    contact_email TEXT,
    contact_phone TEXT,
    value_amount INTEGER CHECK (value_amount >= 0),
    value_currency TEXT,
    expected_close INTEGER,
    evidence TEXT NOT NULL,
    -- The terms at submission, and from which version of the program's rules.
    terms TEXT NOT NULL,
    program_version INTEGER NOT NULL,
    decision_due_at INTEGER NOT NULL,
    window_ends_at INTEGER NOT NULL,
    protected_until INTEGER,
    protected_until_latest INTEGER NOT NULL,
    share INTEGER NOT NULL CHECK (share BETWEEN 0 AND 10000),
    extensions INTEGER NOT NULL,
    decided_at INTEGER,
    ended_at INTEGER,
    won_amount INTEGER CHECK (won_amount >= 0),
    won_currency TEXT,
    reason_code TEXT,
    reason TEXT,
    -- Of a refused claim: whose registration stood in its way, and when it was told that the
    -- account is free.
    blocked_by BLOB,
    told_free_at INTEGER,
    -- The open dispute about it.
    dispute_id BLOB,
    -- What the fingerprint in its receipt is of, and its random key: erased with the account's name.
    account_normalized TEXT,
    nonce BLOB,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
    CHECK ((won_amount IS NULL) = (won_currency IS NULL))
) STRICT;

CREATE INDEX registrations_by_participant ON registrations (participant_id);
CREATE INDEX registrations_by_program ON registrations (program_id);
CREATE INDEX registrations_by_state ON registrations (state);
CREATE INDEX registrations_by_blocker ON registrations (blocked_by) WHERE blocked_by IS NOT NULL;

-- Rows as they were before each change.
CREATE TABLE registration_versions (
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    contact_name TEXT,
    contact_email TEXT,
    contact_phone TEXT,
    value_amount INTEGER,
    value_currency TEXT,
    expected_close INTEGER,
    evidence TEXT NOT NULL,
    protected_until INTEGER,
    share INTEGER NOT NULL,
    extensions INTEGER NOT NULL,
    decided_at INTEGER,
    ended_at INTEGER,
    won_amount INTEGER,
    won_currency TEXT,
    reason_code TEXT,
    reason TEXT,
    dispute_id BLOB,
    metadata TEXT NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- Who holds an account from when until when, under each key by which the account is known. One
-- look-up answers who may work it, now or at any earlier instant.
CREATE TABLE account_claims (
    key BLOB NOT NULL,
    held_from INTEGER NOT NULL,
    registration_id BLOB NOT NULL,
    -- The same by the key of its table, so that the look-up takes one step.
    registration_seq INTEGER NOT NULL REFERENCES registrations (seq),
    kind TEXT NOT NULL CHECK (kind IN ('domain', 'company', 'email', 'name')),
    has_domain INTEGER NOT NULL,
    -- Empty: all programs whose protection spans the instance.
    scope BLOB NOT NULL,
    part TEXT NOT NULL,
    participant_id BLOB NOT NULL,
    held_until INTEGER NOT NULL CHECK (held_until >= held_from),
    PRIMARY KEY (key, held_from, registration_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_claims_by_registration ON account_claims (registration_id);

-- seq counts from 1 without gaps; each body names the hash of the one before.
CREATE TABLE receipts (
    seq INTEGER PRIMARY KEY,
    registration_id BLOB NOT NULL UNIQUE REFERENCES registrations (id),
    body TEXT NOT NULL,
    signature BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TRIGGER receipts_are_not_updated BEFORE UPDATE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;

CREATE TRIGGER receipts_are_not_deleted BEFORE DELETE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;

-- Every key that ever signed a receipt, so that old receipts can be checked after a change of keys.
CREATE TABLE signing_keys (
    public_key BLOB PRIMARY KEY,
    first_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
