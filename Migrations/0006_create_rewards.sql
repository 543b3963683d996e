-- What rewards are promised, what was earned and paid, and the double-entry journal that proves
-- it.

CREATE TABLE reward_rules (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    name TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'archived')),
    trigger_name TEXT NOT NULL CHECK (trigger_name IN (
        'lead.submitted', 'lead.qualified', 'lead.opportunity', 'lead.won', 'conversion', 'signup',
        'purchase', 'renewal', 'upsell', 'milestone')),
    terms TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The first of the rules that replaced one another, itself where it replaces none: what is given
    -- once for each customer is given once by all of them.
    lineage_id BLOB NOT NULL
) STRICT;

CREATE INDEX reward_rules_by_lineage ON reward_rules (lineage_id);
CREATE INDEX reward_rules_by_program ON reward_rules (program_id, seq);

CREATE TABLE campaigns (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'active', 'ended')),
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    terms TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (starts_at <= ends_at)
) STRICT;

CREATE INDEX campaigns_by_program ON campaigns (program_id, seq);

CREATE TABLE rewards (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    -- Null for what a person gave by hand.
    rule_id BLOB REFERENCES reward_rules (id),
    rule_version INTEGER,
    trigger_name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (
        kind = 'cash' OR kind = 'account_credit' OR kind = 'gift_card' OR kind = 'donation'
        OR kind = 'choice' OR kind = 'points'),
    lead_id BLOB,
    conversion_id BLOB,
    payout_id BLOB REFERENCES payouts (id),
    state TEXT NOT NULL CHECK (
        state = 'pending' OR state = 'review' OR state = 'approved' OR state = 'paid'
        OR state = 'rejected' OR state = 'voided' OR state = 'clawed_back'),
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reversed_amount INTEGER NOT NULL CHECK (reversed_amount BETWEEN 0 AND amount),
    -- Also what was kept back for a refund that was reversed since: so it may be more than that.
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount >= 0),
    settled_amount INTEGER NOT NULL CHECK (
        settled_amount BETWEEN 0 AND amount - reversed_amount + clawback_amount),
    basis TEXT NOT NULL,
    reason TEXT,
    hold_until INTEGER NOT NULL,
    approved_at INTEGER,
    paid_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    corrected_amount INTEGER NOT NULL DEFAULT 0 CHECK (corrected_amount BETWEEN 0 AND amount),
    attribution_id BLOB NOT NULL DEFAULT x'',
    -- The referred customer.
    customer_id BLOB,
    -- The instant to whose periods of limits and budget it counts.
    counts_at INTEGER NOT NULL,
    is_refused INTEGER NOT NULL DEFAULT 0
        CHECK (is_refused = 0 OR is_refused = 1),
    -- What of the reversed amount neither a refund nor a new decision about the credit took, and
    -- why.
    withdrawn_amount INTEGER NOT NULL DEFAULT 0 CHECK (withdrawn_amount >= 0),
    withdrawn_for TEXT,
    CHECK (corrected_amount + withdrawn_amount <= reversed_amount),
    CHECK ((trigger_name = 'manual') = (rule_id IS NULL)),
    CHECK ((rule_id IS NULL) = (rule_version IS NULL)),
    CHECK (trigger_name IN ('conversion', 'manual') OR lead_id IS NOT NULL),
    CHECK (trigger_name <> 'conversion' OR conversion_id IS NOT NULL)
) STRICT;

-- A decision about a conversion pays a rule once to a participant.
CREATE UNIQUE INDEX rewards_once_per_decision
    ON rewards (conversion_id, rule_id, participant_id, attribution_id)
    WHERE trigger_name = 'conversion';
