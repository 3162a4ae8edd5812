-- How much each user is sent in a day, and what they do with it: whom we tire.
CREATE OR REPLACE VIEW sends_per_user {on_cluster} AS
SELECT
    tenant, day, user,
    count() AS notifications,
    countIf(n.opened) AS opened,
    countIf(n.unsubscribed) AS unsubscribed,
    countIf(n.complained) AS complained
FROM
(
    SELECT
        tenant, day, type, notification_id, min(s.user) AS user,
        min(s.opened) IS NOT NULL OR min(s.clicked) IS NOT NULL AS opened,
        min(s.unsubscribed) IS NOT NULL AS unsubscribed,
        min(s.complained) IS NOT NULL AS complained
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id
    HAVING min(s.sent) IS NOT NULL
) AS n
GROUP BY tenant, day, user;

-- Seconds from the provider's taking a message to its first open, or click, on each channel.
CREATE OR REPLACE VIEW time_to_open {on_cluster} AS
SELECT
    tenant, day, type, channel,
    count() AS opened,
    quantilesExact(0.5, 0.9, 0.99)(seconds) AS p50_p90_p99
FROM
(
    SELECT
        tenant, day, type, channel, min(s.sent) AS sent,
        if(min(s.opened) IS NULL, min(s.clicked), min(s.opened)) AS opened,
        dateDiff('second', assumeNotNull(sent), assumeNotNull(opened)) AS seconds
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
    HAVING sent IS NOT NULL AND opened IS NOT NULL AND opened >= sent
)
GROUP BY tenant, day, type, channel;

-- How many of those who were sent a type left its category or complained, by the month in which
-- they were sent anything for the first time that is still kept.
CREATE OR REPLACE VIEW opt_outs {on_cluster} AS
SELECT
    tenant, day, type, channel, cohort,
    count() AS sent,
    countIf(n.unsubscribed) AS unsubscribed,
    countIf(n.complained) AS complained,
    round(unsubscribed / sent, 6) AS unsubscribe_rate,
    round(complained / sent, 6) AS complaint_rate
FROM
(
    SELECT
        tenant, day, type, channel, min(s.user) AS user,
        min(s.unsubscribed) IS NOT NULL AS unsubscribed,
        min(s.complained) IS NOT NULL AS complained
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
    HAVING min(s.sent) IS NOT NULL
) AS n
INNER JOIN
(
    SELECT tenant, user, toStartOfMonth(min(day)) AS cohort
    FROM notification_state
    WHERE sent IS NOT NULL
    GROUP BY tenant, user
) AS c USING (tenant, user)
GROUP BY tenant, day, type, channel, cohort;

-- Messages sent in each week, from Monday on, beside those of the week before.
CREATE OR REPLACE VIEW week_over_week {on_cluster} AS
SELECT
    tenant, week, type, channel,
    sum(h.here) AS sent,
    sum(h.before) AS week_before,
    if(week_before = 0, NULL, round(sent / week_before - 1, 4)) AS change
FROM
(
    SELECT tenant, toMonday(day) AS week, type, channel, messages AS here, 0 AS before
    FROM hourly
    WHERE stage = 'sent'
    UNION ALL
    SELECT tenant, toMonday(day) + 7 AS week, type, channel, 0 AS here, messages AS before
    FROM hourly
    WHERE stage = 'sent'
) AS h
GROUP BY tenant, week, type, channel;

-- How fast the error budget of each priority is used up, by day: one in a hundred may be late. At 1
-- all of it is used up by the end of what it is for, at 10 in a tenth of that time.
CREATE OR REPLACE VIEW slo_burn {on_cluster} AS
SELECT
    tenant, day, priority,
    sum(f.messages) AS messages,
    sum(f.late) AS late,
    if(messages = 0, NULL, round(late / messages / 0.01, 2)) AS burn
FROM how_fast AS f
GROUP BY tenant, day, priority;

-- Which events each digest told.
CREATE OR REPLACE VIEW digest_members {on_cluster} AS
SELECT
    tenant, toDate(occurred_at) AS day, digest, user, channel, type, event_id, notification_id,
    occurred_at, at AS told_at
FROM delivery_events FINAL
WHERE stage = 'digested';

-- What messages cost by the prices in the settings, on every channel.
CREATE OR REPLACE VIEW costs {on_cluster} AS
SELECT
    tenant, toDate(occurred_at) AS day, type, channel, provider,
    count() AS messages, sum(segments) AS segments, sum(cost) AS cost
FROM delivery_events FINAL
WHERE stage = 'sent'
GROUP BY tenant, day, type, channel, provider;

-- What telling brings: of those who were told and of those who were held out, the share that reached
-- the goal. Whether the difference is more than chance: `tocsin experiment TYPE --metric goal`.
CREATE OR REPLACE VIEW holdout_lift {on_cluster} AS
SELECT
    tenant, type, holdout,
    countIf(grouped = 'told') AS told,
    countIf(grouped = 'told' AND reached) AS told_reached,
    countIf(grouped = 'held_out') AS held_out,
    countIf(grouped = 'held_out' AND reached) AS held_out_reached,
    if(
        told = 0 OR held_out = 0, NULL,
        round(told_reached / told - held_out_reached / held_out, 6)
    ) AS lift
FROM goal_results
GROUP BY tenant, type, holdout;
