-- Messages that providers took, beside those of the same time a week before, or so many weeks before
-- as this time is long.
SELECT
    type, channel,
    sumIf(messages, is_now = 1) AS sent,
    sumIf(messages, is_now = 0) AS before,
    if(before = 0, NULL, round(sent / before - 1, 4)) AS change
FROM
(
    SELECT
        type, channel, 1 AS is_now,
        uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
            AS messages
    FROM {happenings} AS h
    WHERE stage = 'sent'
    GROUP BY type, channel
    UNION ALL
    SELECT
        type, channel, 0 AS is_now,
        uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
            AS messages
    FROM {happenings_before} AS h
    WHERE stage = 'sent'
    GROUP BY type, channel
)
GROUP BY type, channel
HAVING sent > 0 OR before > 0
ORDER BY sent DESC, before DESC, type, channel
LIMIT 20
