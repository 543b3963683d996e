-- What is earned and is no money of the journal: discounts, gift cards, points, donations, perks, and
-- whatever the referred customer gets.

CREATE TABLE benefits (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    -- Whose it is: a participant, or the referred customer.
    participant_id BLOB REFERENCES participants (id),
    customer_id BLOB,
    rule_id BLOB NOT NULL REFERENCES reward_rules (id),
    rule_version INTEGER NOT NULL,
    trigger_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    lead_id BLOB,
    conversion_id BLOB,
    state TEXT NOT NULL CHECK (state IN ('pending', 'review', 'approved', 'fulfilled', 'voided')),
    value_amount INTEGER CHECK (value_amount > 0),
    value_currency TEXT,
    points INTEGER CHECK (points > 0),
    discount_basis_points INTEGER CHECK (discount_basis_points BETWEEN 1 AND 10000),
    description TEXT,
    basis TEXT NOT NULL,
    reason TEXT,
    reference TEXT,
    hold_until INTEGER NOT NULL,
    approved_at INTEGER,
    fulfilled_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((participant_id IS NULL) <> (customer_id IS NULL)),
    CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
    CHECK (lead_id IS NOT NULL OR conversion_id IS NOT NULL)
) STRICT;

-- Exactly once on an occasion, again only after the first was voided.
CREATE UNIQUE INDEX benefits_once_per_conversion
    ON benefits (conversion_id, rule_id, coalesce(participant_id, customer_id))
    WHERE conversion_id IS NOT NULL AND state <> 'voided';
CREATE UNIQUE INDEX benefits_once_per_lead
    ON benefits (lead_id, rule_id, coalesce(participant_id, customer_id))
    WHERE conversion_id IS NULL AND state <> 'voided';
CREATE INDEX benefits_by_lead ON benefits (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX benefits_by_participant ON benefits (participant_id) WHERE participant_id IS NOT NULL;
CREATE INDEX benefits_by_customer ON benefits (customer_id) WHERE customer_id IS NOT NULL;
