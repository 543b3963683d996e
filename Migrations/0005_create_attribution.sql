-- Who buys, what touched them, what they bought, and who is credited with it.

CREATE TABLE customers (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    external_id TEXT,
    email_key TEXT,
    created_at INTEGER NOT NULL,
    merged_into BLOB REFERENCES customers (id)
) STRICT;

CREATE UNIQUE INDEX customers_by_external_id
    ON customers (external_id, program_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX customers_by_email
    ON customers (email_key, program_id) WHERE email_key IS NOT NULL;

-- Customers that the operator knows, each by a keyed hash of its address or of the operator's own id.
CREATE TABLE known_customers (
    digest BLOB NOT NULL,
    -- Empty: in every program.
    program_id BLOB NOT NULL,
    customer_since INTEGER NOT NULL,
    loaded_at INTEGER NOT NULL,
    PRIMARY KEY (digest, program_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX customers_by_merge ON customers (merged_into) WHERE merged_into IS NOT NULL;

-- One row for each joining of two customers. It is undone by filling in the last columns, and stays.
CREATE TABLE customer_merges (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    kept_id BLOB NOT NULL REFERENCES customers (id),
    merged_id BLOB NOT NULL REFERENCES customers (id),
    cause TEXT NOT NULL CHECK (cause IN ('named_together', 'lead', 'operator')),
    reason TEXT,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    undone_at INTEGER,
    undone_by TEXT,
    undone_reason TEXT
) STRICT;

CREATE INDEX customer_merges_by_merged ON customer_merges (merged_id, seq);
CREATE INDEX customer_merges_by_kept ON customer_merges (kept_id, seq);

CREATE TABLE touchpoints (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    customer_id BLOB NOT NULL REFERENCES customers (id),
    participant_id BLOB REFERENCES participants (id),
    source TEXT NOT NULL,
    channel TEXT,
    link_id BLOB,
    click_id BLOB,
    lead_id BLOB,
    occurred_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    kind TEXT NOT NULL DEFAULT 'contact',
    campaign TEXT,
    external_id TEXT,
    -- What its click was taken for until somebody brought it: bot, preview, duplicate.
    reclaimed TEXT,
    -- The sale whose reports tell of it.
    conversion_id BLOB
) STRICT;

CREATE INDEX touchpoints_by_customer ON touchpoints (customer_id, occurred_at);
CREATE UNIQUE INDEX touchpoints_by_click
    ON touchpoints (click_id, customer_id) WHERE click_id IS NOT NULL;
CREATE UNIQUE INDEX touchpoints_by_external_id
    ON touchpoints (program_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX touchpoints_by_participant ON touchpoints (participant_id, seq)
    WHERE participant_id IS NOT NULL;

CREATE TRIGGER touchpoints_are_not_updated BEFORE UPDATE ON touchpoints
BEGIN SELECT RAISE(ABORT, 'touchpoints are append-only'); END;

-- ignored: which of a sale's hints counted for nothing: name, value and reason, as a JSON array.
-- Personal, as people type addresses.
CREATE TABLE conversions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    external_id TEXT NOT NULL,
    customer_id BLOB NOT NULL REFERENCES customers (id),
    lead_id BLOB,
    click_id BLOB,
    ref TEXT,
    code TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('signup', 'purchase', 'renewal', 'upsell')),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
    occurred_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ignored TEXT,
    product TEXT,
    -- The operator's own name of what it begins or renews.
    subscription TEXT,
    -- What each report of it said of when it was, who bought and who referred it, as a JSON array.
    -- Personal, as customers are named.
    reports TEXT NOT NULL,
    -- What the refunds in force ask for in all, and whether they take everything.
    refunds_asked INTEGER NOT NULL DEFAULT 0 CHECK (refunds_asked >= 0),
    is_refunded INTEGER NOT NULL DEFAULT 0 CHECK (is_refunded IN (0, 1)),
    UNIQUE (program_id, external_id),
    CHECK (amount = 0 OR refunded_amount = min(amount, refunds_asked)),
    CHECK (amount = 0 OR is_refunded = (refunded_amount = amount))
) STRICT;

-- Whether all sales of a lead are refunded.
CREATE INDEX conversions_by_lead ON conversions (lead_id, is_refunded, amount)
    WHERE lead_id IS NOT NULL;
CREATE INDEX conversions_by_customer ON conversions (customer_id, occurred_at);
CREATE INDEX conversions_by_subscription
    ON conversions (program_id, subscription, customer_id, occurred_at)
    WHERE subscription IS NOT NULL;

-- Sales that were their customer's first paid one when they were recorded, whatever their kind says.
CREATE TABLE first_paid_sales (
    conversion_id BLOB PRIMARY KEY REFERENCES conversions (id)
) STRICT, WITHOUT ROWID;

-- Sales that a code was credited with, and whether another participant's click was in the window.
CREATE TABLE code_sales (
    link_id BLOB NOT NULL,
    conversion_seq INTEGER NOT NULL,
    has_other_click INTEGER NOT NULL CHECK (has_other_click IN (0, 1)),
    PRIMARY KEY (link_id, conversion_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversions_by_time ON conversions (program_id, occurred_at);

-- What was asked of a sale to be given back, and what that took. A refund that comes before its sale
-- waits for it. Of a sale of amount 0, a sign-up for instance, there is no money to give back, but
-- what it earned goes back.
CREATE TABLE refunds (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    external_id TEXT NOT NULL,
    -- The sale, by the operator's name for it.
    conversion_external_id TEXT NOT NULL,
    -- Null until the sale has come.
    conversion_id BLOB REFERENCES conversions (id),
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'chargeback', 'cancellation')),
    -- Null: the whole sale.
    asked_amount INTEGER CHECK (asked_amount > 0),
    currency TEXT NOT NULL,
    -- What the sale lost by it, when it was applied.
    applied_amount INTEGER CHECK (applied_amount >= 0),
    reason TEXT,
    created_at INTEGER NOT NULL,
    applied_at INTEGER,
    UNIQUE (program_id, external_id),
    CHECK ((conversion_id IS NULL) = (applied_amount IS NULL)),
    CHECK ((conversion_id IS NULL) = (applied_at IS NULL))
) STRICT;

CREATE INDEX refunds_by_conversion ON refunds (conversion_id, seq)
    WHERE conversion_id IS NOT NULL;
CREATE INDEX refunds_by_program ON refunds (program_id, seq);
CREATE INDEX refunds_that_wait ON refunds (program_id, conversion_external_id)
    WHERE conversion_id IS NULL;

CREATE TRIGGER refunds_are_applied_once BEFORE UPDATE ON refunds WHEN OLD.conversion_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'refunds are append-only'); END;

CREATE TRIGGER refunds_keep_what_was_asked
BEFORE UPDATE OF seq, id, program_id, external_id, conversion_external_id, kind, asked_amount,
    currency, reason, created_at ON refunds
BEGIN SELECT RAISE(ABORT, 'refunds are append-only'); END;

CREATE TRIGGER refunds_are_not_deleted BEFORE DELETE ON refunds
BEGIN SELECT RAISE(ABORT, 'refunds are append-only'); END;

-- A refund that is in force no more, for good: a chargeback that was won, an order that was paid
-- after all, a mistake.
CREATE TABLE refund_reversals (
    refund_id BLOB PRIMARY KEY REFERENCES refunds (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('chargeback_won', 'reinstated', 'mistake')),
    -- What the sale got back by it.
    applied_amount INTEGER NOT NULL CHECK (applied_amount >= 0),
    reason TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, external_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER refund_reversals_are_not_updated BEFORE UPDATE ON refund_reversals
BEGIN SELECT RAISE(ABORT, 'refunds are append-only'); END;

CREATE TRIGGER refund_reversals_are_not_deleted BEFORE DELETE ON refund_reversals
BEGIN SELECT RAISE(ABORT, 'refunds are append-only'); END;

CREATE TABLE attributions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    conversion_id BLOB NOT NULL REFERENCES conversions (id),
    model TEXT NOT NULL,
    program_version INTEGER NOT NULL,
    window_days INTEGER NOT NULL,
    touches TEXT NOT NULL,
    participant_id BLOB REFERENCES participants (id),
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    credits TEXT NOT NULL DEFAULT '[]',
    terms TEXT,
    cause TEXT NOT NULL DEFAULT 'conversion',
    cause_reason TEXT,
    actor TEXT NOT NULL DEFAULT 'system'
) STRICT;

CREATE INDEX attributions_by_conversion ON attributions (conversion_id, seq);
CREATE INDEX attributions_by_participant
    ON attributions (participant_id, seq) WHERE participant_id IS NOT NULL;

CREATE TRIGGER attributions_are_not_updated BEFORE UPDATE ON attributions
BEGIN SELECT RAISE(ABORT, 'attributions are append-only'); END;

-- Whom the newest result of each conversion credits, by the conversion's sequence: what a participant
-- may read of sales.
CREATE TABLE conversion_credits (
    participant_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (participant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversion_credits_by_conversion ON conversion_credits (seq);

-- The active rules of reward and their versions that a rehearsal's change was laid over, as a JSON
-- object.
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
    updated_at INTEGER NOT NULL,
    reward_rules TEXT
) STRICT;

CREATE INDEX rehearsals_by_program ON rehearsals (program_id, seq);
CREATE INDEX rehearsals_to_do ON rehearsals (seq) WHERE state IN ('queued', 'running');
