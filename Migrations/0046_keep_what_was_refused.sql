-- What a person rejected or voided stays so, also when its lead falls out and comes back: that is kept
-- with the reward, because a lead that falls out voids its rewards too.

ALTER TABLE rewards ADD COLUMN is_refused INTEGER NOT NULL DEFAULT 0
    CHECK (is_refused = 0 OR is_refused = 1);

UPDATE rewards SET is_refused = 1
WHERE state = 'rejected' OR trigger_name = 'conversion' AND EXISTS (
    SELECT 1 FROM ledger_transactions
    WHERE ledger_transactions.reward_id = rewards.id
        AND ledger_transactions.kind IN ('reward_rejected', 'reward_voided'));

DROP INDEX rewards_once_per_lead;
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id, participant_id)
    WHERE trigger_name <> 'conversion' AND (is_refused = 1 OR reversed_amount < amount);
