-- Companies that the operator knows already: its customers and its own pipeline.

CREATE TABLE accounts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    external_id TEXT UNIQUE,
    name TEXT,
    domain TEXT,
    country TEXT,
    relation TEXT NOT NULL CHECK (relation IN ('customer', 'pipeline', 'former', 'prospect')),
    domain_key BLOB UNIQUE,
    company_key BLOB,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (domain_key IS NOT NULL OR company_key IS NOT NULL)
) STRICT;

CREATE INDEX accounts_by_company ON accounts (company_key) WHERE company_key IS NOT NULL;
