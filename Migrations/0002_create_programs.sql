-- Who may call, which programs there are, and who refers in them.

CREATE TABLE api_keys (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'participant')),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    participant_id BLOB,
    program_id BLOB,
    secret_hash BLOB NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    -- The actor that made it: what comes by a token, its maker had a hand in.
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_keys_by_participant ON api_keys (participant_id) WHERE participant_id IS NOT NULL;
CREATE INDEX api_keys_by_maker ON api_keys (participant_id, created_by)
    WHERE participant_id IS NOT NULL;

CREATE TABLE programs (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'partner', 'employee')),
    state TEXT NOT NULL CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    currency TEXT NOT NULL,
    rules TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The legal terms of a program, version by version: whoever takes part accepts one of them.
CREATE TABLE program_terms (
    seq INTEGER PRIMARY KEY,
    program_id BLOB NOT NULL REFERENCES programs (id),
    -- Counts from 1 in each program.
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, version)
) STRICT;

CREATE TRIGGER program_terms_are_not_updated BEFORE UPDATE ON program_terms
BEGIN SELECT RAISE(ABORT, 'published terms are append-only'); END;

CREATE TRIGGER program_terms_are_not_deleted BEFORE DELETE ON program_terms
BEGIN SELECT RAISE(ABORT, 'published terms are append-only'); END;

CREATE TABLE participants (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    kind TEXT NOT NULL CHECK (
        kind IN ('customer', 'reseller', 'affiliate', 'technology', 'service', 'employee')),
    state TEXT NOT NULL CHECK (state IN ('applied', 'approved', 'suspended', 'closed')),
    external_id TEXT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    company TEXT,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    profile TEXT NOT NULL DEFAULT '{}',
    phone TEXT,
    payout_account TEXT,
    -- Of the profile, for the list's filter.
    segment TEXT,
    -- The newest version of the program's legal terms that it accepted.
    terms_version INTEGER,
    terms_accepted_at INTEGER,
    CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX participants_by_external_id
    ON participants (program_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX participants_by_email ON participants (program_id, email_key);

-- Filters of the list, each newest first.
CREATE INDEX participants_by_mailbox ON participants (email_key);
CREATE INDEX participants_by_own_id ON participants (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX participants_by_kind ON participants (program_id, kind);
CREATE INDEX participants_by_state ON participants (program_id, state);
CREATE INDEX participants_by_name ON participants (name COLLATE NOCASE);
CREATE INDEX participants_by_segment ON participants (segment) WHERE segment IS NOT NULL;
