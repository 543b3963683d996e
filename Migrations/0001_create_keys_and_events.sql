-- What every route relies on: keys, stored answers, the event log, due jobs, rule versions and counters.

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
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_keys_by_participant ON api_keys (participant_id) WHERE participant_id IS NOT NULL;

-- Answers of the last 24 hours by the hash of (key, method, path, Idempotency-Key).
CREATE TABLE idempotency_answers (
    seq INTEGER PRIMARY KEY,
    request_key BLOB NOT NULL UNIQUE,
    fingerprint BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- The ordered log of every change of state: feed, timeline and audit trail in one. Holds ids, no personal data.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    occurred_at INTEGER NOT NULL,
    type TEXT NOT NULL,
    object_id BLOB NOT NULL,
    object_kind TEXT NOT NULL,
    program_id BLOB,
    participant_id BLOB,
    actor TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT,
    reason TEXT,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX events_by_object ON events (object_id, seq);

CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- What falls due at a time; a row is deleted in the transaction that does it.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL
) STRICT;

CREATE INDEX jobs_by_due ON jobs (due_at, seq);
CREATE INDEX jobs_by_subject ON jobs (subject_id);

-- Every version of every rule, from its first day.
CREATE TABLE rule_versions (
    subject_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (subject_id, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rule_versions_are_not_updated BEFORE UPDATE ON rule_versions
BEGIN SELECT RAISE(ABORT, 'rule versions are append-only'); END;

CREATE TRIGGER rule_versions_are_not_deleted BEFORE DELETE ON rule_versions
BEGIN SELECT RAISE(ABORT, 'rule versions are append-only'); END;

-- Numbers that pages and metrics show, kept in the transaction that changes them.
CREATE TABLE counters (
    name TEXT NOT NULL,
    scope BLOB NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (name, scope)
) STRICT, WITHOUT ROWID;
