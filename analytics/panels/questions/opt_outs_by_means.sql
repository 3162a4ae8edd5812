-- Who left what in this time, and by what: one click, a provider's own list, a reply, their
-- preferences by a page or the API, or what a producer said. An empty category is all of them. People,
-- each once; what is left by no message has neither a type nor a priority.
SELECT category, channel, means, uniqExact(user) AS users
FROM
(
    SELECT
        tenant, type, category, channel, user,
        if(notification_id = '', '', priority) AS priority,
        multiIf(
            notification_id = '', detail, provider = 'links', 'one click', 'provider'
        ) AS means
    FROM delivery_events
    WHERE
        {tenant} AND stage = 'unsubscribed' AND at >= {from} AND at < {to}
        -- A link to unsubscribe ends long before.
        AND toDate(occurred_at) >= toDate({from}) - 90 AND toDate(occurred_at) <= toDate({to})
)
WHERE {narrowed}
GROUP BY category, channel, means
ORDER BY users DESC, category, channel, means
LIMIT 50
