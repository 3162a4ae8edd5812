-- How many digests went together of how many events, by the events' own time.
SELECT
    type, channel,
    uniqExact(digest) AS digests,
    count() AS events,
    round(events / digests, 2) AS events_each
FROM delivery_events FINAL
WHERE
    toDate(occurred_at) >= toDate({from}) AND toDate(occurred_at) <= toDate({to})
    AND occurred_at >= {from} AND occurred_at < {to}
    AND stage = 'digested' AND {narrowed}
GROUP BY type, channel
ORDER BY events DESC, type, channel
LIMIT 20
