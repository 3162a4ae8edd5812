-- What columns mean that came beside the last comments.
ALTER TABLE delivery_events {on_cluster}
    COMMENT COLUMN origin 'The record of a company\'s own topic that its event was made from: SOURCE/TOPIC/PARTITION/OFFSET.',
    COMMENT COLUMN source 'The source in the catalogue, read from origin.',
    COMMENT COLUMN source_topic 'The topic of that record, read from origin.',
    COMMENT COLUMN source_partition 'Its partition, or NULL.',
    COMMENT COLUMN source_offset 'Its offset, or NULL.';

ALTER TABLE notification_days {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN beginning 'The first twelve characters of the notification\'s id.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.';
