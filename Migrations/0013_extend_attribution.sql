-- Which customers are one person, what a touch was, and by which terms and for what cause a result came
-- about.

ALTER TABLE customers ADD COLUMN merged_into BLOB REFERENCES customers (id);

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

ALTER TABLE touchpoints ADD COLUMN kind TEXT NOT NULL DEFAULT 'contact';
ALTER TABLE touchpoints ADD COLUMN campaign TEXT;
ALTER TABLE touchpoints ADD COLUMN external_id TEXT;

CREATE UNIQUE INDEX touchpoints_by_external_id
    ON touchpoints (program_id, external_id) WHERE external_id IS NOT NULL;

CREATE INDEX conversions_by_time ON conversions (program_id, occurred_at);

ALTER TABLE attributions ADD COLUMN terms TEXT;
ALTER TABLE attributions ADD COLUMN cause TEXT NOT NULL DEFAULT 'conversion';
ALTER TABLE attributions ADD COLUMN cause_reason TEXT;
ALTER TABLE attributions ADD COLUMN actor TEXT NOT NULL DEFAULT 'system';

CREATE INDEX attributions_by_participant
    ON attributions (participant_id, seq) WHERE participant_id IS NOT NULL;
