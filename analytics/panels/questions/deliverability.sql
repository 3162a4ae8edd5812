-- What becomes of messages by class of destination: a mailbox provider, a country with its kind of
-- network, a push service or a chat platform, as the view `deliverability` has it by day.
SELECT
    channel, destination,
    count() AS messages,
    countIf(m.is_sent) AS sent,
    countIf(m.is_delivered) AS delivered,
    countIf(m.has_bounced) AS bounced,
    countIf(m.has_failed) AS failed,
    countIf(m.complained) AS complained,
    countIf(m.is_opened) AS opened,
    if(sent = 0, NULL, round(delivered / sent, 4)) AS delivery_rate,
    if(sent = 0, NULL, round(bounced / sent, 4)) AS bounce_rate,
    if(sent = 0, NULL, round(complained / sent, 6)) AS complaint_rate
FROM
(
    SELECT
        channel, max(e.destination) AS destination,
        countIf(stage = 'sent') > 0 AS is_sent,
        countIf(stage = 'bounced') > 0 AS has_bounced,
        countIf(stage IN ('delivered', 'opened', 'clicked')) > 0 AND NOT has_bounced
            AS is_delivered,
        countIf(stage = 'failed') > 0 AND NOT has_bounced AS has_failed,
        countIf(stage = 'complained') > 0 AS complained,
        countIf(stage IN ('opened', 'clicked') AND detail != 'machine') > 0 AS is_opened
    FROM delivery_events AS e
    WHERE
        toDate(occurred_at) >= toDate({from}) AND toDate(occurred_at) <= toDate({to})
        AND occurred_at >= {from} AND occurred_at < {to}
        AND delivery_id != ''
        AND stage IN ('sent', 'delivered', 'bounced', 'failed', 'complained', 'opened', 'clicked')
        AND {narrowed}
    GROUP BY delivery_id, channel
    HAVING destination != ''
) AS m
GROUP BY channel, destination
ORDER BY messages DESC, channel, destination
LIMIT 50
