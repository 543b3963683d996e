-- A lead that fell out and counts again earns again what was taken back, also while a payout holds
-- that and it is owed: so a lead pays a rule once of what still counts, and never again after a
-- rejection.

DROP INDEX rewards_once_per_lead;
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id, participant_id)
    WHERE trigger_name <> 'conversion' AND (state = 'rejected' OR reversed_amount < amount);