CREATE INDEX rewards_by_lead ON rewards (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX rewards_by_conversion ON rewards (conversion_id) WHERE conversion_id IS NOT NULL;
CREATE INDEX rewards_by_participant ON rewards (participant_id, state, seq);
CREATE INDEX rewards_by_state ON rewards (state, seq);
CREATE INDEX rewards_by_rule ON rewards (rule_id, participant_id) WHERE rule_id IS NOT NULL;

-- What can be paid, participant by participant, oldest first.
CREATE INDEX rewards_to_pay ON rewards (program_id, kind, currency, participant_id)
    WHERE state = 'approved' AND payout_id IS NULL;

-- Who has yet to choose.
CREATE INDEX rewards_to_choose ON rewards (seq) WHERE kind = 'choice';
CREATE INDEX rewards_by_period ON rewards (participant_id, counts_at);
CREATE INDEX rewards_by_customer ON rewards (customer_id, rule_id) WHERE customer_id IS NOT NULL;

-- A lead that several partners share pays a rule once to each of them of what still counts, and never
-- again after a rejection; a decision about a conversion pays a rule once to a participant.
CREATE UNIQUE INDEX rewards_once_per_lead ON rewards (lead_id, rule_id, participant_id)
    WHERE trigger_name <> 'conversion' AND (is_refused = 1 OR reversed_amount < amount);

CREATE TABLE benefits (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    -- Whose it is: a participant, or the referred customer.
    participant_id BLOB REFERENCES participants (id),
    customer_id BLOB,
    rule_id BLOB NOT NULL REFERENCES reward_rules (id),
    rule_version INTEGER NOT NULL,
    trigger_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    lead_id BLOB,
    conversion_id BLOB,
    state TEXT NOT NULL CHECK (state IN ('pending', 'review', 'approved', 'fulfilled', 'voided')),
    value_amount INTEGER CHECK (value_amount > 0),
    value_currency TEXT,
    points INTEGER CHECK (points > 0),
    discount_basis_points INTEGER CHECK (discount_basis_points BETWEEN 1 AND 10000),
    -- For how long a discount is given: once, forever, or months.
    duration TEXT,
    duration_months INTEGER,
    description TEXT,
    basis TEXT NOT NULL,
    reason TEXT,
    reference TEXT,
    hold_until INTEGER NOT NULL,
    approved_at INTEGER,
    fulfilled_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    reversed_value INTEGER NOT NULL DEFAULT 0
        CHECK (reversed_value BETWEEN 0 AND coalesce(value_amount, 0)),
    reversed_points INTEGER NOT NULL DEFAULT 0
        CHECK (reversed_points BETWEEN 0 AND coalesce(points, 0)),
    -- Who referred, who was referred, and to whose periods of limits it counts, whoever gets it.
    referrer_id BLOB NOT NULL,
    referee_id BLOB,
    counts_at INTEGER NOT NULL,
    -- Why it was voided: what refunds took can come back.
    voided_for TEXT,
    CHECK ((participant_id IS NULL) <> (customer_id IS NULL)),
    CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
    CHECK (lead_id IS NOT NULL OR conversion_id IS NOT NULL)
) STRICT;

-- Exactly once on an occasion, again only after the first was voided.
CREATE UNIQUE INDEX benefits_once_per_conversion
    ON benefits (conversion_id, rule_id, coalesce(participant_id, customer_id))
    WHERE conversion_id IS NOT NULL AND state <> 'voided';
CREATE UNIQUE INDEX benefits_once_per_lead
    ON benefits (lead_id, rule_id, coalesce(participant_id, customer_id))
    WHERE conversion_id IS NULL AND state <> 'voided';
CREATE INDEX benefits_by_lead ON benefits (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX benefits_by_participant ON benefits (participant_id) WHERE participant_id IS NOT NULL;
CREATE INDEX benefits_by_referrer ON benefits (referrer_id, counts_at);
CREATE INDEX benefits_by_referee ON benefits (referee_id, rule_id) WHERE referee_id IS NOT NULL;
CREATE INDEX benefits_by_customer ON benefits (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX benefits_by_conversion ON benefits (conversion_id) WHERE conversion_id IS NOT NULL;

CREATE TABLE first_come_places (
    seq INTEGER PRIMARY KEY,
    -- The campaign or the rule.
    offer_id BLOB NOT NULL,
    customer_id BLOB,
    lead_id BLOB,
    taken_at INTEGER NOT NULL,
    CHECK (customer_id IS NOT NULL OR lead_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX first_come_places_by_customer
    ON first_come_places (offer_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX first_come_places_by_lead
    ON first_come_places (offer_id, lead_id) WHERE lead_id IS NOT NULL;

CREATE TABLE referral_counts (
    seq INTEGER PRIMARY KEY,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL REFERENCES participants (id),
    event TEXT NOT NULL CHECK (event IN ('qualified', 'won')),
    lead_id BLOB,
    conversion_id BLOB,
    customer_id BLOB,
    counted_at INTEGER NOT NULL,
    -- When it turned out to be none, or its sales were wholly refunded: the last can come back.
    uncounted_at INTEGER,
    is_refunded INTEGER NOT NULL DEFAULT 0 CHECK (is_refunded IN (0, 1)),
    CHECK ((lead_id IS NULL) <> (conversion_id IS NULL))
) STRICT;

CREATE UNIQUE INDEX referral_counts_once ON referral_counts (lead_id, event, participant_id)
    WHERE uncounted_at IS NULL AND lead_id IS NOT NULL;
CREATE UNIQUE INDEX referral_counts_once_per_sale
    ON referral_counts (conversion_id, event, participant_id)
    WHERE uncounted_at IS NULL AND conversion_id IS NOT NULL;
CREATE INDEX referral_counts_by_participant ON referral_counts (participant_id, event, counted_at);
CREATE INDEX referral_counts_by_conversion ON referral_counts (conversion_id)
    WHERE conversion_id IS NOT NULL;
CREATE INDEX referral_counts_of_refunded_leads ON referral_counts (lead_id)
    WHERE is_refunded = 1 AND lead_id IS NOT NULL;
CREATE INDEX referral_counts_by_customer ON referral_counts (customer_id)
    WHERE customer_id IS NOT NULL;

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

-- A reward has a clock for its promise and one for the program's target. Those that have run out are
-- looked for by which it is, so that a target that is often missed costs the promises nothing.
CREATE TABLE reward_clocks (
    promise TEXT NOT NULL CHECK (promise IN ('credit', 'payment', 'target')),
    due_at INTEGER NOT NULL,
    reward_id BLOB NOT NULL,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL,
    PRIMARY KEY (promise, due_at, reward_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX reward_clocks_by_reward ON reward_clocks (reward_id, promise);

-- How many participants a run passed over because nothing may be paid to them.
CREATE TABLE payout_runs (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    reference TEXT NOT NULL UNIQUE,
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'submitting', 'confirming', 'done')),
    -- The day for which the schedule made it.
    period INTEGER,
    minimum INTEGER NOT NULL CHECK (minimum >= 0),
    review_days INTEGER NOT NULL CHECK (review_days >= 0),
    -- The last participant that was looked at: where a stopped run goes on.
    last_participant_id BLOB,
    examined INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    skipped INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL DEFAULT 'cash'
        CHECK (kind IN ('cash', 'account_credit', 'gift_card', 'donation')),
    -- Whom it is for: ids in a row with a space between, and a segment. Null: everybody.
    participant_ids TEXT,
    segment TEXT,
    drafted_count INTEGER NOT NULL CHECK (drafted_count >= 0),
    drafted_amount INTEGER NOT NULL CHECK (drafted_amount >= 0),
    -- The last payout that was looked at when the run was submitted or confirmed as a whole.
    cursor INTEGER NOT NULL,
    action_actor TEXT,
    provider_reference TEXT,
    left_out INTEGER NOT NULL
) STRICT;

CREATE INDEX payout_runs_by_program ON payout_runs (program_id, seq);
CREATE INDEX payout_runs_that_run ON payout_runs (seq) WHERE state <> 'done';
CREATE UNIQUE INDEX payout_runs_once_per_period
    ON payout_runs (program_id, kind, period) WHERE period IS NOT NULL;

-- How many payouts of a run are in each state, and what they come to.
CREATE TABLE payout_run_states (
    run_id BLOB NOT NULL REFERENCES payout_runs (id),
    state TEXT NOT NULL,
    payouts INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    clawback_amount INTEGER NOT NULL,
    paid_amount INTEGER NOT NULL,
    PRIMARY KEY (run_id, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE payouts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    reference TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN (
        'draft', 'processing', 'unknown', 'paid', 'partially_paid', 'failed', 'returned',
        'cancelled')),
    currency TEXT NOT NULL,
    rewards_amount INTEGER NOT NULL CHECK (rewards_amount > 0),
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount >= 0),
    amount INTEGER NOT NULL CHECK (amount > 0 AND amount = rewards_amount - clawback_amount),
    paid_amount INTEGER NOT NULL CHECK (paid_amount BETWEEN 0 AND amount),
    -- What came back, in all.
    returned_amount INTEGER NOT NULL CHECK (returned_amount >= 0),
    -- What it has settled of its rewards: paid and kept back, less what was paid twice.
    settled_amount INTEGER NOT NULL CHECK (settled_amount BETWEEN 0 AND rewards_amount),
    reward_count INTEGER NOT NULL CHECK (reward_count > 0),
    provider_reference TEXT,
    reason TEXT,
    submitted_at INTEGER,
    settled_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    run_id BLOB REFERENCES payout_runs (id),
    submit_from INTEGER,
    kind TEXT NOT NULL DEFAULT 'cash'
        CHECK (kind IN ('cash', 'account_credit', 'gift_card', 'donation')),
    CHECK ((state IN ('paid', 'partially_paid')) = (paid_amount > 0)),
    CHECK (state <> 'paid' OR paid_amount = amount),
    CHECK (state <> 'partially_paid' OR paid_amount < amount)
) STRICT;

CREATE INDEX payouts_by_participant ON payouts (participant_id, seq);
CREATE INDEX payouts_by_state ON payouts (state, seq);

-- A run pays a participant once.
CREATE UNIQUE INDEX payouts_once_per_run ON payouts (run_id, participant_id)
    WHERE run_id IS NOT NULL;

-- A run's payouts in the order of their making, for pages and the file.
CREATE INDEX payouts_by_run ON payouts (run_id) WHERE run_id IS NOT NULL;

-- What came back, once for each return, by the entry of the journal that says so. As long as one is
-- not released, runs of its kind leave the participant out.
CREATE TABLE payout_returns (
    transaction_seq INTEGER PRIMARY KEY REFERENCES ledger_transactions (seq),
    payout_id BLOB NOT NULL REFERENCES payouts (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,
    released_at INTEGER
) STRICT;

CREATE INDEX payout_returns_that_hold ON payout_returns (participant_id)
    WHERE released_at IS NULL;

-- What the bank or the provider said of payouts of runs, each result once. Amount 0: the whole.
CREATE TABLE payout_results (
    payout_id BLOB NOT NULL REFERENCES payouts (id),
    outcome TEXT NOT NULL,
    amount INTEGER NOT NULL,
    provider_reference TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (payout_id, outcome, amount, provider_reference)
) STRICT, WITHOUT ROWID;

-- The rewards of a payout and how much of each it asked for. A failed payout keeps its rows.
CREATE TABLE payout_rewards (
    payout_id BLOB NOT NULL REFERENCES payouts (id),
    reward_id BLOB NOT NULL REFERENCES rewards (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    settled_amount INTEGER NOT NULL CHECK (settled_amount BETWEEN 0 AND amount),
    PRIMARY KEY (payout_id, reward_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX payout_rewards_by_reward ON payout_rewards (reward_id);

-- An account's owner is the program for what rewards cost, the participant for all others. The balance
-- is the sum of its postings, kept in the transaction that posts.
CREATE TABLE ledger_accounts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (
        kind = 'budget_reserve' OR kind = 'program_expense' OR kind = 'points_issued'
        OR kind = 'participant_pending' OR kind = 'participant_available'
        OR kind = 'payout_clearing' OR kind = 'paid_out' OR kind = 'clawback_receivable'),
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB REFERENCES participants (id),
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (
        (kind = 'budget_reserve' OR kind = 'program_expense' OR kind = 'points_issued')
        = (participant_id IS NULL))
) STRICT;

CREATE UNIQUE INDEX ledger_accounts_of_programs
    ON ledger_accounts (program_id, kind, currency) WHERE participant_id IS NULL;
CREATE UNIQUE INDEX ledger_accounts_of_participants
    ON ledger_accounts (participant_id, kind, currency) WHERE participant_id IS NOT NULL;

CREATE TRIGGER ledger_accounts_keep_their_names
BEFORE UPDATE OF seq, id, kind, program_id, participant_id, currency, created_at ON ledger_accounts
BEGIN SELECT RAISE(ABORT, 'ledger accounts keep their names'); END;

CREATE TRIGGER ledger_accounts_are_not_deleted BEFORE DELETE ON ledger_accounts
BEGIN SELECT RAISE(ABORT, 'ledger accounts are not deleted'); END;

-- seq counts from 1 without gaps; hash covers the row, its postings and previous_hash.
CREATE TABLE ledger_transactions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    program_id BLOB NOT NULL,
    participant_id BLOB NOT NULL,
    reward_id BLOB,
    payout_id BLOB,
    conversion_id BLOB,
    lead_id BLOB,
    refund_id BLOB,
    posted_at INTEGER NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    redemption_id BLOB
) STRICT;

CREATE INDEX ledger_transactions_by_participant ON ledger_transactions (participant_id, seq);
CREATE INDEX ledger_transactions_by_reward
    ON ledger_transactions (reward_id) WHERE reward_id IS NOT NULL;
CREATE INDEX ledger_transactions_by_payout
    ON ledger_transactions (payout_id) WHERE payout_id IS NOT NULL;
CREATE INDEX ledger_transactions_by_time ON ledger_transactions (posted_at);
CREATE INDEX ledger_transactions_by_redemption
    ON ledger_transactions (redemption_id) WHERE redemption_id IS NOT NULL;

CREATE TRIGGER ledger_transactions_are_not_updated BEFORE UPDATE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER ledger_transactions_are_not_deleted BEFORE DELETE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE ledger_postings (
    transaction_seq INTEGER NOT NULL REFERENCES ledger_transactions (seq),
    line INTEGER NOT NULL,
    account_seq INTEGER NOT NULL REFERENCES ledger_accounts (seq),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    -- Of the account, after this posting: the balance of any earlier instant is one row.
    balance_after INTEGER NOT NULL,
    PRIMARY KEY (transaction_seq, line)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_postings_by_account ON ledger_postings (account_seq, transaction_seq);

CREATE TRIGGER ledger_postings_are_not_updated BEFORE UPDATE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER ledger_postings_are_not_deleted BEFORE DELETE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE catalog_items (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    -- The operator's own name for it.
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    category TEXT,
    kind TEXT NOT NULL CHECK (kind IN (
        'gift_card', 'discount', 'donation', 'perk', 'account_credit')),
    points INTEGER NOT NULL CHECK (points > 0),
    value_amount INTEGER CHECK (value_amount > 0),
    value_currency TEXT,
    vendor TEXT,
    -- Codes in a row, with a space between. Null: everywhere.
    countries TEXT,
    -- How many are left. Null: as many as are wanted.
    stock INTEGER CHECK (stock >= 0),
    available_from INTEGER,
    available_until INTEGER,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled', 'archived')),
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
    CHECK (available_from IS NULL OR available_until IS NULL OR available_from < available_until)
) STRICT;

CREATE UNIQUE INDEX catalog_items_by_sku ON catalog_items (program_id, sku);
CREATE INDEX catalog_items_by_program ON catalog_items (program_id, seq);

CREATE TABLE redemptions (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    program_id BLOB NOT NULL REFERENCES programs (id),
    participant_id BLOB NOT NULL REFERENCES participants (id),
    item_id BLOB NOT NULL REFERENCES catalog_items (id),
    -- The caller's own name for it.
    reference TEXT,
    -- The item as it was.
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    value_amount INTEGER,
    value_currency TEXT,
    points INTEGER NOT NULL CHECK (points > 0),
    -- What was owed and is set off.
    clawback_amount INTEGER NOT NULL CHECK (clawback_amount >= 0),
    -- Whether it took one of the item's stock.
    takes_stock INTEGER NOT NULL CHECK (takes_stock IN (0, 1)),
    country TEXT,
    state TEXT NOT NULL CHECK (state IN ('requested', 'fulfilled', 'cancelled')),
    fulfillment_reference TEXT,
    reason TEXT,
    settled_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX redemptions_by_reference ON redemptions (participant_id, reference)
    WHERE reference IS NOT NULL;
CREATE INDEX redemptions_by_participant ON redemptions (participant_id, seq);
CREATE INDEX redemptions_by_state ON redemptions (state, seq);

-- What a redemption uses of each reward. A cancelled one keeps its rows.
CREATE TABLE redemption_rewards (
    redemption_id BLOB NOT NULL REFERENCES redemptions (id),
    reward_id BLOB NOT NULL REFERENCES rewards (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (redemption_id, reward_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX redemption_rewards_by_reward ON redemption_rewards (reward_id);
