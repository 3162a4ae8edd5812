-- How many notifications users were sent in this time, and what they did with them: whom we tire.
-- Grouped by a hash of 16 bytes, which takes half the processor time that grouping by texts does.
SELECT
    multiIf(
        u.times <= 2, toString(u.times), u.times <= 5, '3 to 5', u.times <= 10, '6 to 10',
        u.times <= 20, '11 to 20', 'over 20'
    ) AS notifications,
    count() AS users,
    round(sum(u.opened) / sum(u.times), 4) AS open_rate,
    countIf(u.unsubscribed > 0) AS unsubscribed,
    countIf(u.complained > 0) AS complained
FROM
(
    SELECT
        user, count() AS times, countIf(n.opened) AS opened,
        countIf(n.unsubscribed) AS unsubscribed, countIf(n.complained) AS complained
    FROM
    (
        SELECT
            min(s.user) AS user,
            min(s.opened) IS NOT NULL OR min(s.clicked) IS NOT NULL AS opened,
            min(s.unsubscribed) IS NOT NULL AS unsubscribed,
            min(s.complained) IS NOT NULL AS complained
        FROM notification_state AS s
        WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
        GROUP BY sipHash128(notification_id)
        HAVING
            min(s.sent) IS NOT NULL
            AND min(s.occurred) >= {from} AND min(s.occurred) < {to}
    ) AS n
    GROUP BY user
) AS u
GROUP BY notifications
ORDER BY min(u.times)
