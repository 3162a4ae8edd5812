-- The trace that a happening is part of, so that what was traced is found from a notification.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS trace String CODEC(ZSTD) AFTER origin;

ALTER TABLE delivery_events {on_cluster}
    COMMENT COLUMN trace 'The id of its trace in OpenTelemetry, 32 hex digits; empty where its event is not traced.';
