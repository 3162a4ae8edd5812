-- What the dashboards ask of a notification on a channel is which stages it reached, by what was rolled
-- up and not by its times: a bit each takes 4 bytes where times take 9 each, and a number 8 where the id
-- takes 40. A bit is set by whoever tells of the stage, and once it is set it stays, so this is right
-- however often and in whatever order rows come. Both are made from the other columns, so the last
-- release goes on writing what it wrote, and of what is stored already they are made when it is read.
--
-- Bits, from the lowest: suppressed 0, held 1, digested 2, queued 3, sent 4, delivered 5, seen 6,
-- opened 7, clicked 8, bounced 9, failed 10, complained 11, unsubscribed 12; it is a digest 13.
-- The two highest, 30 and 31, are for questions, which add of their own.
ALTER TABLE notification_state {on_cluster}
    ADD COLUMN IF NOT EXISTS number UInt64 DEFAULT cityHash64(notification_id) CODEC(NONE),
    ADD COLUMN IF NOT EXISTS reached SimpleAggregateFunction(groupBitOr, UInt32) DEFAULT
        toUInt32(suppressed IS NOT NULL)
        + bitShiftLeft(toUInt32(held IS NOT NULL), 1)
        + bitShiftLeft(toUInt32(digested IS NOT NULL), 2)
        + bitShiftLeft(toUInt32(queued IS NOT NULL), 3)
        + bitShiftLeft(toUInt32(sent IS NOT NULL), 4)
        + bitShiftLeft(toUInt32(delivered IS NOT NULL), 5)
        + bitShiftLeft(toUInt32(seen IS NOT NULL), 6)
        + bitShiftLeft(toUInt32(opened IS NOT NULL), 7)
        + bitShiftLeft(toUInt32(clicked IS NOT NULL), 8)
        + bitShiftLeft(toUInt32(bounced IS NOT NULL), 9)
        + bitShiftLeft(toUInt32(failed IS NOT NULL), 10)
        + bitShiftLeft(toUInt32(complained IS NOT NULL), 11)
        + bitShiftLeft(toUInt32(unsubscribed IS NOT NULL), 12)
        + bitShiftLeft(toUInt32(digest = notification_id), 13)
        CODEC(ZSTD);

-- What texts cost is read from the events themselves: of those of other channels' types, nothing.
ALTER TABLE delivery_events {on_cluster}
    ADD INDEX IF NOT EXISTS by_channel channel TYPE set(8) GRANULARITY 1;

ALTER TABLE notification_state {on_cluster}
    COMMENT COLUMN number 'The notification\'s id as a number, by which it is grouped at less cost.',
    COMMENT COLUMN reached 'The stages that it reached, a bit each from the lowest: suppressed, held, digested, queued, sent, delivered, seen, opened, clicked, bounced, failed, complained, unsubscribed; then whether it is a digest. Group with groupBitOr.';
