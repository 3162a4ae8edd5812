-- One word, one unit: a *notification* is what a user is told of one event, a *message* is what one
-- address gets of it, and a *notification on a channel* is all of its messages there. `told` is a
-- notification that went out on any channel, by itself or in a digest. Open rates are of what was
-- sent where an open can be known, and a click is an open.

-- How much happened in each hour of the domain event's time: messages.
CREATE OR REPLACE VIEW hourly {on_cluster} AS
SELECT
    tenant, toDate(hour) AS day, hour, type, category, channel, provider, priority, stage, reason,
    catalogue,
    uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) AS messages
FROM
(
    SELECT
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        happenings, 0 AS gone
    FROM by_hour
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        happenings, 1 AS gone
    FROM erased_happenings
) AS h
GROUP BY
    tenant, hour, type, category, channel, provider, priority, stage, reason, catalogue
HAVING messages > 0;

-- How many notifications got how far, on each channel. What was decided of adds up:
-- decided = suppressed + held + digested + queued, and of these
-- queued = under_way + dropped + failed + sent. A digest is no decision of its own, so it is in
-- `digests`, and in what comes after that.
CREATE OR REPLACE VIEW funnel {on_cluster} AS
SELECT
    tenant, day, type, category, channel, priority,
    countIf(NOT is_digest) AS decided,
    countIf(outcome = 'suppressed') AS suppressed,
    countIf(went_out) AS queued,
    countIf(n.sent IS NOT NULL) AS sent,
    countIf(n.delivered IS NOT NULL) AS delivered,
    countIf(n.seen IS NOT NULL) AS seen,
    countIf(n.opened IS NOT NULL OR n.clicked IS NOT NULL) AS opened,
    countIf(n.clicked IS NOT NULL) AS clicked,
    countIf(n.bounced IS NOT NULL) AS bounced,
    countIf(outcome = 'failed') AS failed,
    countIf(outcome = 'held') AS held,
    countIf(outcome = 'digested') AS digested,
    countIf(outcome = 'dropped') AS dropped,
    countIf(outcome = 'under_way') AS under_way,
    countIf(is_digest) AS digests
FROM
(
    SELECT
        tenant, day, type, notification_id, channel,
        min(s.category) AS category, min(s.priority) AS priority,
        min(s.suppressed) AS suppressed, min(s.queued) AS queued, min(s.sent) AS sent,
        min(s.delivered) AS delivered, min(s.seen) AS seen, min(s.opened) AS opened,
        min(s.clicked) AS clicked, min(s.bounced) AS bounced, min(s.failed) AS failed,
        min(s.digested) AS digested, max(s.digest) = notification_id AS is_digest,
        sent IS NOT NULL OR queued IS NOT NULL OR failed IS NOT NULL OR delivered IS NOT NULL
            OR seen IS NOT NULL OR opened IS NOT NULL OR clicked IS NOT NULL
            OR bounced IS NOT NULL AS went_out,
        multiIf(
            sent IS NOT NULL, 'sent',
            failed IS NOT NULL, 'failed',
            went_out AND suppressed IS NOT NULL, 'dropped',
            went_out, 'under_way',
            digested IS NOT NULL, 'digested',
            suppressed IS NOT NULL, 'suppressed',
            'held'
        ) AS outcome
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
    HAVING went_out OR digested IS NOT NULL OR suppressed IS NOT NULL OR min(s.held) IS NOT NULL
) AS n
GROUP BY tenant, day, type, category, channel, priority;

-- What became of notifications, whatever the channels:
-- decided = told + under_way + held + failed + not_told.
CREATE OR REPLACE VIEW outcomes {on_cluster} AS
SELECT
    tenant, day, type, category, priority,
    count() AS decided,
    countIf(outcome = 'told') AS told,
    countIf(outcome = 'under_way') AS under_way,
    countIf(outcome = 'held') AS held,
    countIf(outcome = 'failed') AS failed,
    countIf(outcome = 'not_told') AS not_told
FROM
(
    SELECT
        tenant, day, type, notification_id,
        min(c.category) AS category, min(c.priority) AS priority,
        multiIf(
            max(c.is_told), 'told',
            max(c.is_under_way), 'under_way',
            max(c.is_held), 'held',
            max(c.has_failed), 'failed',
            'not_told'
        ) AS outcome
    FROM
    (
        SELECT
            tenant, day, type, notification_id, channel,
            min(s.category) AS category, min(s.priority) AS priority,
            min(s.sent) IS NOT NULL OR min(s.digested) IS NOT NULL AS is_told,
            min(s.failed) IS NOT NULL AS has_failed,
            has_failed OR min(s.suppressed) IS NOT NULL AS is_over,
            min(s.queued) IS NOT NULL AND NOT is_over AS is_under_way,
            min(s.held) IS NOT NULL AND min(s.queued) IS NULL AND NOT is_over AS is_held
        FROM notification_state AS s
        GROUP BY tenant, day, type, notification_id, channel
        HAVING max(s.digest) != notification_id
    ) AS c
    GROUP BY tenant, day, type, notification_id
)
GROUP BY tenant, day, type, category, priority;

