-- Of those who were told of a type and of those who were held out of it, how many were still there so
-- many days later, by when they were first to be told. Only goals count, as who is told can open what
-- others never get; who was not there for so long yet is not counted.
SELECT
    type, holdout, after AS days,
    countIf(r.grouped = 'told') AS told,
    countIf(r.grouped = 'told' AND r.is_back) AS told_back,
    countIf(r.grouped = 'held_out') AS held_out,
    countIf(r.grouped = 'held_out' AND r.is_back) AS held_out_back,
    if(told = 0, NULL, round(told_back / told, 4)) AS told_retention,
    if(held_out = 0, NULL, round(held_out_back / held_out, 4)) AS held_out_retention
FROM
(
    SELECT
        g.type AS type, g.holdout AS holdout, g.grouped AS grouped, g.began AS began,
        arrayJoin([1, 7, 14, 30]) AS after, a.last >= g.began + toIntervalDay(after) AS is_back
    FROM
    (
        SELECT tenant, type, holdout, grouped, user, began
        FROM goal_results
        WHERE {tenant} AND {type} AND began >= {from} AND began < {to}
    ) AS g
    LEFT JOIN
    (
        SELECT user, max(occurred_at) AS last
        FROM delivery_events
        WHERE {tenant} AND stage = 'goal'
        GROUP BY user
    ) AS a USING (user)
) AS r
WHERE began + toIntervalDay(after) <= now()
GROUP BY type, holdout, days
ORDER BY type, holdout, days
LIMIT 80
