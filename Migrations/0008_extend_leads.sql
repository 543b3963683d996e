-- What a program asks of a lead, who works it, how soon, and how it was before. The table is made anew
-- because leads come by import too.

CREATE TABLE new_leads (
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
    source TEXT NOT NULL CHECK (source IN ('api', 'form', 'import')),
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
    -- Digest of what a form posted or a row of an import held, by which the same is known again.
    form_digest BLOB,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    country TEXT,
    industry TEXT,
    company_size INTEGER,
    use_case TEXT,
    channel TEXT,
    -- When it was referred, where that was before it came in.
    referred_at INTEGER,
    -- The version of the program's rules it was held against, and the rules it breaks.
    program_version INTEGER,
    broken_rules TEXT,
    checklist TEXT,
    owner_kind TEXT,
    owner TEXT,
    -- Whose registration holds its account.
    registration_id BLOB,
    -- When the clock that runs for it runs out: the key of its row in lead_clocks.
    clock_due_at INTEGER,
    CHECK ((estimated_amount IS NULL) = (estimated_currency IS NULL)),
    CHECK ((won_amount IS NULL) = (won_currency IS NULL)),
    CHECK ((owner_kind IS NULL) = (owner IS NULL))
) STRICT;

INSERT INTO new_leads (
    seq, id, program_id, participant_id, link_id, click_id, customer_id, state, source, name, email,
    company, domain, phone, note, intro, estimated_amount, estimated_currency, won_amount, won_currency,
    duplicate_of, reason_code, reason, follow_up_at, qualified_at, won_at, form_digest, metadata,
    version, created_at, updated_at)
SELECT seq, id, program_id, participant_id, link_id, click_id, customer_id, state, source, name, email,
    company, domain, phone, note, intro, estimated_amount, estimated_currency, won_amount, won_currency,
    duplicate_of, reason_code, reason, follow_up_at, qualified_at, won_at, form_digest, metadata,
    version, created_at, updated_at
FROM leads;

DROP TABLE leads;
ALTER TABLE new_leads RENAME TO leads;

CREATE INDEX leads_by_customer ON leads (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX leads_by_form ON leads (form_digest) WHERE form_digest IS NOT NULL;
CREATE INDEX leads_by_participant ON leads (participant_id) WHERE participant_id IS NOT NULL;
CREATE INDEX leads_by_program ON leads (program_id);
CREATE INDEX leads_by_state ON leads (state) WHERE state <> 'submitted';

-- Rows as they were before each change: what can change of them.
CREATE TABLE lead_versions (
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    name TEXT,
    company TEXT,
    domain TEXT,
    phone TEXT,
    note TEXT,
    intro TEXT,
    estimated_amount INTEGER,
    estimated_currency TEXT,
    won_amount INTEGER,
    won_currency TEXT,
    duplicate_of BLOB,
    reason_code TEXT,
    reason TEXT,
    follow_up_at INTEGER,
    qualified_at INTEGER,
    won_at INTEGER,
    metadata TEXT NOT NULL,
    country TEXT,
    industry TEXT,
    company_size INTEGER,
    use_case TEXT,
    program_version INTEGER,
    broken_rules TEXT,
    checklist TEXT,
    owner_kind TEXT,
    owner TEXT,
    registration_id BLOB,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- The first lead of a program under each key by which a prospect is known again. Mailboxes are in
-- customers.
CREATE TABLE lead_keys (
    key BLOB PRIMARY KEY,
    lead_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What is to be done for a lead by when. A row goes when it is done. In the order in which clocks run
-- out, which is about the order in which leads come in, so that it costs one append.
CREATE TABLE lead_clocks (
    due_at INTEGER NOT NULL,
    lead_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('review', 'tell_qualified', 'tell_won')),
    program_id BLOB NOT NULL,
    participant_id BLOB,
    PRIMARY KEY (due_at, lead_id)
) STRICT, WITHOUT ROWID;