-- Who was told of what, on which channel, and what they did with it; of what came in a digest, each
-- event, with what they did with the digest.
CREATE OR REPLACE VIEW who_was_told {on_cluster} AS
SELECT
    tenant, day, type, user, event_id, notification_id, channel,
    sent, delivered, seen, if(n.opened IS NULL, n.clicked, n.opened) AS opened, clicked, bounced,
    digest
FROM
(
    SELECT
        tenant, if(m.digest = '', d.day, m.day) AS day, if(m.digest = '', d.type, m.type) AS type,
        d.user AS user, if(m.digest = '', d.event_id, m.event_id) AS event_id,
        if(m.digest = '', d.notification_id, m.notification_id) AS notification_id, channel,
        d.sent AS sent, d.delivered AS delivered, d.seen AS seen, d.opened AS opened,
        d.clicked AS clicked, d.bounced AS bounced, m.digest AS digest
    FROM
    (
        SELECT
            tenant, day, type, notification_id, channel,
            min(s.user) AS user, min(s.event_id) AS event_id, min(s.sent) AS sent,
            min(s.delivered) AS delivered, min(s.seen) AS seen, min(s.opened) AS opened,
            min(s.clicked) AS clicked, min(s.bounced) AS bounced, notification_id AS name
        FROM notification_state AS s
        GROUP BY tenant, day, type, notification_id, channel
        HAVING sent IS NOT NULL
    ) AS d
    LEFT JOIN
    (
        SELECT
            tenant, channel, day, type, notification_id, min(s.event_id) AS event_id,
            max(s.digest) AS digest, digest AS name
        FROM notification_state AS s
        GROUP BY tenant, day, type, notification_id, channel
        HAVING digest NOT IN ('', notification_id)
    ) AS m USING (tenant, channel, name)
) AS n;

-- Notifications that were told nowhere and wait for nothing, by all the reasons that stood against
-- them.
CREATE OR REPLACE VIEW why_not_told {on_cluster} AS
SELECT
    tenant, day, type, category, priority, reasons, count() AS notifications
FROM
(
    SELECT
        tenant, day, type, notification_id,
        min(c.category) AS category, min(c.priority) AS priority,
        arraySort(groupUniqArrayArray(c.reasons)) AS reasons
    FROM
    (
        SELECT
            tenant, toDate(occurred_at) AS day, type, notification_id, channel,
            min(e.category) AS category, min(e.priority) AS priority,
            groupUniqArrayIf(e.reason, stage IN ('suppressed', 'failed')) AS reasons,
            countIf(stage IN ('sent', 'digested')) > 0 AS is_told
        FROM delivery_events AS e
        WHERE
            stage IN ('suppressed', 'failed', 'held', 'queued', 'digested', 'sent')
            AND digest != notification_id
        GROUP BY tenant, day, type, notification_id, channel
    ) AS c
    GROUP BY tenant, day, type, notification_id
    HAVING max(is_told) = 0 AND min(notEmpty(c.reasons)) = 1
)
GROUP BY tenant, day, type, category, priority, reasons;

-- For which reasons a message did not go out on a channel, or was given up; the notification may
-- have gone out on another one.
CREATE OR REPLACE VIEW why_not_on_channel {on_cluster} AS
SELECT
    tenant, day, hour, type, category, channel, priority, stage, reason, sum(h.messages) AS messages
FROM hourly AS h
WHERE stage IN ('suppressed', 'failed')
GROUP BY tenant, day, hour, type, category, channel, priority, stage, reason;

-- From Kafka's taking the event, or from when a digest was due, to the provider's taking the message,
-- in milliseconds. Not of what was held on purpose. A provider's or a worker's clock can be behind
-- ours: such negative times are counted, and in no quantile.
CREATE OR REPLACE VIEW how_fast {on_cluster} AS
SELECT
    tenant, day, type, channel, priority,
    transform(
        priority, ['critical', 'high', 'normal', 'low'], [1000, 5000, 30000, 300000], 3600000
    ) AS target_ms,
    countIf(took >= 0) AS messages,
    countIf(took < 0) AS clocks_disagree,
    countIf(took > target_ms) AS late,
    if(messages = 0, [], quantilesExactIf(0.5, 0.9, 0.99)(took, took >= 0)) AS p50_p90_p99
