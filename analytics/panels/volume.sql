-- Messages that a provider took, by when their events occurred.
SELECT
    toStartOfInterval(h.time, toIntervalSecond({step:UInt32})) AS time,
    channel,
    uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
        AS messages
FROM {happenings} AS h
WHERE stage = 'sent'
GROUP BY time, channel
HAVING messages > 0
ORDER BY time, channel
