-- Points given for items of the catalogue, which rewards each of them used up, and their entries in the
-- journal.

CREATE TABLE redemptions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    item_id BLOB NOT NULL REFERENCES catalog_items (id),
    -- The caller's own name for it.
    reference TEXT,
    -- The item as it was.
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    value_amount INTEGER,
    value_currency TEXT,
    points INTEGER NOT NULL CHECK (points > 0),
    -- What was owed and is set off.
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount >= 0),
    -- Whether it took one of the item's stock.
    takes_stock INTEGER NOT NULL CHECK (takes_stock IN (0, 1)),
    country TEXT,
    state TEXT NOT NULL CHECK (state IN ('requested', 'fulfilled', 'cancelled')),
    fulfillment_reference TEXT,
    reason TEXT,
    settled_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX redemptions_by_reference ON redemptions (participant_id, reference)
    WHERE reference IS NOT NULL;
CREATE INDEX redemptions_by_participant ON redemptions (participant_id, seq);
CREATE INDEX redemptions_by_state ON redemptions (state, seq);

-- What a redemption uses of each reward. A cancelled one keeps its rows.
CREATE TABLE redemption_rewards (
    redemption_id BLOB NOT NULL REFERENCES redemptions (id),
    reward_id BLOB NOT NULL REFERENCES rewards (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (redemption_id, reward_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX redemption_rewards_by_reward ON redemption_rewards (reward_id);

ALTER TABLE ledger_transactions ADD COLUMN redemption_id BLOB;
CREATE INDEX ledger_transactions_by_redemption
    ON ledger_transactions (redemption_id) WHERE redemption_id IS NOT NULL;
