-- What participants may have for their points: the operator's own catalogue, program by program.

CREATE TABLE catalog_items (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    -- The operator's own name for it.
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    category TEXT,
    kind TEXT NOT NULL CHECK (kind IN (
        'gift_card', 'discount', 'donation', 'perk', 'account_credit')),
    points INTEGER NOT NULL CHECK (points > 0),
    value_amount INTEGER CHECK (value_amount > 0),
    value_currency TEXT,
    vendor TEXT,
    -- Codes in a row, with a space between. Null: everywhere.
    countries TEXT,
    -- How many are left. Null: as many as are wanted.
    stock INTEGER CHECK (stock >= 0),
    available_from INTEGER,
    available_until INTEGER,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled', 'archived')),
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
    CHECK (available_from IS NULL OR available_until IS NULL OR available_from < available_until)
) STRICT;

CREATE UNIQUE INDEX catalog_items_by_sku ON catalog_items (program_id, sku);
CREATE INDEX catalog_items_by_program ON catalog_items (program_id, seq);
