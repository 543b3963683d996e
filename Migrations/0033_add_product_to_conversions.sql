-- What was sold, by which rules and campaigns may be narrowed (R189).

ALTER TABLE conversions ADD COLUMN product TEXT;
