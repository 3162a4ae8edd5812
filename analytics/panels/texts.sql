-- What texts took and cost, by the prices in the settings.
SELECT type, provider, count() AS messages, sum(segments) AS segments, round(sum(cost), 4) AS cost
FROM delivery_events FINAL
WHERE
    toDate(occurred_at) >= toDate({from})
    AND toDate(occurred_at) <= toDate({to})
    AND occurred_at >= {from} AND occurred_at < {to}
    AND channel = 'sms' AND stage = 'sent' AND {narrowed}
GROUP BY type, provider
ORDER BY cost DESC, type
LIMIT 20
