-- Notifications that were told nowhere and wait for nothing, by all the reasons that stood against
-- them. Since 0035 a repeat is no notification, so it is none here either, wherever it stands: on
-- another day, or under a key that another event had. Else these would be more than were told nowhere in
-- `outcomes`. That another event had its id stays where nothing else is known.
CREATE OR REPLACE VIEW why_not_told {on_cluster} AS
SELECT
    tenant, day, type, category, priority, reasons, count() AS notifications
FROM
(
    SELECT
        tenant, day, type, notification_id,
        min(c.category) AS category, min(c.priority) AS priority,
        arraySort(groupUniqArrayArray(c.reasons)) AS stated,
        arrayFilter(each -> each != 'conflict', stated) AS of_the_first,
        if(empty(of_the_first), stated, of_the_first) AS reasons
    FROM
    (
        SELECT
            tenant, toDate(occurred_at) AS day, type, notification_id, channel,
            min(e.category) AS category, min(e.priority) AS priority,
            groupUniqArrayIf(e.reason, stage IN ('suppressed', 'failed')) AS reasons,
            countIf(stage IN ('sent', 'digested')) > 0 AS is_told
        FROM delivery_events AS e
        WHERE
            stage IN ('suppressed', 'failed', 'held', 'queued', 'digested', 'sent')
            AND digest != notification_id
            AND NOT (stage = 'suppressed' AND reason = 'duplicate')
        GROUP BY tenant, day, type, notification_id, channel
    ) AS c
    GROUP BY tenant, day, type, notification_id
    HAVING max(is_told) = 0 AND min(notEmpty(c.reasons)) = 1
)
GROUP BY tenant, day, type, category, priority, reasons;

ALTER TABLE why_not_told {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN reasons 'All reasons that stood against it.',
    COMMENT COLUMN notifications 'How many notifications.';
