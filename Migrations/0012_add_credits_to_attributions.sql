-- Who was given which part of the credit, where it is more than one or a registration decided. Empty:
-- all of it is participant_id's.

ALTER TABLE attributions ADD COLUMN credits TEXT NOT NULL DEFAULT '[]';
