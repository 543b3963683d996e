-- What every module writes beside its own tables: the event log, stored answers, due jobs, rule
-- versions, counters, the funnel, traces.

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

-- What one participant reads of the feed: its token polls, and must not walk over everybody's rows.
CREATE INDEX events_by_participant ON events (participant_id) WHERE participant_id IS NOT NULL;

-- The histories that the log has had. A copy made by backup goes on under a new id from from_seq, so
-- that a cursor into what only the original has seen is told from a cursor into this log.
CREATE TABLE feeds (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    from_seq INTEGER NOT NULL
) STRICT;

CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

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

-- stage: 1 form, 2 lead, 3 qualified, 4 opportunity, 5 won, 6 conversion. day: from 1970-01-01 UTC.
-- amount: minor units of the program's currency, what was won and what was bought.
CREATE TABLE funnel_days (
    program_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    channel TEXT NOT NULL,
    campaign TEXT NOT NULL,
    source TEXT NOT NULL,
    referrer TEXT NOT NULL,
    stage INTEGER NOT NULL,
    count INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (program_id, day, channel, campaign, source, referrer, stage)
) STRICT, WITHOUT ROWID;

-- The same by UTM value, in lower case; what has none is not here.
CREATE TABLE funnel_tag_days (
    program_id BLOB NOT NULL,
    tag TEXT NOT NULL,
    day INTEGER NOT NULL,
    value TEXT NOT NULL,
    stage INTEGER NOT NULL,
    count INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (program_id, tag, day, value, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE traces (
    subject_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (subject_id, kind, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX traces_by_mailbox ON traces (digest, subject_id) WHERE kind = 'mailbox';
CREATE INDEX traces_by_address ON traces (digest) WHERE kind IN ('address', 'browser');

-- The one key of all traces, made with the first.
CREATE TABLE trace_keys (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret BLOB NOT NULL
) STRICT;
