-- What people do, two may tell of: our own link and the provider that has one too. It is one happening,
-- so whoever told it is no matter: told by both, it counted twice by the hour.

-- How much happened in each hour of the days that are counted, less what was erased since.
CREATE OR REPLACE VIEW folded_hours {on_cluster} AS
WITH (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until
SELECT
    hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    sum(f.messages) AS messages
FROM
(
    SELECT
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        toInt64(count) AS messages
    FROM hour_counts FINAL
    WHERE hour < folded_until
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel,
        if(e.stage IN ('opened', 'clicked', 'unsubscribed'), '', e.provider) AS teller,
        priority, stage, reason, catalogue,
        -toInt64(uniqExactMerge(e.happenings)) AS messages
    FROM erased_happenings AS e
    WHERE minute < folded_until
    GROUP BY
        hour, tenant, type, category, channel, teller, priority, stage, reason, catalogue
) AS f
GROUP BY hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue
HAVING messages > 0;

-- How much happened in each hour of the domain event's time: messages.
CREATE OR REPLACE VIEW hourly {on_cluster} AS
WITH (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until
SELECT
    tenant, toDate(hour) AS day, hour, type, category, channel, provider, priority, stage, reason,
    catalogue,
    uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
        AS messages
FROM
(
    SELECT
        hour, tenant, type, category, channel,
        if(s.stage IN ('opened', 'clicked', 'unsubscribed'), '', s.provider) AS provider,
        priority, stage, reason, catalogue,
        happenings, 0 AS gone, toInt64(0) AS counted
    FROM hour_sets AS s
    WHERE hour >= folded_until
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel,
        if(e.stage IN ('opened', 'clicked', 'unsubscribed'), '', e.provider) AS provider,
        priority, stage, reason, catalogue,
        happenings, 1 AS gone, toInt64(0) AS counted
    FROM erased_happenings AS e
    WHERE minute >= folded_until
    UNION ALL
    SELECT
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        arrayReduce('uniqExactState', emptyArrayUInt64()) AS happenings, 0 AS gone,
        toInt64(count) AS counted
    FROM hour_counts FINAL
    WHERE hour < folded_until
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel,
        if(e.stage IN ('opened', 'clicked', 'unsubscribed'), '', e.provider) AS teller,
        priority, stage, reason, catalogue,
        arrayReduce('uniqExactState', emptyArrayUInt64()) AS happenings, 0 AS gone,
        -toInt64(uniqExactMerge(e.happenings)) AS counted
    FROM erased_happenings AS e
    WHERE minute < folded_until
    GROUP BY
        hour, tenant, type, category, channel, teller, priority, stage, reason, catalogue
) AS h
GROUP BY
    tenant, hour, type, category, channel, provider, priority, stage, reason, catalogue
HAVING messages > 0;

ALTER TABLE folded_hours {on_cluster}
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; empty for what people do, of which two may tell.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN messages 'How many messages.';

ALTER TABLE hourly {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; empty for what people do, of which two may tell.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN messages 'How many messages.';
