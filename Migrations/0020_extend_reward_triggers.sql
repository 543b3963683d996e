-- Rules wait for more than three kinds of occasion and give more than money; rewards know for whom they
-- were earned and to which period of a limit or budget they count. Both tables are made anew, because
-- their triggers and kinds were listed.

CREATE TABLE new_reward_rules (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    name TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'archived')),
    trigger_name TEXT NOT NULL CHECK (trigger_name IN (
        'lead.submitted', 'lead.qualified', 'lead.opportunity', 'lead.won', 'conversion', 'signup',
        'purchase', 'renewal', 'upsell', 'milestone')),
    terms TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

INSERT INTO new_reward_rules (
    seq, id, program_id, name, state, trigger_name, terms, metadata, version, created_at, updated_at)
SELECT seq, id, program_id, name, state, trigger_name, terms, metadata, version, created_at, updated_at
FROM reward_rules;

DROP TABLE reward_rules;
ALTER TABLE new_reward_rules RENAME TO reward_rules;
CREATE INDEX reward_rules_by_program ON reward_rules (program_id, seq);

CREATE TABLE new_rewards (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    rule_id BLOB NOT NULL REFERENCES reward_rules (id),
    rule_version INTEGER NOT NULL,
    trigger_name TEXT NOT NULL CHECK (trigger_name IN (
        'lead.submitted', 'lead.qualified', 'lead.opportunity', 'lead.won', 'conversion')),
    kind TEXT NOT NULL CHECK (kind IN ('cash', 'account_credit')),
    lead_id BLOB,
    conversion_id BLOB,
    payout_id BLOB REFERENCES payouts (id),
    state TEXT NOT NULL CHECK (state IN (
        'pending', 'review', 'approved', 'paid', 'rejected', 'voided', 'clawed_back')),
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reversed_amount INTEGER NOT NULL CHECK (reversed_amount BETWEEN 0 AND amount),
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount BETWEEN 0 AND reversed_amount),
    settled_amount INTEGER NOT NULL CHECK (
        settled_amount BETWEEN 0 AND amount - reversed_amount + clawback_amount),
    basis TEXT NOT NULL,
    reason TEXT,
    hold_until INTEGER NOT NULL,
    approved_at INTEGER,
    paid_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    corrected_amount INTEGER NOT NULL DEFAULT 0 CHECK (corrected_amount BETWEEN 0 AND amount),
    attribution_id BLOB NOT NULL DEFAULT x'',
    -- The referred customer.
    customer_id BLOB,
    -- The instant to whose periods of limits and budget it counts.
    counts_at INTEGER NOT NULL,
    CHECK (trigger_name = 'conversion' OR lead_id IS NOT NULL),
    CHECK (trigger_name <> 'conversion' OR conversion_id IS NOT NULL)
) STRICT;

INSERT INTO new_rewards (
    seq, id, program_id, participant_id, rule_id, rule_version, trigger_name, kind, lead_id,
    conversion_id, payout_id, state, currency, amount, reversed_amount, clawback_amount,
    settled_amount, basis, reason, hold_until, approved_at, paid_at, version, created_at, updated_at,
    corrected_amount, attribution_id, customer_id, counts_at)
SELECT
    seq, id, program_id, participant_id, rule_id, rule_version, trigger_name, kind, lead_id,
    conversion_id, payout_id, state, currency, amount, reversed_amount, clawback_amount,
    settled_amount, basis, reason, hold_until, approved_at, paid_at, version, created_at, updated_at,
    corrected_amount, attribution_id,
    coalesce(
        (SELECT customer_id FROM conversions WHERE conversions.id = rewards.conversion_id),
        (SELECT customer_id FROM leads WHERE leads.id = rewards.lead_id)),
    created_at
FROM rewards;

DROP TABLE rewards;
ALTER TABLE new_rewards RENAME TO rewards;

-- A lead that several partners share pays a rule once to each of them, again only after the first was
-- voided; a decision about a conversion pays a rule once to a participant.
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id, participant_id)
    WHERE trigger_name <> 'conversion' AND state <> 'voided';
CREATE UNIQUE INDEX rewards_once_per_decision
    ON rewards (conversion_id, rule_id, participant_id, attribution_id)
    WHERE trigger_name = 'conversion';
CREATE INDEX rewards_by_lead ON rewards (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX rewards_by_conversion ON rewards (conversion_id) WHERE conversion_id IS NOT NULL;
CREATE INDEX rewards_by_participant ON rewards (participant_id, state, seq);
CREATE INDEX rewards_by_state ON rewards (state, seq);
CREATE INDEX rewards_to_pay ON rewards (program_id, kind, currency, participant_id)
    WHERE state = 'approved' AND payout_id IS NULL;
CREATE INDEX rewards_by_period ON rewards (participant_id, counts_at);
CREATE INDEX rewards_by_customer ON rewards (customer_id) WHERE customer_id IS NOT NULL;

-- What a program's rewards come to, month by month.
INSERT INTO counters (name, scope, value)
SELECT 'rewards.reserved.' || strftime('%Y-%m', counts_at / 1000, 'unixepoch'), program_id,
    sum(amount - reversed_amount)
FROM rewards WHERE true GROUP BY 1, 2;
