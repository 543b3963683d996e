-- What the operator's systems know of a participant: who may refer, and who looks after it.

ALTER TABLE participants ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
