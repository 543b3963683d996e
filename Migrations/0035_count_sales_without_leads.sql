-- A customer's first credited sale that has no lead is a won referral too, so a count may be of a sale,
-- and knows the customer, by whom nothing is counted twice. The table is made anew, because every count
-- had a lead.

CREATE TABLE new_referral_counts (
    seq INTEGER PRIMARY KEY,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL REFERENCES participants (id),
    event TEXT NOT NULL CHECK (event IN ('qualified', 'won')),
    lead_id BLOB,
    conversion_id BLOB,
    customer_id BLOB,
    counted_at INTEGER NOT NULL,
    -- When it turned out to be none.
    uncounted_at INTEGER,
    CHECK ((lead_id IS NULL) <> (conversion_id IS NULL))
) STRICT;

INSERT INTO new_referral_counts (
    seq, program_id, participant_id, event, lead_id, customer_id, counted_at, uncounted_at)
SELECT seq, program_id, participant_id, event, lead_id,
    (SELECT customer_id FROM leads WHERE leads.id = lead_id), counted_at, uncounted_at
FROM referral_counts;

DROP TABLE referral_counts;
ALTER TABLE new_referral_counts RENAME TO referral_counts;
CREATE UNIQUE INDEX referral_counts_once ON referral_counts (lead_id, event, participant_id)
    WHERE uncounted_at IS NULL AND lead_id IS NOT NULL;
CREATE UNIQUE INDEX referral_counts_once_per_sale
    ON referral_counts (conversion_id, event, participant_id)
    WHERE uncounted_at IS NULL AND conversion_id IS NOT NULL;
CREATE INDEX referral_counts_by_participant ON referral_counts (participant_id, event, counted_at);
CREATE INDEX referral_counts_by_customer ON referral_counts (customer_id)
    WHERE customer_id IS NOT NULL;

-- What was sold before: for whoever has most of the credit.
INSERT INTO referral_counts (
    program_id, participant_id, event, conversion_id, customer_id, counted_at)
SELECT program_id, participant_id, 'won', id, customer_id, min(created_at)
FROM (
    SELECT conversions.id, conversions.program_id, conversions.customer_id, conversions.lead_id,
        conversions.created_at, attributions.participant_id,
        coalesce(customers.merged_into, customers.id) AS person
    FROM conversions
        JOIN customers ON customers.id = conversions.customer_id
        JOIN attributions ON attributions.seq = (
            SELECT max(newest.seq) FROM attributions AS newest
            WHERE newest.conversion_id = conversions.id)
    WHERE attributions.participant_id IS NOT NULL)
GROUP BY program_id, person
HAVING lead_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM referral_counts AS counted JOIN customers ON customers.id = counted.customer_id
    WHERE counted.event = 'won' AND counted.uncounted_at IS NULL
        AND person IN (customers.id, customers.merged_into));
