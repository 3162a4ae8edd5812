-- What providers took, put off and refused when they were called; `trouble` is the share of calls
-- that did not succeed. What they took and could not bring is `undelivered`, and no call.
SELECT
    channel,
    provider,
    sumIf(messages, stage = 'sent') AS taken,
    sumIf(messages, stage = 'retrying') AS put_off,
    sumIf(messages, stage = 'failed' AND reason != '') AS given_up,
    sumIf(messages, stage = 'bounced') AS bounced,
    sumIf(messages, stage = 'failed' AND reason = '') AS undelivered,
    round((put_off + given_up) / (taken + put_off + given_up), 4) AS trouble
FROM
(
    SELECT
        channel, provider, stage, reason,
        uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
            AS messages
    FROM {happenings} AS h
    WHERE provider != '' AND stage IN ('sent', 'retrying', 'failed', 'bounced')
    GROUP BY channel, provider, stage, reason
    HAVING messages > 0
)
GROUP BY channel, provider
HAVING taken + put_off + given_up > 0
ORDER BY trouble DESC, taken DESC
LIMIT 50
