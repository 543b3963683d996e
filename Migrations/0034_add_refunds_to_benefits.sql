-- A refund of a part of a sale takes the same part of what it earned in value or points and is not
-- given yet.

ALTER TABLE benefits ADD COLUMN reversed_value INTEGER NOT NULL DEFAULT 0
    CHECK (reversed_value BETWEEN 0 AND coalesce(value_amount, 0));
ALTER TABLE benefits ADD COLUMN reversed_points INTEGER NOT NULL DEFAULT 0
    CHECK (reversed_points BETWEEN 0 AND coalesce(points, 0));

CREATE INDEX benefits_by_conversion ON benefits (conversion_id) WHERE conversion_id IS NOT NULL;
