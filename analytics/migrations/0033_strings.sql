-- How texts are written, and no more: each with its length before it, and not the lengths by themselves,
-- as newer servers do unless they are told. An id is then found again in the row before together with
-- what is around it, which saves a fifteenth of the ids. What is stored already is written so when
-- parts are merged.
-- May fail (UNKNOWN_SETTING): an older ClickHouse knows no other way.
ALTER TABLE delivery_events {on_cluster} MODIFY SETTING string_serialization_version = 'single_stream';
