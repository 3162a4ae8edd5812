-- The types that say most, and what becomes of what they say.
SELECT
    type,
    uniqExactMergeIf(happenings, stage = 'sent') AS sent,
    uniqExactMergeIf(happenings, stage = 'suppressed') AS suppressed,
    uniqExactMergeIf(happenings, stage = 'failed') AS failed,
    uniqExactMergeIf(happenings, stage = 'opened') AS opened,
    uniqExactMergeIf(happenings, stage = 'unsubscribed') AS unsubscribed,
    if(sent = 0, 0, round(opened / sent, 4)) AS open_rate
FROM by_{bucket}
WHERE
    tenant = {tenant:String}
    AND {bucket} >= {from:DateTime} AND {bucket} < {to:DateTime}
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
GROUP BY type
ORDER BY sent DESC, type
LIMIT 20
