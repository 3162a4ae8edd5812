-- From Kafka's taking the event, or from when a digest was due, to the provider's taking the message,
-- in ms; not of what was held on purpose, nor where clocks disagree.
-- By numbers and bits, see migration 0032: half the processor time that ids and times take.
SELECT
    toStartOfInterval(began, toIntervalSecond({step:UInt32})) AS time,
    ['critical', 'high', 'normal', 'low', 'bulk'][urgency] AS priority,
    round(quantilesExact(0.5, 0.99)(took)[1]) AS p50,
    round(quantilesExact(0.5, 0.99)(took)[2]) AS p99,
    [1000, 5000, 30000, 300000, 3600000][urgency] AS target_ms
FROM
(
    SELECT
        greatest(min(s.accepted), max(s.due)) AS began,
        dateDiff('ms', began, min(s.sent)) AS took,
        any(indexOf(['critical', 'high', 'normal', 'low', 'bulk'], s.priority)) AS urgency,
        {reached} AS known
    FROM notification_state AS s
    WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
    GROUP BY bitXor(number, cityHash64(channel))
    HAVING bitShiftRight(known, 30) = 2 AND bitAnd(known, 18) = 16 AND took >= 0
)
GROUP BY time, urgency
ORDER BY time, priority
