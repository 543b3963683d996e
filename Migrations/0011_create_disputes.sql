-- Two claims on one account, what each side shows, and the ruling.

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

CREATE TABLE dispute_evidence (
    seq INTEGER PRIMARY KEY,
    dispute_id BLOB NOT NULL REFERENCES disputes (id),
    party TEXT NOT NULL CHECK (party IN ('claimant', 'respondent', 'operator')),
    note TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX dispute_evidence_by_dispute ON dispute_evidence (dispute_id);
