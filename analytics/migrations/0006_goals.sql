-- Who was told and who was held out, and who did what the type is to bring about.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS within UInt32 AFTER variant;

-- These rows are of people and not of messages. In one statement: without the view, what is
-- inserted meanwhile would be missing.
ALTER TABLE notification_state_from_events {on_cluster} MODIFY QUERY
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
    variant
FROM delivery_events
WHERE stage NOT IN ('assigned', 'goal');

-- Each user who was told, or would have been, by holdout, and whether they reached the goal of the
-- type within its time. Both groups are counted from the first domain event that they would have
-- been told of, whenever a message went out: the only one that telling can't have changed. `day`
-- is that event's. Told twice or late changes nothing, as sets and earliest times are asked.
CREATE OR REPLACE VIEW goal_results {on_cluster} AS
SELECT
    tenant, type, holdout, f.grouped AS grouped, user, toDate(f.began) AS day, f.began AS began,
    countIf(g.at > f.began AND g.at <= f.ends AND g.about = f.about) > 0 AS reached
FROM
(
    SELECT
        tenant, type, user, splitByChar('/', variant)[1] AS holdout,
        argMin(
            (splitByChar('/', e.variant)[2], e.detail, e.occurred_at, e.within),
            (e.occurred_at, e.id)
        ) AS first,
        first.1 AS grouped, first.2 AS about, first.3 AS began,
        began + toIntervalSecond(first.4) AS ends
    FROM delivery_events AS e
    WHERE stage = 'assigned'
    GROUP BY tenant, type, user, holdout
) AS f
LEFT JOIN
(
    SELECT tenant, type, user, detail AS about, occurred_at AS at
    FROM delivery_events
    WHERE stage = 'goal'
) AS g USING (tenant, type, user)
GROUP BY tenant, type, holdout, grouped, user, began;
