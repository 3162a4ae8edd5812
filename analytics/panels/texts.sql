-- What texts took and cost, by the prices in the settings.
SELECT type, provider, count() AS messages, sum(segments) AS segments, round(sum(cost), 4) AS cost
FROM delivery_events FINAL
WHERE
    tenant = {tenant:String}
    AND occurred_at >= {from:DateTime} AND occurred_at < {to:DateTime}
    AND toDate(occurred_at) >= toDate({from:DateTime})
    AND toDate(occurred_at) <= toDate({to:DateTime})
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
    AND channel = 'sms' AND stage = 'sent'
GROUP BY type, provider
ORDER BY cost DESC, type
LIMIT 20
