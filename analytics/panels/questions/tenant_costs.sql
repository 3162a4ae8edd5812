-- What messages cost by the prices in the settings, of each tenant.
SELECT
    tenant, channel,
    count() AS messages, sum(segments) AS segments, round(sum(cost), 4) AS cost
FROM delivery_events FINAL
WHERE
    toDate(occurred_at) >= toDate({from}) AND toDate(occurred_at) <= toDate({to})
    AND occurred_at >= {from} AND occurred_at < {to}
    AND stage = 'sent' AND {narrowed}
GROUP BY tenant, channel
ORDER BY cost DESC, messages DESC, tenant, channel
LIMIT 50
