-- Tenants by what was sent for them. That an event came again is no message that was suppressed.
SELECT
    tenant,
    sumIf(messages, stage = 'sent') AS sent,
    sumIf(messages, stage = 'suppressed') AS suppressed,
    sumIf(messages, stage = 'failed') AS failed,
    sumIf(messages, priority = 'bulk' AND stage = 'queued') AS over_share
FROM
(
    SELECT
        tenant, stage, priority,
        uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
            AS messages
    FROM {happenings} AS h
    WHERE
        (stage IN ('sent', 'suppressed', 'failed') AND reason != 'duplicate')
        OR (stage = 'queued' AND priority = 'bulk')
    GROUP BY tenant, stage, priority
    HAVING messages > 0
)
GROUP BY tenant
ORDER BY sent DESC, tenant
LIMIT 50
