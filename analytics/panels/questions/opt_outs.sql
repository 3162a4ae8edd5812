-- How many of those who were sent a type left its category or complained. Who left by a reply or by
-- their preferences left the last that they were sent of that category on that channel, if it was
-- within seven days before.
SELECT
    type, channel,
    count() AS sent,
    countIf(n.unsubscribed) AS unsubscribed,
    countIf(n.complained) AS complained,
    round(unsubscribed / sent, 6) AS unsubscribe_rate,
    round(complained / sent, 6) AS complaint_rate
FROM
(
    SELECT
        s.type AS type, s.channel AS channel, s.complained AS complained,
        s.unsubscribed OR l.notification_id != '' AS unsubscribed
    FROM
    (
        SELECT
            type, notification_id, channel,
            min(s.unsubscribed) IS NOT NULL AS unsubscribed,
            min(s.complained) IS NOT NULL AS complained
        FROM notification_state AS s
        WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
        GROUP BY tenant, day, type, notification_id, channel
        HAVING
            min(s.sent) IS NOT NULL
            AND min(s.occurred) >= {from} AND min(s.occurred) < {to}
    ) AS s
    LEFT ANY JOIN
    (
        SELECT o.channel AS channel, said.notification_id AS notification_id
        FROM
        (
            SELECT user, channel, category AS wanted, at
            FROM delivery_events
            WHERE
                {tenant} AND stage = 'unsubscribed' AND notification_id = ''
                AND toDate(occurred_at) >= toDate({from})
        ) AS o
        ASOF INNER JOIN
        (
            SELECT
                user, channel, notification_id, arrayJoin([category, '']) AS wanted,
                assumeNotNull(sent) AS at
            FROM notification_state
            WHERE {tenant} AND day >= toDate({from}) AND sent IS NOT NULL
        ) AS said
        ON o.user = said.user AND o.channel = said.channel AND o.wanted = said.wanted
            AND o.at >= said.at
        WHERE o.at <= said.at + toIntervalDay(7)
    ) AS l
    ON s.channel = l.channel AND s.notification_id = l.notification_id
) AS n
GROUP BY type, channel
ORDER BY unsubscribed DESC, complained DESC, sent DESC, type, channel
LIMIT 50
