-- This week is not over, so it is not said by what share it grew: on a Tuesday everything had fallen.
CREATE OR REPLACE VIEW week_over_week {on_cluster} AS
SELECT
    tenant, week, type, channel,
    sum(h.here) AS sent,
    sum(h.before) AS week_before,
    if(
        week_before = 0 OR week + 7 > toDate(now('UTC')),
        NULL,
        round(sent / week_before - 1, 4)
    ) AS change
FROM
(
    SELECT tenant, toMonday(day) AS week, type, channel, messages AS here, 0 AS before
    FROM hourly
    WHERE stage = 'sent'
    UNION ALL
    SELECT tenant, toMonday(day) + 7 AS week, type, channel, 0 AS here, messages AS before
    FROM hourly
    WHERE stage = 'sent'
) AS h
WHERE week <= toDate(now('UTC'))
GROUP BY tenant, week, type, channel;

ALTER TABLE week_over_week {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN week 'The Monday of the week.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN sent 'How many were sent in the week.',
    COMMENT COLUMN week_before 'How many in the week before.',
    COMMENT COLUMN change 'By what share it grew; NULL for this week, which is not over.';
