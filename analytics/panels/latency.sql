-- From Kafka's taking the event to the provider's taking the message, in ms; not of what was held
-- on purpose, nor where clocks disagree.
SELECT
    toStartOfInterval(accepted, toIntervalSecond({step:UInt32})) AS time,
    priority,
    round(quantileExact(0.5)(took)) AS p50,
    round(quantileExact(0.99)(took)) AS p99,
    max(target) AS target_ms
FROM
(
    SELECT
        min(s.accepted) AS accepted, min(s.priority) AS priority, min(s.held) AS held,
        dateDiff('ms', min(s.accepted), min(s.sent)) AS took,
        transform(
            min(s.priority), ['critical', 'high', 'normal', 'low'],
            [1000, 5000, 30000, 300000], 3600000
        ) AS target
    FROM notification_state AS s
    WHERE
        tenant = {tenant:String}
        AND day >= toDate({from:DateTime}) AND day <= toDate({to:DateTime})
        AND ({type:String} = '' OR type = {type:String})
        AND ({channel:String} = '' OR channel = {channel:String})
    GROUP BY tenant, day, type, notification_id, channel
    HAVING
        min(s.sent) IS NOT NULL AND held IS NULL AND took >= 0
        AND min(s.occurred) >= {from:DateTime} AND min(s.occurred) < {to:DateTime}
        AND ({priority:String} = '' OR priority = {priority:String})
)
GROUP BY time, priority
ORDER BY time, priority
