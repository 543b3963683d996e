-- Which of a sale's names, click_id and ref, name nothing in its program and counted for nothing.
-- Separated by commas.
ALTER TABLE conversions ADD COLUMN ignored TEXT NOT NULL DEFAULT '';
