-- Whom to forget, by a hash: rows that are still in Kafka, or that a provider reports later, must
-- not bring them back. Gone itself once no topic holds anything older.
CREATE TABLE IF NOT EXISTS erased {on_cluster}
(
    tenant LowCardinality(String),
    user_hash FixedString(64),
    at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(at)
ORDER BY (tenant, user_hash)
TTL toDateTime(at) + INTERVAL 40 DAY;
