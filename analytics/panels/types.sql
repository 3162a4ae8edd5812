-- The types that say most, and what becomes of what they say: notifications, each counted once on
-- each channel. A rate is of what was sent where an open can be known: a text message or one in a
-- chat tells nobody that it was read. A click is an open.
-- Grouped by a hash of 16 bytes, which takes half the processor time that grouping by texts does.
SELECT
    said AS type,
    countIf(n.sent IS NOT NULL) AS sent,
    countIf(n.suppressed IS NOT NULL AND n.queued IS NULL AND n.sent IS NULL) AS suppressed,
    countIf(n.failed IS NOT NULL AND n.sent IS NULL) AS failed,
    countIf(n.opened IS NOT NULL OR n.clicked IS NOT NULL) AS opened,
    countIf(n.unsubscribed IS NOT NULL) AS unsubscribed,
    countIf(n.sent IS NOT NULL AND way IN ('push', 'email', 'inapp')) AS can_be_opened,
    countIf(
        n.sent IS NOT NULL AND way IN ('push', 'email', 'inapp')
        AND (n.opened IS NOT NULL OR n.clicked IS NOT NULL)
    ) AS opened_of_these,
    if(can_be_opened = 0, NULL, round(opened_of_these / can_be_opened, 4)) AS open_rate
FROM
(
    SELECT
        any(s.type) AS said, any(s.channel) AS way,
        min(s.suppressed) AS suppressed, min(s.queued) AS queued, min(s.sent) AS sent,
        min(s.failed) AS failed, min(s.opened) AS opened, min(s.clicked) AS clicked,
        min(s.unsubscribed) AS unsubscribed
    FROM notification_state AS s
    WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
    GROUP BY sipHash128(notification_id, channel)
    HAVING min(s.occurred) >= {from} AND min(s.occurred) < {to}
) AS n
GROUP BY type
ORDER BY sent DESC, type
LIMIT 20
