-- A partner lists the leads that it works because it holds their accounts.

CREATE INDEX leads_by_partner ON leads (owner) WHERE owner_kind = 'partner';
