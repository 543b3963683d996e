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
    company TEXT,
    domain TEXT,
    phone TEXT,
    note TEXT,
    intro TEXT CHECK (intro IN ('strong', 'weak')),
    estimated_amount INTEGER CHECK (estimated_amount >= 0),
    estimated_currency TEXT,
    won_amount INTEGER CHECK (won_amount >= 0),
    won_currency TEXT,
    duplicate_of BLOB,
    reason_code TEXT,
    reason TEXT,
    follow_up_at INTEGER,
    qualified_at INTEGER,
    won_at INTEGER,
    -- Digest of what a form posted, by which the same post within ten minutes is known again.
    form_digest BLOB,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((estimated_amount IS NULL) = (estimated_currency IS NULL)),
    CHECK ((won_amount IS NULL) = (won_currency IS NULL))
) STRICT;

-- Every index ends in seq, the key of the table, so each serves a list in order by itself.
-- A customer is a mailbox in a program, so this finds duplicates; and because new customers come at the
-- end, it costs less than an index of addresses.
CREATE INDEX leads_by_customer ON leads (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX leads_by_form ON leads (form_digest) WHERE form_digest IS NOT NULL;
CREATE INDEX leads_by_participant ON leads (participant_id) WHERE participant_id IS NOT NULL;
CREATE INDEX leads_by_program ON leads (program_id);
-- New leads are not in it, so that it costs nothing where most rows are written.
CREATE INDEX leads_by_state ON leads (state) WHERE state <> 'submitted';
