-- What telling brings: of those who were told and of those who were held out, the share that reached
-- the goal, by when they were first to be told. Whether the difference is more than chance is told by
-- `tocsin experiment TYPE --metric goal`.
SELECT
    type, holdout,
    countIf(grouped = 'told') AS told,
    countIf(grouped = 'told' AND reached) AS told_reached,
    countIf(grouped = 'held_out') AS held_out,
    countIf(grouped = 'held_out' AND reached) AS held_out_reached,
    if(
        told = 0 OR held_out = 0, NULL,
        round(told_reached / told - held_out_reached / held_out, 6)
    ) AS lift
FROM goal_results
WHERE {tenant} AND {type} AND began >= {from} AND began < {to}
GROUP BY type, holdout
ORDER BY told DESC, type, holdout
LIMIT 20
