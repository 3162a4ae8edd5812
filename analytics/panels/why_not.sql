-- Reasons for which notifications did not go out on a channel, or were given up.
SELECT reason, stage, uniqExactMerge(happenings) AS notifications
FROM by_{bucket}
WHERE
    tenant = {tenant:String}
    AND {bucket} >= {from:DateTime} AND {bucket} < {to:DateTime}
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
    AND stage IN ('suppressed', 'failed')
GROUP BY reason, stage
ORDER BY notifications DESC, reason
LIMIT 20
