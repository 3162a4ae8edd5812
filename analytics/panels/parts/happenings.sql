(
    -- What happened from `from` until `to`, to the millisecond: whole hours and minutes as they are
    -- rolled up, what is left at both ends from the events themselves. Up to twelve hours it is all
    -- by the minute. Of users who were erased since, `gone` is 1, so that they can be taken off. Days
    -- that are folded are counts, `counted`, less those.
    WITH
        (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until,
        toStartOfMinute({from} + toIntervalMillisecond(59999)) AS first_minute,
        greatest(first_minute, toStartOfMinute({to})) AS last_minute,
        toStartOfHour({from} + toIntervalMillisecond(3599999)) AS first_hour,
        if(
            {to} - toIntervalHour(12) <= {from},
            first_hour,
            greatest(first_hour, toStartOfHour({to}))
        ) AS last_hour,
        greatest(first_minute, {kept}) AS first_kept
    SELECT
        hour AS time, tenant, type, channel, provider, priority, stage, reason, happenings,
        0 AS gone, toInt64(0) AS counted
    FROM hour_sets
    WHERE hour >= first_hour AND hour < last_hour AND hour >= folded_until AND {narrowed}
    UNION ALL
    SELECT
        hour, tenant, type, channel, provider, priority, stage, reason,
        arrayReduce('uniqExactState', emptyArrayUInt64()), 0, toInt64(count)
    FROM hour_counts FINAL
    WHERE hour >= first_hour AND hour < last_hour AND hour < folded_until AND {narrowed}
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour, tenant, type, channel, provider, priority, stage, reason,
        arrayReduce('uniqExactState', emptyArrayUInt64()), 0,
        -toInt64(uniqExactMerge(happenings))
    FROM erased_happenings
    WHERE
        minute >= first_hour AND minute < last_hour AND minute < folded_until AND {narrowed}
    GROUP BY hour, tenant, type, channel, provider, priority, stage, reason
    UNION ALL
    SELECT minute, tenant, type, channel, provider, priority, stage, reason, happenings, 0, 0
    FROM by_minute
    WHERE
        minute >= first_kept AND minute < last_minute
        AND NOT (minute >= first_hour AND minute < last_hour) AND {narrowed}
    UNION ALL
    SELECT
        toStartOfMinute(occurred_at) AS minute,
        tenant, type, channel, provider, priority, stage, reason,
        uniqExactState(cityHash64(id)), 0, 0
    FROM delivery_events
    WHERE
        (first_minute != {from} OR last_minute != {to}
            OR first_kept != first_minute)
        AND toDate(occurred_at) IN (toDate({from}), toDate({to}))
        AND occurred_at >= {from} AND occurred_at < {to}
        AND NOT (occurred_at >= first_hour AND occurred_at < last_hour)
        AND NOT (occurred_at >= first_kept AND occurred_at < last_minute)
        AND detail != 'machine' AND {narrowed}
    GROUP BY minute, tenant, type, channel, provider, priority, stage, reason
    UNION ALL
    SELECT
        if(minute >= first_hour AND minute < last_hour, toStartOfHour(minute), minute),
        tenant, type, channel, provider, priority, stage, reason, happenings, 1, 0
    FROM erased_happenings
    WHERE
        minute >= toStartOfMinute({from}) AND minute < {to}
        AND NOT (minute >= first_hour AND minute < last_hour AND minute < folded_until)
        AND {narrowed}
)
