-- The active rules of reward and their versions that a rehearsal's change was laid over, as a JSON
-- object. Null: of before this column.
ALTER TABLE rehearsals ADD COLUMN reward_rules TEXT;
