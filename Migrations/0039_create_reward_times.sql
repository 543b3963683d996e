-- How long each reward and benefit takes from the referral until it is paid or given, and by when it
-- was to be, so that the report on it reads neither rewards nor leads. A row goes when what was earned
-- is rejected or voided.
CREATE TABLE reward_times (
    -- A reward or a benefit.
    subject_id BLOB PRIMARY KEY,
    program_id BLOB NOT NULL,
    trigger_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- The kind of the participant that referred.
    referrer TEXT NOT NULL,
    referred_at INTEGER NOT NULL,
    earned_at INTEGER NOT NULL CHECK (earned_at >= referred_at),
    approved_at INTEGER,
    paid_at INTEGER,
    -- Before which it was to be paid: by the target from the referral, within the business days and
    -- within the days from what earned it.
    target_at INTEGER,
    credit_at INTEGER,
    pay_at INTEGER,
    -- Which promise there is, and before which it was to be kept.
    promise TEXT CHECK (promise IN ('credit', 'payment')),
    promised_at INTEGER,
    CHECK ((promise IS NULL) = (promised_at IS NULL))
) STRICT, WITHOUT ROWID;

-- What was paid on some days, and what waits: there is no payment yet.
CREATE INDEX reward_times_by_payment
    ON reward_times (program_id, paid_at, referred_at, target_at);

-- What was granted before: with its times, but without targets, which nobody had set then. A sale
-- without a lead was referred at its first touch with credit.
INSERT INTO reward_times (
    subject_id, program_id, trigger_name, kind, referrer, referred_at, earned_at, approved_at,
    paid_at)
WITH earned AS (
    SELECT id, program_id, participant_id, trigger_name, kind, lead_id, conversion_id, approved_at,
        paid_at, created_at
    FROM rewards WHERE state NOT IN ('rejected', 'voided')
    UNION ALL
    SELECT id, program_id, participant_id, trigger_name, kind, lead_id, conversion_id, approved_at,
        fulfilled_at, created_at
    FROM benefits WHERE state <> 'voided'
), way AS (
    SELECT e.id, e.program_id, e.trigger_name, e.kind, coalesce(p.kind, 'none') AS referrer,
        coalesce(
            l.referred_at, l.created_at,
            (SELECT min(json_extract(touch.value, '$.occurred_at'))
                FROM attributions AS a, json_each(a.touches) AS touch
                WHERE a.conversion_id = c.id AND json_extract(touch.value, '$.parts') > 0),
            c.occurred_at, e.created_at) AS referred_at,
        min(coalesce(c.occurred_at, e.created_at), e.created_at) AS earned_at,
        e.approved_at, e.paid_at
    FROM earned AS e
    LEFT JOIN conversions AS c ON c.id = e.conversion_id
    LEFT JOIN leads AS l ON l.id = e.lead_id
    LEFT JOIN participants AS p ON p.id = e.participant_id
)
SELECT id, program_id, trigger_name, kind, referrer, min(referred_at, earned_at), earned_at,
    approved_at, paid_at
FROM way;
