-- Checks what a lead and its clock can be by comparing one word after the other. For an IN of more than
-- two words SQLite makes a table of them with every row that is written, which was one part in fifteen
-- of what a lead costs. Both tables are made anew, because a check cannot be changed.

CREATE TABLE new_leads (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB REFERENCES participants (id),
    link_id BLOB,
    click_id BLOB,
    customer_id BLOB,
    state TEXT NOT NULL CHECK (
        state = 'submitted' OR state = 'qualified' OR state = 'opportunity' OR state = 'won'
        OR state = 'lost' OR state = 'disqualified' OR state = 'nurture' OR state = 'duplicate'
        OR state = 'spam'),
    source TEXT NOT NULL CHECK (
        source = 'api' OR source = 'form' OR source = 'import'),
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
    company, domain, phone, note, intro, estimated_amount, estimated_currency, won_amount,
    won_currency, duplicate_of, reason_code, reason, follow_up_at, qualified_at, won_at,
    form_digest, metadata, version, created_at, updated_at, country, industry, company_size,
    use_case, channel, referred_at, program_version, broken_rules, checklist, owner_kind, owner,
    registration_id, clock_due_at)
SELECT
    seq, id, program_id, participant_id, link_id, click_id, customer_id, state, source, name, email,
    company, domain, phone, note, intro, estimated_amount, estimated_currency, won_amount,
    won_currency, duplicate_of, reason_code, reason, follow_up_at, qualified_at, won_at,
    form_digest, metadata, version, created_at, updated_at, country, industry, company_size,
    use_case, channel, referred_at, program_version, broken_rules, checklist, owner_kind, owner,
    registration_id, clock_due_at
FROM leads;

DROP TABLE leads;
ALTER TABLE new_leads RENAME TO leads;

CREATE INDEX leads_by_customer ON leads (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX leads_by_form ON leads (form_digest) WHERE form_digest IS NOT NULL;
CREATE INDEX leads_by_participant ON leads (participant_id) WHERE participant_id IS NOT NULL;
CREATE INDEX leads_by_program ON leads (program_id);
CREATE INDEX leads_by_state ON leads (state) WHERE state <> 'submitted';
CREATE INDEX leads_by_partner ON leads (owner) WHERE owner_kind = 'partner';

CREATE TABLE new_lead_clocks (
    due_at INTEGER NOT NULL,
    lead_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (
        kind = 'review' OR kind = 'tell_qualified' OR kind = 'tell_won'),
    program_id BLOB NOT NULL,
    participant_id BLOB,
    PRIMARY KEY (due_at, lead_id)
) STRICT, WITHOUT ROWID;

INSERT INTO new_lead_clocks (due_at, lead_id, kind, program_id, participant_id)
SELECT due_at, lead_id, kind, program_id, participant_id FROM lead_clocks;

DROP TABLE lead_clocks;
ALTER TABLE new_lead_clocks RENAME TO lead_clocks;
