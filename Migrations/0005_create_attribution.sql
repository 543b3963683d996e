-- Customers, what touched them, what they bought, and who was given credit for it.

CREATE TABLE customers (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    external_id TEXT,
    email_key TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX customers_by_external_id
    ON customers (program_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX customers_by_email
    ON customers (email_key, program_id) WHERE email_key IS NOT NULL;

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
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX touchpoints_by_customer ON touchpoints (customer_id, occurred_at);
CREATE UNIQUE INDEX touchpoints_by_click
    ON touchpoints (click_id, customer_id) WHERE click_id IS NOT NULL;

CREATE TRIGGER touchpoints_are_not_updated BEFORE UPDATE ON touchpoints
BEGIN SELECT RAISE(ABORT, 'touchpoints are append-only'); END;

CREATE TABLE conversions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    external_id TEXT NOT NULL,
    customer_id BLOB NOT NULL REFERENCES customers (id),
    lead_id BLOB,
    click_id BLOB,
    ref TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('signup', 'purchase', 'renewal', 'upsell')),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
    occurred_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, external_id)
) STRICT;

CREATE INDEX conversions_by_customer ON conversions (customer_id);

CREATE TABLE refunds (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL,
    conversion_id BLOB NOT NULL REFERENCES conversions (id),
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'chargeback', 'cancellation')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, external_id)
) STRICT;

CREATE INDEX refunds_by_conversion ON refunds (conversion_id, seq);

CREATE TRIGGER refunds_are_not_updated BEFORE UPDATE ON refunds
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
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX attributions_by_conversion ON attributions (conversion_id, seq);

CREATE TRIGGER attributions_are_not_updated BEFORE UPDATE ON attributions
BEGIN SELECT RAISE(ABORT, 'attributions are append-only'); END;
