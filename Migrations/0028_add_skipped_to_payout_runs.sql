-- How many participants a run passed over because nothing may be paid to them.
ALTER TABLE payout_runs ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
