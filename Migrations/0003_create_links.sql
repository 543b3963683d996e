-- Referral links and every hit on them.

CREATE TABLE links (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    code TEXT NOT NULL,
    code_key TEXT NOT NULL UNIQUE,
    destination_url TEXT,
    channel TEXT NOT NULL,
    campaign TEXT,
    utm TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    -- Since when it is disabled: touches of before still count.
    disabled_at INTEGER CHECK ((disabled_at IS NULL) = (state = 'active')),
    -- 1: left out of lists.
    hidden INTEGER NOT NULL,
    expires_at INTEGER,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX links_by_participant ON links (participant_id, seq);
CREATE INDEX links_by_program ON links (program_id, seq);

-- Append-only and in key order: an identifier begins with its time. No further index, because each would
-- dirty about one page per click; numbers per link are in link_days.
-- class: 0 human, 1 bot, 2 preview, 3 prefetch, 4 duplicate, 5 embedded. visitor: 64 bits of a keyed hash, or NULL.
CREATE TABLE clicks (
    id BLOB PRIMARY KEY,
    link_seq INTEGER NOT NULL,
    class INTEGER NOT NULL,
    reason TEXT,
    rules_version INTEGER NOT NULL,
    visitor INTEGER,
    detail TEXT
) STRICT, WITHOUT ROWID;

CREATE TRIGGER clicks_are_not_updated BEFORE UPDATE ON clicks
BEGIN SELECT RAISE(ABORT, 'clicks are append-only'); END;

CREATE TABLE link_days (
    link_seq INTEGER NOT NULL,
    day INTEGER NOT NULL,
    class INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    PRIMARY KEY (link_seq, day, class)
) STRICT, WITHOUT ROWID;

-- The key of one day's visitor hashes. It is deleted when the day is over, and with it the last way from
-- a hash back to an address.
CREATE TABLE visitor_salts (
    day INTEGER PRIMARY KEY,
    salt BLOB NOT NULL
) STRICT;

-- Codes that people asked for and no link has, each day's spellings with their hits. near: a code
-- that differs in one letter. Never credited: what the operator looks at to find misprints.
CREATE TABLE unknown_codes (
    day INTEGER NOT NULL,
    code TEXT NOT NULL,
    hits INTEGER NOT NULL,
    near TEXT,
    PRIMARY KEY (day, code)
) STRICT, WITHOUT ROWID;

-- How many spellings of a day are kept, and the hits of those that are not.
CREATE TABLE unknown_code_days (
    day INTEGER PRIMARY KEY,
    spellings INTEGER NOT NULL,
    other_hits INTEGER NOT NULL
) STRICT;
