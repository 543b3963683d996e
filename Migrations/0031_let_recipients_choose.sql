-- A recipient may choose in which form it gets a reward (R131, R155), so rewards, payouts and runs know
-- more kinds. The listed kinds are a column's own check: the column is made anew, its rows keep theirs.

DROP INDEX rewards_to_pay;
ALTER TABLE rewards ADD COLUMN new_kind TEXT NOT NULL DEFAULT 'cash'
    CHECK (new_kind IN ('cash', 'account_credit', 'gift_card', 'donation', 'choice'));
UPDATE rewards SET new_kind = kind;
ALTER TABLE rewards DROP COLUMN kind;
ALTER TABLE rewards RENAME COLUMN new_kind TO kind;
CREATE INDEX rewards_to_pay ON rewards (program_id, kind, currency, participant_id)
    WHERE state = 'approved' AND payout_id IS NULL;

-- Who has yet to choose.
CREATE INDEX rewards_to_choose ON rewards (seq) WHERE kind = 'choice';

ALTER TABLE payouts ADD COLUMN new_kind TEXT NOT NULL DEFAULT 'cash'
    CHECK (new_kind IN ('cash', 'account_credit', 'gift_card', 'donation'));
UPDATE payouts SET new_kind = kind;
ALTER TABLE payouts DROP COLUMN kind;
ALTER TABLE payouts RENAME COLUMN new_kind TO kind;

DROP INDEX payout_runs_once_per_period;
ALTER TABLE payout_runs ADD COLUMN new_kind TEXT NOT NULL DEFAULT 'cash'
    CHECK (new_kind IN ('cash', 'account_credit', 'gift_card', 'donation'));
UPDATE payout_runs SET new_kind = kind;
ALTER TABLE payout_runs DROP COLUMN kind;
ALTER TABLE payout_runs RENAME COLUMN new_kind TO kind;
CREATE UNIQUE INDEX payout_runs_once_per_period
    ON payout_runs (program_id, kind, period) WHERE period IS NOT NULL;
