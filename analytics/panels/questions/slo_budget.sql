-- The share of each priority's error budget that is left of this time: one in a hundred may be late.
-- At a burn of 1 all of it is used up, and below 0 more were late than may be.
-- Grouped by a hash of 16 bytes, which takes half the processor time that grouping by texts does.
SELECT
    urgency AS priority,
    any(target) AS target_ms,
    count() AS messages,
    countIf(took > target) AS late,
    round(late / messages / 0.01, 2) AS burn,
    round(1 - late / (messages * 0.01), 2) AS left
FROM
(
    SELECT
        min(s.priority) AS urgency, min(s.held) AS held,
        dateDiff('ms', greatest(min(s.accepted), max(s.due)), min(s.sent)) AS took,
        transform(
            urgency, ['critical', 'high', 'normal', 'low'], [1000, 5000, 30000, 300000], 3600000
        ) AS target
    FROM notification_state AS s
    WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
    GROUP BY sipHash128(notification_id, channel)
    HAVING
        min(s.sent) IS NOT NULL AND held IS NULL AND took >= 0
        AND min(s.occurred) >= {from} AND min(s.occurred) < {to}
)
GROUP BY priority
ORDER BY left, priority
