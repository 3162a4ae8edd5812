-- The types that say most, and what becomes of what they say: notifications, each counted once on
-- each channel. A rate is of what was sent where an open can be known: a text message or one in a
-- chat tells nobody that it was read. A click is an open.
-- By numbers and bits, see migration 0032: a quarter of the processor time that ids and times take.
WITH
    (
        SELECT groupUniqArray((cityHash64(type), toString(type)))
        FROM notification_state
        WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
    ) AS names
SELECT
    transform(n.said, names.1, names.2, '') AS type,
    countIf(bitTest(n.known, 4)) AS sent,
    countIf(bitTest(n.known, 0) AND bitAnd(n.known, 24) = 0) AS suppressed,
    countIf(bitTest(n.known, 10) AND NOT bitTest(n.known, 4)) AS failed,
    countIf(bitAnd(n.known, 384) != 0) AS opened,
    countIf(bitTest(n.known, 12)) AS unsubscribed,
    countIf(bitTest(n.known, 4) AND n.tells) AS can_be_opened,
    countIf(bitTest(n.known, 4) AND n.tells AND bitAnd(n.known, 384) != 0) AS opened_of_these,
    if(can_be_opened = 0, NULL, round(opened_of_these / can_be_opened, 4)) AS open_rate
FROM
(
    SELECT
        any(cityHash64(s.type)) AS said,
        any(s.channel IN ('push', 'email', 'inapp')) AS tells,
        {reached} AS known
    FROM notification_state AS s
    WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
    GROUP BY bitXor(number, cityHash64(channel))
    HAVING bitShiftRight(known, 30) = 2
) AS n
GROUP BY n.said
ORDER BY sent DESC, type
LIMIT 20
