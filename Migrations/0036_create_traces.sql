-- What tells that two are one: a participant's phone, which people read, and traces of anybody, which
-- are keyed hashes alone. subject_id: a participant, lead or customer.

ALTER TABLE participants ADD COLUMN phone TEXT;

CREATE TABLE traces (
    subject_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (subject_id, kind, digest)
) STRICT, WITHOUT ROWID;

-- The one key of all traces, made with the first.
CREATE TABLE trace_keys (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret BLOB NOT NULL
) STRICT;
