-- Whom the newest result of each conversion credits, by the conversion's sequence: what a participant
-- may read of sales.
CREATE TABLE conversion_credits (
    participant_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (participant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversion_credits_by_conversion ON conversion_credits (seq);

-- Of before this table: whom a result credits first of all, and who has a reward by its credit.
INSERT INTO conversion_credits (participant_id, seq)
    SELECT attributions.participant_id, conversions.seq
    FROM conversions JOIN attributions ON attributions.seq = (
        SELECT max(newest.seq) FROM attributions AS newest
        WHERE newest.conversion_id = conversions.id)
    WHERE attributions.participant_id IS NOT NULL
    UNION
    SELECT rewards.participant_id, conversions.seq
    FROM rewards JOIN conversions ON conversions.id = rewards.conversion_id
    WHERE rewards.attribution_id IS NOT NULL AND rewards.amount > rewards.corrected_amount;

CREATE INDEX touchpoints_by_participant ON touchpoints (participant_id, seq)
    WHERE participant_id IS NOT NULL;
