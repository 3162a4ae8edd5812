-- Which variant of an experiment a message was, as EXPERIMENT/VARIANT. Only what we do with a
-- message says it; what comes back is known by its notification.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS variant LowCardinality(String) AFTER cost;

ALTER TABLE notification_state {on_cluster}
    ADD COLUMN IF NOT EXISTS variant SimpleAggregateFunction(max, LowCardinality(String));

ALTER TABLE notification_state_from_events {on_cluster} MODIFY QUERY
SELECT
    tenant,
    toDate(occurred_at) AS day,
    type,
    notification_id,
    channel,
    min(e.category) AS category,
    min(e.priority) AS priority,
    min(e.user) AS user,
    min(e.event_id) AS event_id,
    min(e.catalogue) AS catalogue,
    min(occurred_at) AS occurred,
    min(accepted_at) AS accepted,
    minIf(toNullable(at), stage = 'suppressed') AS suppressed,
    minIf(toNullable(at), stage = 'held') AS held,
    minIf(toNullable(at), stage = 'digested') AS digested,
    minIf(toNullable(at), stage = 'queued') AS queued,
    minIf(toNullable(at), stage = 'sent') AS sent,
    minIf(toNullable(at), stage = 'delivered') AS delivered,
    minIf(toNullable(at), stage = 'seen') AS seen,
    minIf(toNullable(at), stage = 'opened' AND detail != 'machine') AS opened,
    minIf(toNullable(at), stage = 'clicked' AND detail != 'machine') AS clicked,
    minIf(toNullable(at), stage = 'bounced') AS bounced,
    minIf(toNullable(at), stage = 'failed') AS failed,
    max(e.variant) AS variant
FROM delivery_events AS e
GROUP BY tenant, day, type, notification_id, channel;

-- What each user was sent of each variant, and opened and clicked of it. A notification counts
-- once, on however many channels it went out; a click is an open as well, as images may be
-- blocked; what was opened and not sent, so far as is known, does not count yet. By user, since
-- it is users who were assigned, and what one does with many messages is not many people's doing.
CREATE OR REPLACE VIEW experiment_results {on_cluster} AS
SELECT
    tenant, day, type, experiment, variant, user,
    count() AS sent,
    countIf(n.opened IS NOT NULL OR n.clicked IS NOT NULL) AS opened,
    countIf(n.clicked IS NOT NULL) AS clicked
FROM
(
    SELECT
        tenant, day, type, notification_id, min(s.user) AS user,
        splitByChar('/', max(s.variant)) AS label, label[1] AS experiment, label[2] AS variant,
        min(s.sent) AS first_sent, min(s.opened) AS opened, min(s.clicked) AS clicked
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id
    HAVING max(s.variant) != '' AND first_sent IS NOT NULL
) AS n
GROUP BY tenant, day, type, experiment, variant, user;
