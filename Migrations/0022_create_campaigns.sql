-- Times in which a program gives more. What a campaign makes of an amount is in terms; every version is
-- kept in rule_versions.

CREATE TABLE campaigns (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'ended')),
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    terms TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (starts_at <= ends_at)
) STRICT;

CREATE INDEX campaigns_by_program ON campaigns (program_id, seq);
