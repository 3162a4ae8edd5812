-- What became of notifications, and what people did with them, by the class of users that their type
-- names: notifications, each counted once, on however many channels. A digest is no decision of its own, so
-- it is in what was sent and in what comes after that. The twenty largest classes of a type stand
-- by themselves, all others are (other). An open rate is of what was sent where an open can be known.
-- Grouped by a hash of 16 bytes, which takes half the processor time that grouping by texts does.
SELECT
    type, attribute,
    multiIf(place > 20, '(other)', stated = '', '(none)', stated) AS value,
    sum(v.decided) AS decided,
    sum(v.not_told) AS not_told,
    sum(v.sent) AS sent,
    sum(v.delivered) AS delivered,
    sum(v.opened) AS opened,
    sum(v.clicked) AS clicked,
    if(sum(v.can_be_opened) = 0, NULL, round(sum(v.of_these) / sum(v.can_be_opened), 4))
        AS open_rate
FROM
(
    SELECT
        said AS type,
        substring(n.stated, 1, position(n.stated, '=') - 1) AS attribute,
        substring(n.stated, position(n.stated, '=') + 1) AS stated,
        row_number() OVER (PARTITION BY type, attribute ORDER BY count() DESC, stated) AS place,
        countIf(NOT n.is_digest) AS decided,
        countIf(NOT n.is_digest AND n.is_over) AS not_told,
        countIf(n.is_sent) AS sent,
        countIf(n.is_delivered) AS delivered,
        countIf(n.is_opened) AS opened,
        countIf(n.is_clicked) AS clicked,
        countIf(n.can_be_opened) AS can_be_opened,
        countIf(n.can_be_opened AND n.is_opened) AS of_these
    FROM
    (
        SELECT
            any(c.said) AS said, max(c.stated) AS stated, max(c.is_digest) AS is_digest,
            NOT max(c.is_told OR c.is_under_way OR c.is_held OR c.has_failed) AS is_over,
            max(c.is_sent) AS is_sent, max(c.is_delivered) AS is_delivered,
            max(c.is_opened) AS is_opened, max(c.is_clicked) AS is_clicked,
            max(c.can_be_opened) AS can_be_opened
        FROM
        (
            SELECT
                any(sipHash128(s.notification_id)) AS notification,
                any(s.type) AS said, any(s.channel) AS way, max(s.attribute) AS stated,
                max(s.digest = s.notification_id) AS is_digest,
                min(s.sent) IS NOT NULL AS is_sent,
                is_sent OR min(s.digested) IS NOT NULL AS is_told,
                min(s.failed) IS NOT NULL AS has_failed,
                has_failed OR min(s.suppressed) IS NOT NULL AS ended,
                min(s.queued) IS NOT NULL AND NOT ended AS is_under_way,
                min(s.held) IS NOT NULL AND min(s.queued) IS NULL AND NOT ended AS is_held,
                min(s.delivered) IS NOT NULL AS is_delivered,
                min(s.clicked) IS NOT NULL AS is_clicked,
                is_clicked OR min(s.opened) IS NOT NULL AS is_opened,
                is_sent AND way IN ('push', 'email', 'inapp') AS can_be_opened
            FROM notification_state AS s
            WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
            GROUP BY sipHash128(notification_id, channel)
            HAVING min(s.occurred) >= {from} AND min(s.occurred) < {to}
        ) AS c
        GROUP BY c.notification
        HAVING stated != ''
    ) AS n
    GROUP BY type, attribute, stated
) AS v
GROUP BY type, attribute, value
ORDER BY decided DESC, sent DESC, type, attribute, value
LIMIT 100
