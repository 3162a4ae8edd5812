-- What becomes of texts by the country of the number, the carrier that its provider reports, and the
-- provider, as the view `deliverability_by_carrier` has it by day.
SELECT
    country, carrier, provider,
    count() AS messages,
    countIf(m.is_sent) AS sent,
    countIf(m.is_delivered) AS delivered,
    countIf(m.has_bounced) AS bounced,
    countIf(m.has_failed) AS failed,
    if(sent = 0, NULL, round(delivered / sent, 4)) AS delivery_rate,
    if(sent = 0, NULL, round(bounced / sent, 4)) AS bounce_rate
FROM
(
    SELECT
        splitByChar(' ', max(e.destination))[1] AS country,
        if(max(e.carrier) = '', '(unknown)', max(e.carrier)) AS carrier,
        argMaxIf(
            e.provider, (e.stage = 'sent', e.at, e.provider), e.stage IN ('sent', 'failed')
        ) AS provider,
        countIf(stage = 'sent') > 0 AS is_sent,
        countIf(stage = 'bounced') > 0 AS has_bounced,
        countIf(stage IN ('delivered', 'opened', 'clicked')) > 0 AND NOT has_bounced
            AS is_delivered,
        countIf(stage = 'failed') > 0 AND NOT has_bounced AS has_failed
    FROM delivery_events AS e
    WHERE
        toDate(occurred_at) >= toDate({from}) AND toDate(occurred_at) <= toDate({to})
        AND occurred_at >= {from} AND occurred_at < {to}
        AND channel = 'sms' AND delivery_id != ''
        AND stage IN ('sent', 'delivered', 'bounced', 'failed', 'opened', 'clicked')
        AND {narrowed}
    GROUP BY delivery_id
    HAVING max(e.destination) != ''
) AS m
GROUP BY country, carrier, provider
ORDER BY messages DESC, country, carrier, provider
LIMIT 50
