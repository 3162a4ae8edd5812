-- How far messages got. Opens and clicks of machines are left out.
SELECT stage, uniqExactMerge(happenings) AS messages
FROM by_{bucket}
WHERE
    tenant = {tenant:String}
    AND {bucket} >= {from:DateTime} AND {bucket} < {to:DateTime}
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
    AND has(['queued', 'sent', 'delivered', 'seen', 'opened', 'clicked'], stage)
GROUP BY stage
ORDER BY indexOf(['queued', 'sent', 'delivered', 'seen', 'opened', 'clicked'], stage)
