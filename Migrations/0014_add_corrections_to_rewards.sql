-- A sale's credit may be decided anew: what a reward loses by that, and which decision granted it.

ALTER TABLE rewards ADD COLUMN corrected_amount INTEGER NOT NULL DEFAULT 0
    CHECK (corrected_amount BETWEEN 0 AND amount);
ALTER TABLE rewards ADD COLUMN attribution_id BLOB NOT NULL DEFAULT x'';

-- A decision about a conversion pays a rule once to a participant.
DROP INDEX rewards_once_per_conversion;
CREATE UNIQUE INDEX rewards_once_per_decision
    ON rewards (conversion_id, rule_id, participant_id, attribution_id)
    WHERE trigger_name = 'conversion';

-- A lead that several partners share pays a rule once to each of them.
DROP INDEX rewards_once_per_lead;
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id, participant_id)
    WHERE trigger_name <> 'conversion' AND state <> 'voided';
