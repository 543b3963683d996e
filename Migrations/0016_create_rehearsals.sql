-- Changed rules tried out on what has happened. Nothing else is touched until one is activated.

CREATE TABLE rehearsals (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    state TEXT NOT NULL CHECK (state IN (
        'queued', 'running', 'done', 'failed', 'cancelled', 'activated')),
    change TEXT NOT NULL,
    period_from INTEGER NOT NULL,
    period_to INTEGER NOT NULL,
    program_version INTEGER NOT NULL,
    conversions INTEGER NOT NULL,
    processed INTEGER NOT NULL,
    result TEXT,
    reason TEXT,
    activate_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rehearsals_by_program ON rehearsals (program_id, seq);
CREATE INDEX rehearsals_to_do ON rehearsals (seq) WHERE state IN ('queued', 'running');
