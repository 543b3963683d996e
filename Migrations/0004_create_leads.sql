-- Referred prospects and their life, known companies, partners' claims on accounts and their
-- receipts, disputes.

CREATE TABLE leads (
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
    -- What was given as its referrer and was of no use: name, value and reason, as a JSON array.
    -- Personal, as people type addresses.
    ignored TEXT,
    -- When the clock that runs for it runs out: the key of its row in lead_clocks.
    clock_due_at INTEGER,
    -- The version of the program's legal terms that its referrer had accepted when it came in.
    terms_version INTEGER,
    -- When it came into its state.
    stepped_at INTEGER NOT NULL,
    CHECK ((estimated_amount IS NULL) = (estimated_currency IS NULL)),
    CHECK ((won_amount IS NULL) = (won_currency IS NULL)),
    CHECK ((owner_kind IS NULL) = (owner IS NULL))
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
CREATE INDEX leads_by_partner ON leads (owner) WHERE owner_kind = 'partner';

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
    stepped_at INTEGER NOT NULL,
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
    kind TEXT NOT NULL CHECK (
        kind = 'review' OR kind = 'tell_qualified' OR kind = 'tell_won'),
    program_id BLOB NOT NULL,
    participant_id BLOB,
    PRIMARY KEY (due_at, lead_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    external_id TEXT UNIQUE,
    name TEXT,
    domain TEXT,
    country TEXT,
    relation TEXT NOT NULL CHECK (relation IN ('customer', 'pipeline', 'former', 'prospect')),
    -- Since when it is a customer, where it is one.
    customer_since INTEGER,
    domain_key BLOB UNIQUE,
    company_key BLOB,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (domain_key IS NOT NULL OR company_key IS NOT NULL)
) STRICT;

CREATE INDEX accounts_by_company ON accounts (company_key) WHERE company_key IS NOT NULL;

CREATE TABLE registrations (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    state TEXT NOT NULL CHECK (state IN (
        'submitted', 'approved', 'rejected', 'won', 'lost', 'expired', 'withdrawn', 'refused')),
    account_name TEXT,
    account_domain TEXT,
    account_country TEXT,
    part TEXT,
    contact_name TEXT,
    contact_email TEXT,
    contact_phone TEXT,
    value_amount INTEGER CHECK (value_amount >= 0),
    value_currency TEXT,
    expected_close INTEGER,
    evidence TEXT NOT NULL,
    -- The terms at submission, and from which version of the program's rules.
    terms TEXT NOT NULL,
    program_version INTEGER NOT NULL,
    decision_due_at INTEGER NOT NULL,
    window_ends_at INTEGER NOT NULL,
    protected_until INTEGER,
    protected_until_latest INTEGER NOT NULL,
    share INTEGER NOT NULL CHECK (share BETWEEN 0 AND 10000),
    extensions INTEGER NOT NULL,
    decided_at INTEGER,
    ended_at INTEGER,
    won_amount INTEGER CHECK (won_amount >= 0),
    won_currency TEXT,
    reason_code TEXT,
    reason TEXT,
    -- Of a refused claim: whose registration stood in its way, and when it was told that the
    -- account is free.
    blocked_by BLOB,
    told_free_at INTEGER,
    -- The open dispute about it.
    dispute_id BLOB,
    -- What the fingerprint in its receipt is of, and its random key: erased with the account's name.
    account_normalized TEXT,
    nonce BLOB,
    -- The version of the program's legal terms that its partner had accepted when it was made.
    terms_version INTEGER,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
    CHECK ((won_amount IS NULL) = (won_currency IS NULL))
) STRICT;

CREATE INDEX registrations_by_participant ON registrations (participant_id);
CREATE INDEX registrations_by_program ON registrations (program_id);
CREATE INDEX registrations_by_state ON registrations (state);
CREATE INDEX registrations_by_blocker ON registrations (blocked_by) WHERE blocked_by IS NOT NULL;

-- Rows as they were before each change.
CREATE TABLE registration_versions (
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    contact_name TEXT,
    contact_email TEXT,
    contact_phone TEXT,
    value_amount INTEGER,
    value_currency TEXT,
    expected_close INTEGER,
    evidence TEXT NOT NULL,
    protected_until INTEGER,
    share INTEGER NOT NULL,
    extensions INTEGER NOT NULL,
    decided_at INTEGER,
    ended_at INTEGER,
    won_amount INTEGER,
    won_currency TEXT,
    reason_code TEXT,
    reason TEXT,
    dispute_id BLOB,
    metadata TEXT NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- Who holds an account from when until when, under each key by which the account is known. One
-- look-up answers who may work it, now or at any earlier instant.
CREATE TABLE account_claims (
    key BLOB NOT NULL,
    held_from INTEGER NOT NULL,
    registration_id BLOB NOT NULL,
    -- The same by the key of its table, so that the look-up takes one step.
    registration_seq INTEGER NOT NULL REFERENCES registrations (seq),
    kind TEXT NOT NULL CHECK (kind IN ('domain', 'company', 'email', 'name')),
    has_domain INTEGER NOT NULL,
    -- Empty: all programs whose protection spans the instance.
    scope BLOB NOT NULL,
    part TEXT NOT NULL,
    participant_id BLOB NOT NULL,
    held_until INTEGER NOT NULL CHECK (held_until >= held_from),
    PRIMARY KEY (key, held_from, registration_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_claims_by_registration ON account_claims (registration_id);

-- What participants' tokens looked up in the last hour, so that nobody walks through a list of
-- accounts. What was looked up before is in the events.
CREATE TABLE protection_lookups (
    seq INTEGER PRIMARY KEY,
    participant_id BLOB NOT NULL,
    looked_at INTEGER NOT NULL
) STRICT;

CREATE INDEX protection_lookups_by_participant ON protection_lookups (participant_id, looked_at);

-- seq counts from 1 without gaps; each body names the hash of the one before.
CREATE TABLE receipts (
    seq INTEGER PRIMARY KEY,
    registration_id BLOB NOT NULL UNIQUE REFERENCES registrations (id),
    body TEXT NOT NULL,
    signature BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TRIGGER receipts_are_not_updated BEFORE UPDATE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;

CREATE TRIGGER receipts_are_not_deleted BEFORE DELETE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;

-- Every key that ever signed a receipt, so that old receipts can be checked after a change of keys.
CREATE TABLE signing_keys (
    public_key BLOB PRIMARY KEY,
    first_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE disputes (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    claim_id BLOB NOT NULL REFERENCES registrations (id),
    contested_id BLOB NOT NULL REFERENCES registrations (id),
    claimant_id BLOB NOT NULL REFERENCES participants (id),
    respondent_id BLOB NOT NULL REFERENCES participants (id),
    opened_by TEXT NOT NULL CHECK (opened_by IN ('partner', 'operator', 'system')),
    state TEXT NOT NULL CHECK (state IN ('open', 'under_review', 'resolved')),
    reason TEXT,
    owner TEXT,
    due_at INTEGER NOT NULL,
    escalated_at INTEGER,
    decision TEXT CHECK (decision IN ('uphold', 'transfer', 'split', 'reject')),
    claimant_share INTEGER CHECK (claimant_share BETWEEN 1 AND 9999),
    ruling_reason TEXT,
    ruled_by TEXT,
    ruled_at INTEGER,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state = 'resolved') = (decision IS NOT NULL)),
    CHECK ((decision IS NULL) = (ruling_reason IS NULL)),
    CHECK (decision <> 'split' OR claimant_share IS NOT NULL)
) STRICT;

-- One open dispute over the same two claims.
CREATE UNIQUE INDEX disputes_open ON disputes (claim_id, contested_id) WHERE state <> 'resolved';
CREATE INDEX disputes_by_claimant ON disputes (claimant_id);
CREATE INDEX disputes_by_respondent ON disputes (respondent_id);
CREATE INDEX disputes_by_state ON disputes (state);
CREATE INDEX disputes_by_claim ON disputes (claim_id, contested_id);
CREATE INDEX disputes_by_contested ON disputes (contested_id, claim_id);

CREATE TABLE dispute_evidence (
    seq INTEGER PRIMARY KEY,
    dispute_id BLOB NOT NULL REFERENCES disputes (id),
    party TEXT NOT NULL CHECK (party IN ('claimant', 'respondent', 'operator')),
    note TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX dispute_evidence_by_dispute ON dispute_evidence (dispute_id);
