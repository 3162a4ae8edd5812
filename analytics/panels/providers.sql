-- What providers took, put off and refused; `trouble` is the share of calls that did not succeed.
SELECT
    channel,
    provider,
    uniqExactMergeIf(happenings, stage = 'sent') AS taken,
    uniqExactMergeIf(happenings, stage = 'retrying') AS put_off,
    uniqExactMergeIf(happenings, stage = 'failed') AS given_up,
    uniqExactMergeIf(happenings, stage = 'bounced') AS bounced,
    round((put_off + given_up) / (taken + put_off + given_up), 4) AS trouble
FROM by_{bucket}
WHERE
    tenant = {tenant:String}
    AND {bucket} >= {from:DateTime} AND {bucket} < {to:DateTime}
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
    AND provider != '' AND stage IN ('sent', 'retrying', 'failed', 'bounced')
GROUP BY channel, provider
HAVING taken + put_off + given_up > 0
ORDER BY trouble DESC, taken DESC
LIMIT 50
