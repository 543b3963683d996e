-- A reward has a clock for its promise and one for the program's target. Those that have run out are
-- looked for by which it is, so that a target that is often missed costs the promises nothing.
CREATE TABLE new_reward_clocks (
    promise TEXT NOT NULL CHECK (promise IN ('credit', 'payment', 'target')),
    due_at INTEGER NOT NULL,
    reward_id BLOB NOT NULL,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL,
    PRIMARY KEY (promise, due_at, reward_id)
) STRICT, WITHOUT ROWID;

INSERT INTO new_reward_clocks (promise, due_at, reward_id, program_id, participant_id)
SELECT promise, due_at, reward_id, program_id, participant_id FROM reward_clocks;

DROP TABLE reward_clocks;
ALTER TABLE new_reward_clocks RENAME TO reward_clocks;

CREATE UNIQUE INDEX reward_clocks_by_reward ON reward_clocks (reward_id, promise);
