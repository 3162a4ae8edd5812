-- Reasons for which a message did not go out on a channel, or was given up. What became of the
-- whole notification, which may have gone out on another one, is told by `told`.
SELECT
    reason, stage,
    uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
        AS messages
FROM {happenings} AS h
WHERE stage IN ('suppressed', 'failed')
GROUP BY reason, stage
HAVING messages > 0
ORDER BY messages DESC, reason
LIMIT 20
