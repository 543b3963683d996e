-- What a program promised about a reward and by when. A row goes when the promise is kept, or when
-- nothing is left to keep. In the order in which promises fall due.
CREATE TABLE reward_clocks (
    due_at INTEGER NOT NULL,
    reward_id BLOB NOT NULL,
    promise TEXT NOT NULL CHECK (promise IN ('credit', 'payment')),
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL,
    PRIMARY KEY (due_at, reward_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX reward_clocks_by_reward ON reward_clocks (reward_id);
