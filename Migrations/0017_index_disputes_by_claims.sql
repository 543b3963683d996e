-- A claim is approved when no dispute about it is open, and two claims are ruled once: both are
-- looked up by the claims.

CREATE INDEX disputes_by_claim ON disputes (claim_id, contested_id);
CREATE INDEX disputes_by_contested ON disputes (contested_id, claim_id);
