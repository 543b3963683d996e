-- Who else an address of the network is known from: one that many share tells nothing.

CREATE INDEX traces_by_address ON traces (digest) WHERE kind IN ('address', 'browser');
