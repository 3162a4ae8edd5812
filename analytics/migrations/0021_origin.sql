-- The record of a company's own topic that a source made an event from: which source, and where it
-- stands. One column is written, and the others are read from it.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS origin String CODEC(ZSTD) AFTER destination;

ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS source String ALIAS
        arrayStringConcat(arraySlice(splitByChar('/', origin), 1, -3), '/'),
    ADD COLUMN IF NOT EXISTS source_topic String ALIAS
        if(origin = '', '', splitByChar('/', origin)[-3]),
    ADD COLUMN IF NOT EXISTS source_partition Nullable(UInt32) ALIAS
        if(origin = '', NULL, toUInt32OrNull(splitByChar('/', origin)[-2])),
    ADD COLUMN IF NOT EXISTS source_offset Nullable(UInt64) ALIAS
        if(origin = '', NULL, toUInt64OrNull(splitByChar('/', origin)[-1]));
