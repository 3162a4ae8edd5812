-- What becomes of messages by class of destination: a mailbox provider, a country with its kind of
-- network, a push service or a chat platform, and never an address. Each message counts once,
-- whatever happened to it; what no provider was asked to take has no class, and is not of these.
CREATE OR REPLACE VIEW deliverability {on_cluster} AS
SELECT
    tenant, day, channel, destination,
    count() AS messages,
    countIf(m.is_sent) AS sent,
    countIf(m.is_delivered) AS delivered,
    countIf(m.has_bounced) AS bounced,
    countIf(m.has_failed) AS failed,
    countIf(m.complained) AS complained,
    countIf(m.is_opened) AS opened,
    if(sent = 0, NULL, round(delivered / sent, 4)) AS delivery_rate,
    if(sent = 0, NULL, round(bounced / sent, 4)) AS bounce_rate,
    if(sent = 0, NULL, round(complained / sent, 6)) AS complaint_rate
FROM
(
    SELECT
        tenant, toDate(occurred_at) AS day, delivery_id, any(e.channel) AS channel,
        max(e.destination) AS destination,
        countIf(stage = 'sent') > 0 AS is_sent,
        countIf(stage = 'bounced') > 0 AS has_bounced,
        countIf(stage IN ('delivered', 'opened', 'clicked')) > 0 AND NOT has_bounced
            AS is_delivered,
        countIf(stage = 'failed') > 0 AND NOT has_bounced AS has_failed,
        countIf(stage = 'complained') > 0 AS complained,
        countIf(stage IN ('opened', 'clicked') AND detail != 'machine') > 0 AS is_opened
    FROM delivery_events AS e
    WHERE
        delivery_id != ''
        AND stage IN ('sent', 'delivered', 'bounced', 'failed', 'complained', 'opened', 'clicked')
    GROUP BY tenant, day, delivery_id
    HAVING destination != ''
) AS m
GROUP BY tenant, day, channel, destination;

-- Who left what, and by what: one click, a provider's own list, a reply, their preferences by a page,
-- the API, or what a producer said. An empty category is all of them. People, each once a day.
CREATE OR REPLACE VIEW opt_outs_by_means {on_cluster} AS
SELECT
    tenant, toDate(e.at) AS day, category, channel,
    multiIf(
        notification_id = '', detail, provider = 'links', 'one click', 'provider'
    ) AS means,
    uniqExact(user) AS users
FROM delivery_events AS e
WHERE stage = 'unsubscribed'
GROUP BY tenant, day, category, channel, means;

-- How many of those who were sent a type left its category or complained, by the month in which
-- they were sent anything for the first time that is still kept. Who left by a reply or by their
-- preferences left the last that they were sent of that category on that channel, if it was within
-- seven days before.
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
        s.tenant AS tenant, s.day AS day, s.type AS type, s.channel AS channel, s.user AS user,
        s.unsubscribed OR l.tenant != '' AS unsubscribed, s.complained AS complained
    FROM
    (
        SELECT
            tenant, day, type, notification_id, channel, min(s.user) AS user,
            min(s.unsubscribed) IS NOT NULL AS unsubscribed,
            min(s.complained) IS NOT NULL AS complained
        FROM notification_state AS s
        GROUP BY tenant, day, type, notification_id, channel
        HAVING min(s.sent) IS NOT NULL
    ) AS s
    LEFT ANY JOIN
    (
        SELECT o.tenant AS tenant, o.channel AS channel, sent.notification_id AS notification_id
        FROM
        (
            SELECT tenant, user, channel, category AS wanted, at
            FROM delivery_events
            WHERE stage = 'unsubscribed' AND notification_id = ''
        ) AS o
        ASOF INNER JOIN
        (
            SELECT
                tenant, user, channel, notification_id,
                arrayJoin([category, '']) AS wanted, assumeNotNull(sent) AS at
            FROM notification_state
            WHERE sent IS NOT NULL
        ) AS sent
        ON o.tenant = sent.tenant AND o.user = sent.user AND o.channel = sent.channel
            AND o.wanted = sent.wanted AND o.at >= sent.at
        WHERE o.at <= sent.at + toIntervalDay(7)
    ) AS l
    ON s.tenant = l.tenant AND s.channel = l.channel AND s.notification_id = l.notification_id
) AS n
INNER JOIN
(
    SELECT tenant, user, toStartOfMonth(min(day)) AS cohort
    FROM notification_state
    WHERE sent IS NOT NULL
    GROUP BY tenant, user
) AS c USING (tenant, user)
GROUP BY tenant, day, type, channel, cohort;

-- Of those who were told of a type and of those who were held out of it, how many were still there so
-- many days later: reached a goal, of any type, from then on. Only goals count, as who is told can
-- open what others never get. `after` is 1, 7, 14 and 30 days; who was not there for so long yet is
-- not counted. Whether a difference is more than chance is no matter of this view.
CREATE OR REPLACE VIEW retention {on_cluster} AS
SELECT
    tenant, type, holdout, after,
    countIf(r.grouped = 'told') AS told,
    countIf(r.grouped = 'told' AND r.is_back) AS told_back,
    countIf(r.grouped = 'held_out') AS held_out,
    countIf(r.grouped = 'held_out' AND r.is_back) AS held_out_back,
    if(told = 0, NULL, round(told_back / told, 4)) AS told_retention,
    if(held_out = 0, NULL, round(held_out_back / held_out, 4)) AS held_out_retention
FROM
(
    SELECT
        g.tenant AS tenant, g.type AS type, g.holdout AS holdout, g.grouped AS grouped,
        arrayJoin([1, 7, 14, 30]) AS after, g.user AS user,
        a.last >= g.began + toIntervalDay(after) AS is_back, g.began AS began
    FROM goal_results AS g
    LEFT JOIN
    (
        SELECT tenant, user, max(occurred_at) AS last
        FROM delivery_events
        WHERE stage = 'goal'
        GROUP BY tenant, user
    ) AS a USING (tenant, user)
) AS r
WHERE began + toIntervalDay(after) <= now()
GROUP BY tenant, type, holdout, after;

-- The share of the error budget of each priority that is left in a week, which starts on Monday: one
-- in a hundred may be late. Below 0 more were late than may be.
CREATE OR REPLACE VIEW slo_budget {on_cluster} AS
SELECT
    tenant, toMonday(day) AS week, priority,
    sum(f.messages) AS messages,
    sum(f.late) AS late,
    if(messages = 0, NULL, round(1 - late / (messages * 0.01), 2)) AS left
FROM how_fast AS f
GROUP BY tenant, week, priority;
