-- Each view is named for the question that it answers. All have a tenant, and a day or an hour
-- of the domain event (UTC) to narrow by: do so, they are computed when asked.

-- How many notifications got how far, on each channel.
CREATE OR REPLACE VIEW funnel {on_cluster} AS
SELECT
    tenant, day, type, category, channel, priority,
    count() AS decided,
    countIf(n.suppressed IS NOT NULL AND n.queued IS NULL) AS suppressed,
    countIf(n.queued IS NOT NULL) AS queued,
    countIf(n.sent IS NOT NULL) AS sent,
    countIf(n.delivered IS NOT NULL) AS delivered,
    countIf(n.seen IS NOT NULL) AS seen,
    countIf(n.opened IS NOT NULL) AS opened,
    countIf(n.clicked IS NOT NULL) AS clicked,
    countIf(n.bounced IS NOT NULL) AS bounced,
    countIf(n.failed IS NOT NULL AND n.sent IS NULL) AS failed
FROM
(
    SELECT
        tenant, day, type, notification_id, channel,
        min(s.category) AS category, min(s.priority) AS priority,
        min(s.suppressed) AS suppressed, min(s.queued) AS queued, min(s.sent) AS sent,
        min(s.delivered) AS delivered, min(s.seen) AS seen, min(s.opened) AS opened,
        min(s.clicked) AS clicked, min(s.bounced) AS bounced, min(s.failed) AS failed
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
) AS n
GROUP BY tenant, day, type, category, channel, priority;

-- Who was told of what, on which channel, and what they did with it.
CREATE OR REPLACE VIEW who_was_told {on_cluster} AS
SELECT
    tenant, day, type, user, event_id, notification_id, channel,
    sent, delivered, seen, opened, clicked, bounced
FROM
(
    SELECT
        tenant, day, type, notification_id, channel,
        min(s.user) AS user, min(s.event_id) AS event_id, min(s.sent) AS sent,
        min(s.delivered) AS delivered, min(s.seen) AS seen, min(s.opened) AS opened,
        min(s.clicked) AS clicked, min(s.bounced) AS bounced
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
)
WHERE sent IS NOT NULL;

-- For which reasons notifications did not go out, or were given up.
CREATE OR REPLACE VIEW why_not_told {on_cluster} AS
SELECT
    tenant, toDate(hour) AS day, hour, type, category, channel, priority, stage, reason,
    uniqExactMerge(happenings) AS notifications
FROM by_hour
WHERE stage IN ('suppressed', 'failed')
GROUP BY tenant, hour, type, category, channel, priority, stage, reason;

-- From Kafka's taking the event to the provider's taking the message, in milliseconds. Not of
-- what was held on purpose. A provider's or a worker's clock can be behind ours: such negative
-- times are counted, and in no quantile.
CREATE OR REPLACE VIEW how_fast {on_cluster} AS
SELECT
    tenant, day, type, channel, priority,
    transform(
        priority, ['critical', 'high', 'normal', 'low'], [1000, 5000, 30000, 300000], 3600000
    ) AS target_ms,
    countIf(took >= 0) AS messages,
    countIf(took < 0) AS clocks_disagree,
    countIf(took > target_ms) AS late,
    quantilesExactIf(0.5, 0.9, 0.99)(took, took >= 0) AS p50_p90_p99
FROM
(
    SELECT
        tenant, day, type, channel, min(s.priority) AS priority, min(s.held) AS held,
        dateDiff('ms', min(s.accepted), min(s.sent)) AS took
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
    HAVING min(s.sent) IS NOT NULL AND held IS NULL
)
GROUP BY tenant, day, type, channel, priority;

-- What each provider took, put off and refused.
CREATE OR REPLACE VIEW provider_health {on_cluster} AS
SELECT
    tenant, toDate(hour) AS day, hour, channel, provider,
    uniqExactMergeIf(happenings, stage = 'sent') AS taken,
    uniqExactMergeIf(happenings, stage = 'retrying') AS put_off,
    uniqExactMergeIf(happenings, stage = 'failed') AS given_up,
    uniqExactMergeIf(happenings, stage = 'bounced') AS bounced,
    groupUniqArrayIf(reason, stage IN ('retrying', 'failed')) AS reasons
FROM by_hour
WHERE provider != ''
GROUP BY tenant, hour, channel, provider;

-- All that happened to a notification, in order.
CREATE OR REPLACE VIEW notification_timeline {on_cluster} AS
SELECT
    tenant, notification_id, at, stage, channel, reason, detail, provider, attempt, user, type,
    event_id, catalogue
FROM delivery_events FINAL
ORDER BY tenant, notification_id, at, id;

-- All that happened to a user's notifications, or did not and why, in order.
CREATE OR REPLACE VIEW user_day {on_cluster} AS
SELECT
    tenant, user, toDate(occurred_at) AS day, at, type, channel, stage, reason, detail, provider,
    notification_id, event_id
FROM delivery_events FINAL
ORDER BY tenant, user, at, id;

-- What texts took and cost, by the prices in the settings.
CREATE OR REPLACE VIEW sms_cost {on_cluster} AS
SELECT
    tenant, toDate(occurred_at) AS day, type, provider,
    count() AS messages, sum(segments) AS segments, sum(cost) AS cost
FROM delivery_events FINAL
WHERE channel = 'sms' AND stage = 'sent'
GROUP BY tenant, day, type, provider;

-- Whose addresses bounced, who complained, who left a category; addresses themselves are in no
-- table.
CREATE OR REPLACE VIEW suppression_history {on_cluster} AS
SELECT
    tenant, user, toDate(occurred_at) AS day, at, channel, stage, reason, detail, category,
    provider, notification_id
FROM delivery_events FINAL
WHERE stage IN ('bounced', 'complained', 'unsubscribed')
    OR (stage = 'failed' AND reason IN ('unregistered', 'invalid_address'));

-- What was to go out and has come to no end yet: on its way, or lost.
CREATE OR REPLACE VIEW unfinished {on_cluster} AS
SELECT
    tenant, toDate(min(occurred_at)) AS day, delivery_id, any(type) AS type, any(user) AS user,
    any(channel) AS channel, any(notification_id) AS notification_id, min(at) AS queued,
    max(at) AS last_heard, argMax(stage, at) AS last_stage, argMax(reason, at) AS last_reason
FROM delivery_events
WHERE delivery_id != ''
GROUP BY tenant, delivery_id
HAVING countIf(stage IN ('sent', 'failed', 'suppressed')) = 0;

-- In which hour (UTC) each user opens most, from their last 90 days; of equals, the earliest.
CREATE OR REPLACE VIEW best_hours {on_cluster} AS
SELECT tenant, user, argMax(h.hour, (h.opened, -h.hour)) AS best_hour, sum(h.opened) AS opens
FROM
(
    SELECT tenant, user, toHour(at) AS hour, count() AS opened
    FROM delivery_events FINAL
    WHERE stage IN ('opened', 'clicked') AND detail != 'machine'
        AND occurred_at > now() - INTERVAL 90 DAY
    GROUP BY tenant, user, hour
) AS h
GROUP BY tenant, user;

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
