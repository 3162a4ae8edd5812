-- Tenants by what was sent for them.
SELECT
    tenant,
    uniqExactMergeIf(happenings, stage = 'sent') AS sent,
    uniqExactMergeIf(happenings, stage = 'suppressed') AS suppressed,
    uniqExactMergeIf(happenings, stage = 'failed') AS failed,
    uniqExactMergeIf(happenings, priority = 'bulk' AND stage = 'queued') AS over_share
FROM by_{bucket}
WHERE
    {bucket} >= {from:DateTime} AND {bucket} < {to:DateTime}
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
GROUP BY tenant
ORDER BY sent DESC, tenant
LIMIT 50
