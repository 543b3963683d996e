-- A sale of amount 0, a sign-up for instance, can be cancelled: there is no money to give back, but
-- what it earned goes back.
CREATE TABLE new_refunds (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL,
    conversion_id BLOB NOT NULL REFERENCES conversions (id),
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'chargeback', 'cancellation')),
    amount INTEGER NOT NULL CHECK (amount > 0 OR amount = 0 AND kind = 'cancellation'),
    reason TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, external_id)
) STRICT;

INSERT INTO new_refunds (
    seq, id, program_id, conversion_id, external_id, kind, amount, reason, created_at)
SELECT seq, id, program_id, conversion_id, external_id, kind, amount, reason, created_at
FROM refunds;

DROP TABLE refunds;
ALTER TABLE new_refunds RENAME TO refunds;

CREATE INDEX refunds_by_conversion ON refunds (conversion_id, seq);

CREATE TRIGGER refunds_are_not_updated BEFORE UPDATE ON refunds
BEGIN SELECT RAISE(ABORT, 'refunds are append-only'); END;
