-- That an event came again is no decision of its own, so a repeat is no notification that was suppressed.
-- What became of the first stands, and `delivery_events`, `hourly` and `why_not_on_channel` tell of
-- repeats by their reason. Of what is stored already, repeats stay. A conflict is told by
-- another event, which nobody is told of, so it counts.
ALTER TABLE state_from_events {on_cluster} MODIFY QUERY
SELECT
    tenant,
    toDate(occurred_at) AS day,
    type,
    notification_id,
    channel,
    category,
    priority,
    user,
    event_id,
    catalogue,
    occurred_at AS occurred,
    accepted_at AS accepted,
    if(stage = 'suppressed', at, NULL) AS suppressed,
    if(stage = 'held', at, NULL) AS held,
    if(stage = 'digested', at, NULL) AS digested,
    if(stage = 'queued', at, NULL) AS queued,
    if(stage = 'sent', at, NULL) AS sent,
    if(stage = 'delivered', at, NULL) AS delivered,
    if(stage = 'seen', at, NULL) AS seen,
    if(stage = 'opened' AND detail != 'machine', at, NULL) AS opened,
    if(stage = 'clicked' AND detail != 'machine', at, NULL) AS clicked,
    if(stage = 'bounced', at, NULL) AS bounced,
    if(stage = 'failed', at, NULL) AS failed,
    variant,
    if(stage = 'complained', at, NULL) AS complained,
    if(stage = 'unsubscribed', at, NULL) AS unsubscribed,
    due_at AS due,
    digest,
    zone,
    destination,
    attribute
FROM delivery_events
WHERE
    stage NOT IN ('assigned', 'goal') AND notification_id != ''
    AND NOT (stage = 'suppressed' AND reason = 'duplicate');
