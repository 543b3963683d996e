-- Which referral counted for whom, and from when until when: what tiers and milestones are counted by.

CREATE TABLE referral_counts (
    seq INTEGER PRIMARY KEY,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL REFERENCES participants (id),
    event TEXT NOT NULL CHECK (event IN ('qualified', 'won')),
    lead_id BLOB NOT NULL,
    counted_at INTEGER NOT NULL,
    -- When it turned out to be none.
    uncounted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX referral_counts_once ON referral_counts (lead_id, event, participant_id)
    WHERE uncounted_at IS NULL;
CREATE INDEX referral_counts_by_participant ON referral_counts (participant_id, event, counted_at);

INSERT INTO referral_counts (program_id, participant_id, event, lead_id, counted_at)
SELECT program_id, participant_id, 'qualified', id, qualified_at FROM leads
WHERE participant_id IS NOT NULL AND qualified_at IS NOT NULL AND state <> 'disqualified'
ORDER BY qualified_at;

INSERT INTO referral_counts (program_id, participant_id, event, lead_id, counted_at)
SELECT program_id, participant_id, 'won', id, won_at FROM leads
WHERE participant_id IS NOT NULL AND won_at IS NOT NULL AND state = 'won'
ORDER BY won_at;
