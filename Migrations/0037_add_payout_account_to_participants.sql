-- Where a participant is paid, masked for people; the account itself is a trace.

ALTER TABLE participants ADD COLUMN payout_account TEXT;
