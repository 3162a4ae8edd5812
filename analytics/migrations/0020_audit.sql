-- Who looked a user up, exported or erased one, or sent a dead letter again. Users are named by a
-- hash, as in `erased`, so that an erasure need not look here.
CREATE TABLE IF NOT EXISTS audit {on_cluster}
(
    at DateTime64(3, 'UTC'),
    who LowCardinality(String),
    deed LowCardinality(String),
    route LowCardinality(String),
    tenant LowCardinality(String),
    user_hash String,
    thing String,
    -- Rows come twice; what is of one record is one.
    source String
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, who, source)
TTL toDateTime(at) + INTERVAL 13 MONTH;

CREATE OR REPLACE VIEW audit_trail {on_cluster} AS
SELECT at, who, deed, route, tenant, user_hash, thing
FROM audit FINAL
ORDER BY at DESC;
