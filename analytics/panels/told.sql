-- What became of notifications, whatever the channels: a notification that went out on one of them
-- is told, though others were turned down.
-- By numbers and bits, see migration 0032: a fifth of the processor time that ids and times take. For
-- each stage there are seven bits, one for each channel, so that a notification is one number.
SELECT
    multiIf(
        bitAnd(counted, told_by) != 0, 'told',
        bitAnd(open_still, queued_by) != 0, 'on its way',
        bitAnd(open_still, bitAnd(held_by, bitNot(queued_by))) != 0, 'waits',
        bitAnd(counted, failed_by) != 0, 'given up',
        'decided against'
    ) AS outcome,
    count() AS notifications
FROM
(
    SELECT
        groupBitOr(
            bitShiftLeft(
                toUInt64(s.occurred >= {from} AND s.occurred < {to})
                + bitShiftLeft(toUInt64(s.occurred < {from} OR bitTest(s.reached, 13)), 7)
                + bitShiftLeft(toUInt64(bitAnd(s.reached, 20) != 0), 14)
                + bitShiftLeft(toUInt64(bitTest(s.reached, 3)), 21)
                + bitShiftLeft(toUInt64(bitTest(s.reached, 10)), 28)
                + bitShiftLeft(toUInt64(bitTest(s.reached, 0)), 35)
                + bitShiftLeft(toUInt64(bitTest(s.reached, 1)), 42),
                indexOf(['push', 'email', 'sms', 'inapp', 'chat', 'webhook'], s.channel)
            )
        ) AS known,
        -- Of which channels it counts: not those that it was there before, nor a digest itself.
        bitAnd(bitAnd(known, bitNot(bitShiftRight(known, 7))), 127) AS counted,
        bitShiftRight(known, 14) AS told_by,
        bitShiftRight(known, 21) AS queued_by,
        bitShiftRight(known, 28) AS failed_by,
        bitShiftRight(known, 35) AS ended_by,
        bitShiftRight(known, 42) AS held_by,
        bitAnd(counted, bitNot(bitOr(failed_by, ended_by))) AS open_still
    FROM notification_state AS s
    WHERE day >= toDate({from}) AND day <= toDate({to}) AND {narrowed}
    GROUP BY number
    HAVING counted != 0
) AS n
GROUP BY outcome
ORDER BY notifications DESC, outcome
