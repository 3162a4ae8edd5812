-- The class of a user by an attribute that a type names, as ATTRIBUTE=VALUE, and the network that a text
-- went to, as MCC-MNC. Roll-ups know nothing of either, so they have no more rows than before.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS attribute LowCardinality(String) CODEC(ZSTD) AFTER trace,
    ADD COLUMN IF NOT EXISTS carrier LowCardinality(String) CODEC(ZSTD) AFTER attribute;

-- Of several values the greatest is kept, whichever came first: a value goes before none.
ALTER TABLE notification_state {on_cluster}
    ADD COLUMN IF NOT EXISTS attribute SimpleAggregateFunction(max, LowCardinality(String))
        CODEC(ZSTD);

-- In one statement: without the view, what is inserted meanwhile would be missing.
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
WHERE stage NOT IN ('assigned', 'goal') AND notification_id != '';

-- What became of notifications, and what people did with them, by a class of users. Decided is
-- told + under_way + held + failed + not_told, as in `outcomes`; a digest is no decision of its own, so
-- it is in what was sent and in what comes after that. Each counts once, on however many channels
-- it went out. A type's twenty largest classes in a day stand by themselves, all others are (other).
CREATE OR REPLACE VIEW outcomes_by_attribute {on_cluster} AS
SELECT
    tenant, day, type, attribute,
    multiIf(place > 20, '(other)', each.2 = '', '(none)', each.2) AS value,
    sum(each.3) AS decided,
    sum(each.4) AS told,
    sum(each.5) AS under_way,
    sum(each.6) AS held,
    sum(each.7) AS failed,
    sum(each.8) AS not_told,
    sum(each.9) AS sent,
    sum(each.10) AS delivered,
    sum(each.11) AS opened,
    sum(each.12) AS clicked,
    if(sum(each.13) = 0, NULL, round(sum(each.14) / sum(each.13), 4)) AS open_rate
FROM
(
    SELECT
        tenant, day, type, v.attribute AS attribute,
        arraySort(
            each -> (each.1, each.2),
            groupArray((
                -v.notifications, v.stated, v.decided, v.told, v.under_way, v.held, v.failed,
                v.not_told, v.sent, v.delivered, v.opened, v.clicked, v.can_be_opened, v.of_these
            ))
        ) AS classes
    FROM
    (
        SELECT
            tenant, day, type,
            substring(n.stated, 1, position(n.stated, '=') - 1) AS attribute,
            substring(n.stated, position(n.stated, '=') + 1) AS stated,
            toInt64(count()) AS notifications,
            countIf(NOT n.is_digest) AS decided,
            countIf(NOT n.is_digest AND n.outcome = 'told') AS told,
            countIf(NOT n.is_digest AND n.outcome = 'under_way') AS under_way,
            countIf(NOT n.is_digest AND n.outcome = 'held') AS held,
            countIf(NOT n.is_digest AND n.outcome = 'failed') AS failed,
            countIf(NOT n.is_digest AND n.outcome = 'not_told') AS not_told,
            countIf(n.is_sent) AS sent,
            countIf(n.is_delivered) AS delivered,
            countIf(n.is_opened) AS opened,
            countIf(n.is_clicked) AS clicked,
            countIf(n.can_be_opened) AS can_be_opened,
            countIf(n.can_be_opened AND n.is_opened) AS of_these
        FROM
        (
            SELECT
                tenant, day, type, notification_id, max(c.stated) AS stated,
                max(c.is_digest) AS is_digest,
                multiIf(
                    max(c.is_told), 'told',
                    max(c.is_under_way), 'under_way',
                    max(c.is_held), 'held',
                    max(c.has_failed), 'failed',
                    'not_told'
                ) AS outcome,
                max(c.is_sent) AS is_sent, max(c.is_delivered) AS is_delivered,
                max(c.is_opened) AS is_opened, max(c.is_clicked) AS is_clicked,
                max(c.can_be_opened) AS can_be_opened
            FROM
            (
                SELECT
                    tenant, day, type, notification_id, channel,
                    max(s.attribute) AS stated,
                    max(s.digest) = notification_id AS is_digest,
                    min(s.sent) IS NOT NULL AS is_sent,
                    is_sent OR min(s.digested) IS NOT NULL AS is_told,
                    min(s.failed) IS NOT NULL AS has_failed,
                    has_failed OR min(s.suppressed) IS NOT NULL AS is_over,
                    min(s.queued) IS NOT NULL AND NOT is_over AS is_under_way,
                    min(s.held) IS NOT NULL AND min(s.queued) IS NULL AND NOT is_over AS is_held,
                    min(s.delivered) IS NOT NULL AS is_delivered,
                    min(s.clicked) IS NOT NULL AS is_clicked,
                    is_clicked OR min(s.opened) IS NOT NULL AS is_opened,
                    is_sent AND channel IN ('push', 'email', 'inapp') AS can_be_opened
                FROM notification_state AS s
                GROUP BY tenant, day, type, notification_id, channel
            ) AS c
            GROUP BY tenant, day, type, notification_id
            HAVING stated != ''
        ) AS n
        GROUP BY tenant, day, type, attribute, stated
    ) AS v
    GROUP BY tenant, day, type, attribute
) AS t
ARRAY JOIN t.classes AS each, arrayEnumerate(t.classes) AS place
GROUP BY tenant, day, type, attribute, value;

