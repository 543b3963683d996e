-- A campaign or a rule may be for the first referrals alone (R161): which ones have a place in it.

CREATE TABLE first_come_places (
    seq INTEGER PRIMARY KEY,
    -- The campaign or the rule.
    offer_id BLOB NOT NULL,
    customer_id BLOB,
    lead_id BLOB,
    taken_at INTEGER NOT NULL,
    CHECK (customer_id IS NOT NULL OR lead_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX first_come_places_by_customer
    ON first_come_places (offer_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX first_come_places_by_lead
    ON first_come_places (offer_id, lead_id) WHERE lead_id IS NOT NULL;
