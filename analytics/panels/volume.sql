-- Messages that a provider took, by when their events occurred.
SELECT
    toStartOfInterval({bucket}, toIntervalSecond({step:UInt32})) AS time,
    channel,
    uniqExactMerge(happenings) AS messages
FROM by_{bucket}
WHERE
    tenant = {tenant:String}
    AND {bucket} >= {from:DateTime} AND {bucket} < {to:DateTime}
    AND ({type:String} = '' OR type = {type:String})
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({priority:String} = '' OR priority = {priority:String})
    AND stage = 'sent'
GROUP BY time, channel
ORDER BY time, channel
