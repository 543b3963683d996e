-- Cash and account credit are paid in different ways, so a payout is of one kind. The drafts of a run
-- can be reviewed for some days before they are submitted.

CREATE TABLE payout_runs (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    reference TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('cash', 'account_credit')),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done')),
    -- The day for which the schedule made it.
    period INTEGER,
    minimum INTEGER NOT NULL CHECK (minimum >= 0),
    review_days INTEGER NOT NULL CHECK (review_days >= 0),
    -- The last participant that was looked at: where a stopped run goes on.
    last_participant_id BLOB,
    examined INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

CREATE INDEX payout_runs_by_program ON payout_runs (program_id, seq);
CREATE INDEX payout_runs_that_run ON payout_runs (seq) WHERE state = 'running';
CREATE UNIQUE INDEX payout_runs_once_per_period
    ON payout_runs (program_id, kind, period) WHERE period IS NOT NULL;

-- How many payouts of a run are in each state, and what they come to.
CREATE TABLE payout_run_states (
    run_id BLOB NOT NULL REFERENCES payout_runs (id),
    state TEXT NOT NULL,
    payouts INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    clawback_amount INTEGER NOT NULL,
    paid_amount INTEGER NOT NULL,
    PRIMARY KEY (run_id, state)
) STRICT, WITHOUT ROWID;

ALTER TABLE payouts ADD COLUMN kind TEXT NOT NULL DEFAULT 'cash'
    CHECK (kind IN ('cash', 'account_credit'));
ALTER TABLE payouts ADD COLUMN run_id BLOB REFERENCES payout_runs (id);
ALTER TABLE payouts ADD COLUMN submit_from INTEGER;

-- A run pays a participant once.
CREATE UNIQUE INDEX payouts_once_per_run ON payouts (run_id, participant_id)
    WHERE run_id IS NOT NULL;

-- A run's payouts in the order of their making, for pages and the file.
CREATE INDEX payouts_by_run ON payouts (run_id) WHERE run_id IS NOT NULL;

-- What can be paid, participant by participant, oldest first.
CREATE INDEX rewards_to_pay ON rewards (program_id, kind, currency, participant_id)
    WHERE state = 'approved' AND payout_id IS NULL;