-- What becomes of texts by the country of the number, the carrier that its provider reports, and the
-- provider that took it last; most report none, and then the carrier is (unknown). Each message counts
-- once, whatever happened to it.
CREATE OR REPLACE VIEW deliverability_by_carrier {on_cluster} AS
SELECT
    tenant, day, country, carrier, provider,
    count() AS messages,
    countIf(m.is_sent) AS sent,
    countIf(m.is_delivered) AS delivered,
    countIf(m.has_bounced) AS bounced,
    countIf(m.has_failed) AS failed,
    if(sent = 0, NULL, round(delivered / sent, 4)) AS delivery_rate,
    if(sent = 0, NULL, round(bounced / sent, 4)) AS bounce_rate
FROM
(
    SELECT
        tenant, toDate(occurred_at) AS day, delivery_id,
        splitByChar(' ', max(e.destination))[1] AS country,
        if(max(e.carrier) = '', '(unknown)', max(e.carrier)) AS carrier,
        argMaxIf(
            e.provider, (e.stage = 'sent', e.at, e.provider), e.stage IN ('sent', 'failed')
        ) AS provider,
        countIf(stage = 'sent') > 0 AS is_sent,
        countIf(stage = 'bounced') > 0 AS has_bounced,
        countIf(stage IN ('delivered', 'opened', 'clicked')) > 0 AND NOT has_bounced
            AS is_delivered,
        countIf(stage = 'failed') > 0 AND NOT has_bounced AS has_failed
    FROM delivery_events AS e
    WHERE
        channel = 'sms' AND delivery_id != ''
        AND stage IN ('sent', 'delivered', 'bounced', 'failed', 'opened', 'clicked')
    GROUP BY tenant, day, delivery_id
    HAVING max(e.destination) != ''
) AS m
GROUP BY tenant, day, country, carrier, provider;

-- Who was told of what, on which channel, and what they did with it; of what came in a digest, each
-- event, with what they did with the digest.
CREATE OR REPLACE VIEW who_was_told {on_cluster} AS
SELECT
    tenant, day, type, user, event_id, notification_id, channel,
    sent, delivered, seen,
    least(ifNull(n.opened, n.clicked), ifNull(n.clicked, n.opened)) AS opened, clicked, bounced,
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
            least(
                ifNull(min(s.opened), min(s.clicked)), ifNull(min(s.clicked), min(s.opened))
            ) AS opened,
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

-- Seconds from the provider's taking a message to its first open or click, whichever was first, on each
-- channel: where images are blocked, who follows a link may load them later.
CREATE OR REPLACE VIEW time_to_open {on_cluster} AS
SELECT
    tenant, day, type, channel,
    count() AS opened,
    quantilesExact(0.5, 0.9, 0.99)(seconds) AS p50_p90_p99
