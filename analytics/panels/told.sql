-- What became of notifications, whatever the channels: a notification that went out on one of them
-- is told, though others were turned down.
-- Grouped by a hash of 16 bytes, which takes half the processor time that grouping by texts does.
SELECT outcome, count() AS notifications
FROM
(
    SELECT
        multiIf(
            max(n.told), 'told',
            max(n.under_way), 'on its way',
            max(n.waits), 'waits',
            max(n.failed), 'given up',
            'decided against'
        ) AS outcome
    FROM
    (
        SELECT
            any(sipHash128(s.notification_id)) AS notification,
            min(s.sent) IS NOT NULL OR min(s.digested) IS NOT NULL AS told,
            min(s.failed) IS NOT NULL AS failed,
            min(s.suppressed) IS NOT NULL AS ended,
            min(s.queued) IS NOT NULL AND NOT failed AND NOT ended AS under_way,
            min(s.held) IS NOT NULL AND NOT failed AND NOT ended
                AND min(s.queued) IS NULL AS waits
        FROM notification_state AS s
        WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
        GROUP BY sipHash128(notification_id, channel)
        HAVING min(s.occurred) >= {from} AND min(s.occurred) < {to}
            AND max(s.digest = s.notification_id) = 0
    ) AS n
    GROUP BY notification
)
GROUP BY outcome
ORDER BY notifications DESC, outcome
