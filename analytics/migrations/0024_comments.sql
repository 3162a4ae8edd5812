-- What each column means, from analytics/dictionary.toml: `python -m analytics.dictionary comments`.
ALTER TABLE audit {on_cluster}
    COMMENT COLUMN at 'When it was done (UTC).',
    COMMENT COLUMN who 'The name of the key or person.',
    COMMENT COLUMN deed 'What was done.',
    COMMENT COLUMN route 'By which route.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user_hash 'A hash that stands for the user.',
    COMMENT COLUMN thing 'What it was done to.',
    COMMENT COLUMN source 'The record in Kafka, by which repeats are one.';

ALTER TABLE audit_trail {on_cluster}
    COMMENT COLUMN at 'When it was done (UTC).',
    COMMENT COLUMN who 'The name of the key or person.',
    COMMENT COLUMN deed 'What was done.',
    COMMENT COLUMN route 'By which route.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user_hash 'A hash that stands for the user.',
    COMMENT COLUMN thing 'What it was done to.';

ALTER TABLE best_hours {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN best_hour 'The hour, 0 to 23, of the user\'s own day.',
    COMMENT COLUMN opens 'How many opens that is known from.',
    COMMENT COLUMN zone 'The time zone of the user (IANA), where it is known.';

ALTER TABLE by_hour {on_cluster}
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN happenings 'The set of hashes of what happened: count it with uniqExactMerge.';

ALTER TABLE by_minute {on_cluster}
    COMMENT COLUMN minute 'The minute (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN happenings 'The set of hashes of what happened: count it with uniqExactMerge.';

ALTER TABLE costs {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN segments 'Of an SMS, how many segments were sent.',
    COMMENT COLUMN cost 'What it cost by the prices in the settings, in their currency.';

ALTER TABLE deliverability {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN destination 'The class of the address, such as gmail, DE mobile, apns or slack; never an address.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN sent 'How many were taken by a provider.',
    COMMENT COLUMN delivered 'How many arrived, or were opened, and did not come back later.',
    COMMENT COLUMN bounced 'How many bounced.',
    COMMENT COLUMN failed 'How many were given up, without a bounce.',
    COMMENT COLUMN complained 'How many were called spam.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN delivery_rate 'delivered / sent.',
    COMMENT COLUMN bounce_rate 'bounced / sent.',
    COMMENT COLUMN complaint_rate 'complained / sent.';

ALTER TABLE delivery_events {on_cluster}
    COMMENT COLUMN id 'What names the happening; the same when it is told again.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN at 'When this stage was reached, in milliseconds (UTC).',
    COMMENT COLUMN occurred_at 'When the domain event occurred, by its producer (UTC).',
    COMMENT COLUMN accepted_at 'When Kafka took the domain event (UTC).',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN event_id 'The id of the domain event.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN delivery_id 'The message: a notification to one address of a channel. 32 hex digits.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN attempt 'How many calls of a provider had failed before.',
    COMMENT COLUMN detail 'More about the reason, in words for people.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN segments 'Of an SMS, how many segments were sent.',
    COMMENT COLUMN cost 'What it cost by the prices in the settings, in their currency.',
    COMMENT COLUMN variant 'Of an experiment, as EXPERIMENT/VARIANT; of who is assigned, HOLDOUT/GROUP.',
    COMMENT COLUMN within 'Seconds after the domain event within which a goal counts.',
    COMMENT COLUMN due_at 'When a digest was due, which is when its clock starts (UTC).',
    COMMENT COLUMN digest 'The digest that it is, or that its event was told in.',
    COMMENT COLUMN zone 'The time zone of the user (IANA), where it is known.',
    COMMENT COLUMN destination 'The class of the address, such as gmail, DE mobile, apns or slack; never an address.',
    COMMENT COLUMN retention 'short (90 days) or long (13 months).',
    COMMENT COLUMN inserted_at 'When ClickHouse took it (UTC).',
    COMMENT COLUMN earliest 'Backwards from the end of time, so that the first telling stays.';

ALTER TABLE digest_members {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN digest 'The notification id of the digest.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN event_id 'The id of the domain event.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN occurred_at 'When the domain event occurred, by its producer (UTC).',
    COMMENT COLUMN told_at 'When the digest was made (UTC).';

ALTER TABLE erased {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user_hash 'A hash that stands for the user.',
    COMMENT COLUMN at 'When they were erased (UTC).';

ALTER TABLE erased_happenings {on_cluster}
    COMMENT COLUMN minute 'The minute (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN happenings 'The set of hashes of what happened: count it with uniqExactMerge.';

ALTER TABLE experiment_results {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN experiment 'The name of the experiment.',
    COMMENT COLUMN variant 'The name of the variant.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN sent 'How many were taken by a provider.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN clicked 'How many had a link followed by people.';

ALTER TABLE funnel {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN decided 'How many were decided about.',
    COMMENT COLUMN suppressed 'How many were decided not to be sent.',
    COMMENT COLUMN queued 'How many were handed to a channel.',
    COMMENT COLUMN sent 'How many were taken by a provider.',
    COMMENT COLUMN delivered 'How many arrived, as providers report.',
    COMMENT COLUMN seen 'How many were seen in the app.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN clicked 'How many had a link followed by people.',
    COMMENT COLUMN bounced 'How many bounced.',
    COMMENT COLUMN failed 'How many were given up.',
    COMMENT COLUMN held 'How many wait to be decided again.',
    COMMENT COLUMN digested 'How many were told in a digest.',
    COMMENT COLUMN dropped 'How many were handed over and then not sent, as expired or replaced.',
    COMMENT COLUMN under_way 'How many were handed over and have come to no end.',
    COMMENT COLUMN digests 'How many are digests, which are no decisions of their own.';

ALTER TABLE goal_results {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN holdout 'The name of the holdout.',
    COMMENT COLUMN grouped 'told or held_out.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN began 'When the first domain event of which they would have been told occurred (UTC).',
    COMMENT COLUMN reached 'Whether the user reached the goal in time.';

ALTER TABLE holdout_lift {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN holdout 'The name of the holdout.',
    COMMENT COLUMN told 'How many users were told.',
    COMMENT COLUMN told_reached 'How many of the told reached the goal.',
    COMMENT COLUMN held_out 'How many users were held out.',
    COMMENT COLUMN held_out_reached 'How many of the held out reached the goal.',
    COMMENT COLUMN lift 'The difference of both shares.';

ALTER TABLE hourly {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN messages 'How many messages.';

ALTER TABLE how_fast {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN target_ms 'How long the priority may take, in ms.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN clocks_disagree 'How many took less than no time, as a clock was behind.',
    COMMENT COLUMN late 'How many took longer than the target of their priority.',
    COMMENT COLUMN p50_p90_p99 'Percentiles in ms.';

ALTER TABLE notification_state {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN event_id 'The id of the domain event.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN occurred 'When the domain event occurred (UTC).',
    COMMENT COLUMN accepted 'When Kafka took the domain event (UTC).',
    COMMENT COLUMN suppressed 'When it was first suppressed (UTC), or NULL.',
    COMMENT COLUMN held 'When it was first held (UTC), or NULL.',
    COMMENT COLUMN digested 'When it was first digested (UTC), or NULL.',
    COMMENT COLUMN queued 'When it was first queued (UTC), or NULL.',
    COMMENT COLUMN sent 'When it was first sent (UTC), or NULL.',
    COMMENT COLUMN delivered 'When it was first delivered (UTC), or NULL.',
    COMMENT COLUMN seen 'When it was first seen (UTC), or NULL.',
    COMMENT COLUMN opened 'When it was first opened (UTC), or NULL.',
    COMMENT COLUMN clicked 'When it was first clicked (UTC), or NULL.',
    COMMENT COLUMN bounced 'When it was first bounced (UTC), or NULL.',
    COMMENT COLUMN failed 'When it was first failed (UTC), or NULL.',
    COMMENT COLUMN variant 'Of an experiment, as EXPERIMENT/VARIANT; of who is assigned, HOLDOUT/GROUP.',
    COMMENT COLUMN complained 'When it was first complained (UTC), or NULL.',
    COMMENT COLUMN unsubscribed 'When it was first unsubscribed (UTC), or NULL.',
    COMMENT COLUMN due 'When a digest was due (UTC).',
    COMMENT COLUMN digest 'The digest that it is, or that its event was told in.',
    COMMENT COLUMN zone 'The time zone of the user (IANA), where it is known.',
    COMMENT COLUMN destination 'The class of the address, such as gmail, DE mobile, apns or slack; never an address.';

ALTER TABLE notification_timeline {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN at 'When this stage was reached, in milliseconds (UTC).',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN detail 'More about the reason, in words for people.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN attempt 'How many calls of a provider had failed before.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN event_id 'The id of the domain event.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN digest 'The digest that it is, or that its event was told in.';

ALTER TABLE opt_outs {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN cohort 'The first day of the month in which the user was first sent anything that is kept.',
    COMMENT COLUMN sent 'How many notifications were sent on the channel.',
    COMMENT COLUMN unsubscribed 'How many were left by their users.',
    COMMENT COLUMN complained 'How many were called spam.',
    COMMENT COLUMN unsubscribe_rate 'unsubscribed / sent.',
    COMMENT COLUMN complaint_rate 'complained / sent.';

ALTER TABLE opt_outs_by_means {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) on which they left.',
    COMMENT COLUMN category 'What they left; empty for all.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN means 'one click, provider, reply, page, api or producer.',
    COMMENT COLUMN users 'How many users.';

ALTER TABLE outcomes {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN decided 'How many were decided about.',
    COMMENT COLUMN told 'How many went out on any channel, by themselves or in a digest.',
    COMMENT COLUMN under_way 'How many were handed over and have come to no end.',
    COMMENT COLUMN held 'How many wait to be decided again.',
    COMMENT COLUMN failed 'How many were given up.',
    COMMENT COLUMN not_told 'How many were told nowhere and wait for nothing.';

ALTER TABLE provider_health {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN taken 'Calls that were taken.',
    COMMENT COLUMN put_off 'Calls that failed for now.',
    COMMENT COLUMN given_up 'Calls that failed for good.',
    COMMENT COLUMN bounced 'Messages that bounced later.',
    COMMENT COLUMN reasons 'All reasons that stood against it.',
    COMMENT COLUMN undelivered 'Messages that were taken and reported undelivered later.',
    COMMENT COLUMN trouble 'The share of calls that failed.';

ALTER TABLE retention {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN holdout 'The name of the holdout.',
    COMMENT COLUMN after 'Days after the first domain event: 1, 7, 14 or 30.',
    COMMENT COLUMN told 'How many users were told.',
    COMMENT COLUMN told_back 'How many of the told were still there.',
    COMMENT COLUMN held_out 'How many users were held out.',
    COMMENT COLUMN held_out_back 'How many of the held out were still there.',
    COMMENT COLUMN told_retention 'told_back / told.',
    COMMENT COLUMN held_out_retention 'held_out_back / held_out.';

ALTER TABLE sends_per_user {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN notifications 'How many notifications.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN unsubscribed 'How many were left by their users.',
    COMMENT COLUMN complained 'How many were called spam.';

ALTER TABLE slo_budget {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN week 'The Monday of the week.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN late 'How many took longer than the target of their priority.',
    COMMENT COLUMN left 'The share that is left; below 0 it is overspent.';

ALTER TABLE slo_burn {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN late 'How many took longer than the target of their priority.',
    COMMENT COLUMN burn 'At 1 it lasts as long as it should, at 10 a tenth of that.';

ALTER TABLE sms_cost {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN messages 'How many messages.',
    COMMENT COLUMN segments 'Of an SMS, how many segments were sent.',
    COMMENT COLUMN cost 'What it cost by the prices in the settings, in their currency.';

ALTER TABLE suppression_history {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN at 'When this stage was reached, in milliseconds (UTC).',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN detail 'More about the reason, in words for people.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.';

ALTER TABLE time_to_open {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN opened 'How many were opened by people; a click is an open.',
    COMMENT COLUMN p50_p90_p99 'Percentiles in seconds.';

ALTER TABLE unfinished {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN delivery_id 'The message: a notification to one address of a channel. 32 hex digits.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN queued 'When it was first heard of (UTC).',
    COMMENT COLUMN last_heard 'When something last happened to it (UTC).',
    COMMENT COLUMN last_stage 'What that was.',
    COMMENT COLUMN last_reason 'For which reason.';

ALTER TABLE user_day {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN user 'The user, by the id that producers give.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN at 'When this stage was reached, in milliseconds (UTC).',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN detail 'More about the reason, in words for people.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN notification_id 'The notification: one event for one user by one type. 32 hex digits.',
    COMMENT COLUMN event_id 'The id of the domain event.';

ALTER TABLE week_over_week {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN week 'The Monday of the week.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN sent 'How many were sent in the week.',
    COMMENT COLUMN week_before 'How many in the week before.',
    COMMENT COLUMN change 'By what share it grew.';

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
    COMMENT COLUMN opened 'When it was opened (UTC), or NULL.',
    COMMENT COLUMN clicked 'When it was clicked (UTC), or NULL.',
    COMMENT COLUMN bounced 'When it was bounced (UTC), or NULL.',
    COMMENT COLUMN digest 'The digest that it is, or that its event was told in.';

ALTER TABLE why_not_on_channel {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN messages 'How many messages.';

ALTER TABLE why_not_told {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN reasons 'All reasons that stood against it.',
    COMMENT COLUMN notifications 'How many notifications.';