FROM
(
    SELECT
        tenant, day, type, channel, min(s.sent) AS sent,
        least(ifNull(min(s.opened), min(s.clicked)), ifNull(min(s.clicked), min(s.opened)))
            AS opened,
        dateDiff('second', assumeNotNull(sent), assumeNotNull(opened)) AS seconds
    FROM notification_state AS s
    GROUP BY tenant, day, type, notification_id, channel
    HAVING sent IS NOT NULL AND opened IS NOT NULL AND opened >= sent
)
GROUP BY tenant, day, type, channel;

-- Messages sent in each week, from Monday on, beside those of the week before, up to
-- this week, which is not over.
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
WHERE week <= toDate(now('UTC'))
GROUP BY tenant, week, type, channel;

ALTER TABLE delivery_events {on_cluster}
    COMMENT COLUMN attribute 'The class of the user by an attribute that the type names, as ATTRIBUTE=VALUE; empty where it names none.',
    COMMENT COLUMN carrier 'The network that a text went to, by its codes (ITU-T E.212) as MCC-MNC; empty where its provider reports none.';

ALTER TABLE notification_state {on_cluster}
    COMMENT COLUMN attribute 'The class of the user by an attribute that the type names, as ATTRIBUTE=VALUE; empty where it names none.';

ALTER TABLE outcomes_by_attribute {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN attribute 'The attribute of contacts that the type names.',
    COMMENT COLUMN value 'Its value; (none) for users without one, (other) for what is no class, and for classes beyond the twenty largest of a type in a day.',
    COMMENT COLUMN decided 'How many were decided about.',
    COMMENT COLUMN told 'How many went out on any channel, by themselves or in a digest.',
    COMMENT COLUMN under_way 'How many were handed over and have come to no end.',
    COMMENT COLUMN held 'How many wait to be decided again.',
    COMMENT COLUMN failed 'How many were given up.',
    COMMENT COLUMN not_told 'How many were told nowhere and wait for nothing.',
    COMMENT COLUMN sent 'How many were taken by a provider on any channel; digests are among them.',
    COMMENT COLUMN delivered 'How many arrived, as providers report.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN clicked 'How many had a link followed by people.',
    COMMENT COLUMN open_rate 'The share that was opened of what was sent where an open can be known.';

ALTER TABLE deliverability_by_carrier {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN country 'The country that the number\'s digits name, by two letters; other for digits that are no number.',
    COMMENT COLUMN carrier 'The network by its codes (ITU-T E.212) as MCC-MNC, or (unknown) where no report tells it.',
    COMMENT COLUMN provider 'The provider that took it, or else gave it up.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN sent 'How many were taken by a provider.',
    COMMENT COLUMN delivered 'How many arrived and did not come back later.',
    COMMENT COLUMN bounced 'How many bounced.',
    COMMENT COLUMN failed 'How many were given up, without a bounce.',
    COMMENT COLUMN delivery_rate 'delivered / sent.',
    COMMENT COLUMN bounce_rate 'bounced / sent.';

ALTER TABLE who_was_told {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN event_id 'The id of the domain event.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN sent 'When it was sent (UTC), or NULL.',
    COMMENT COLUMN delivered 'When it was delivered (UTC), or NULL.',
    COMMENT COLUMN seen 'When it was seen (UTC), or NULL.',
    COMMENT COLUMN opened 'When it was first opened or clicked (UTC), or NULL.',
    COMMENT COLUMN clicked 'When it was clicked (UTC), or NULL.',
    COMMENT COLUMN bounced 'When it was bounced (UTC), or NULL.',
    COMMENT COLUMN digest 'The digest that it is, or that its event was told in.';

ALTER TABLE best_hours {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN best_hour 'The hour, 0 to 23, of the user\'s own day.',
    COMMENT COLUMN opens 'How many opens that is known from.',
    COMMENT COLUMN zone 'The time zone of the user (IANA), where it is known.';

ALTER TABLE time_to_open {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN p50_p90_p99 'Percentiles in seconds.';

ALTER TABLE week_over_week {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN week 'The Monday of the week.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN sent 'How many were sent in the week.',
    COMMENT COLUMN week_before 'How many in the week before.',
    COMMENT COLUMN change 'By what share it grew.';