FROM
(
    SELECT
        tenant, day, type, channel, min(s.priority) AS priority, min(s.held) AS held,
        dateDiff('ms', greatest(min(s.accepted), max(s.due)), min(s.sent)) AS took
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
    HAVING min(s.sent) IS NOT NULL AND held IS NULL
)
GROUP BY tenant, day, type, channel, priority;

-- What each provider took, put off and refused when it was called, also where another one took it
-- then. What it took and told of later, as undelivered or bounced, is no call that failed.
CREATE OR REPLACE VIEW provider_health {on_cluster} AS
SELECT
    tenant, day, hour, channel, provider,
    sumIf(h.messages, stage = 'sent') AS taken,
    sumIf(h.messages, stage = 'retrying') AS put_off,
    sumIf(h.messages, stage = 'failed' AND reason != '') AS given_up,
    sumIf(h.messages, stage = 'bounced') AS bounced,
    groupUniqArrayIf(reason, stage IN ('retrying', 'failed') AND reason != '') AS reasons,
    sumIf(h.messages, stage = 'failed' AND reason = '') AS undelivered,
    round((put_off + given_up) / (taken + put_off + given_up), 4) AS trouble
FROM hourly AS h
WHERE provider != '' AND stage IN ('sent', 'retrying', 'failed', 'bounced')
GROUP BY tenant, day, hour, channel, provider;

-- All that happened to a notification, in order.
CREATE OR REPLACE VIEW notification_timeline {on_cluster} AS
SELECT
    tenant, notification_id, at, stage, channel, reason, detail, provider, attempt, user, type,
    event_id, catalogue, digest
FROM delivery_events FINAL
ORDER BY tenant, notification_id, at, id;

-- Whose addresses bounced, who complained, who left a category or all texts; addresses themselves
-- are in no table.
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
    tenant, toDate(occurred_at) AS day, delivery_id, any(type) AS type, any(user) AS user,
    any(channel) AS channel, any(notification_id) AS notification_id, min(at) AS queued,
    max(at) AS last_heard, argMax(stage, at) AS last_stage, argMax(reason, at) AS last_reason
FROM delivery_events
WHERE delivery_id != ''
GROUP BY tenant, day, delivery_id
HAVING countIf(stage IN ('sent', 'failed', 'suppressed')) = 0;

-- In which hour of their own day each user opens most of what they then have unopened, of their last
-- 90 days; of equals, the earliest. A message counts in each hour from its sending until its opening,
-- for a day at most, so that an hour gains nothing by more being sent in it. Five hours in which
-- nothing was opened are added to each, as one open says little.
CREATE OR REPLACE VIEW best_hours {on_cluster} AS
SELECT
    tenant, user, argMax(h.hour, (h.opened / (h.unopened + 5), -h.hour)) AS best_hour,
    sum(h.opened) AS opens, argMax(h.zone, h.last) AS zone
FROM
(
    SELECT
        tenant, user, argMax(n.zone, n.sent) AS zone, max(n.sent) AS last,
        toHour(toTimeZone(toDateTime(n.sent) + toIntervalHour(later), n.zone)) AS hour,
        count() AS unopened, countIf(later = n.waited AND n.opened IS NOT NULL) AS opened
    FROM
    (
        SELECT
            tenant, min(s.user) AS user, min(s.sent) AS sent,
            if(min(s.opened) IS NULL, min(s.clicked), min(s.opened)) AS opened,
            if(
                max(s.zone) IN (SELECT time_zone FROM system.time_zones), max(s.zone), 'UTC'
            ) AS zone,
            least(
                23,
                dateDiff(
                    'hour', toTimeZone(sent, zone),
                    toTimeZone(greatest(sent, ifNull(opened, sent + toIntervalHour(23))), zone)
                )
            ) AS waited
        FROM notification_state AS s
        WHERE day > today() - 90
        GROUP BY tenant, day, type, notification_id, channel
        HAVING
            sent IS NOT NULL
            AND (opened IS NULL OR opened < sent + toIntervalHour(24))
    ) AS n
    ARRAY JOIN range(toUInt32(n.waited + 1)) AS later
    GROUP BY tenant, user, hour
) AS h
GROUP BY tenant, user
HAVING opens > 0
SETTINGS allow_nonconst_timezone_arguments = 1;
