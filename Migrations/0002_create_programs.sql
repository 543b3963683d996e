-- Programs with their rules, and the participants who refer in them.

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
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX participants_by_external_id
    ON participants (program_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX participants_by_email ON participants (program_id, email_key);
