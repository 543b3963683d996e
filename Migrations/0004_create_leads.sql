-- Referred prospects. Personal values are in this row alone, so that they can be erased.

CREATE TABLE leads (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB REFERENCES participants (id),
    link_id BLOB,
    click_id BLOB,
    customer_id BLOB,
    state TEXT NOT NULL CHECK (state IN (
        'submitted', 'qualified', 'opportunity', 'won', 'lost', 'disqualified', 'nurture', 'duplicate',
        'spam')),
    source TEXT NOT NULL CHECK (source IN ('api', 'form')),
    name TEXT,
    email TEXT,
    email_key TEXT,
    company TEXT,
    domain TEXT,
    phone TEXT,
    note TEXT,
    intro TEXT CHECK (intro IN ('strong', 'weak')),
    value_amount INTEGER,
    value_currency TEXT,
    duplicate_of BLOB,
    reason_code TEXT,
    reason TEXT,
    follow_up_at INTEGER,
    qualified_at INTEGER,
    won_at INTEGER,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX leads_by_email ON leads (email_key, program_id);
CREATE INDEX leads_by_participant ON leads (participant_id, seq);
