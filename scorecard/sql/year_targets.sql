-- Monthly targets of a unit that holds none itself: those of the highest units below it that do, summed, and their mean.
-- Recursion over the tree in one statement: a target counts where no unit between has one for the same month.
SELECT t.month, sum(t.value)::float8 AS total, avg(t.value)::float8 AS mean, avg(t.low)::float8 AS low,
       avg(t.high)::float8 AS high
FROM indicators_target t
JOIN units_unit u ON u.id = t.unit_id
WHERE t.indicator_id = %(indicator)s AND t.month = ANY(%(months)s)
    AND (t.value IS NOT NULL OR t.low IS NOT NULL OR t.high IS NOT NULL)
    AND u.path @> ARRAY[%(unit)s]::integer[]
    AND NOT EXISTS (
        SELECT 1 FROM indicators_target a
        WHERE a.month = t.month AND a.indicator_id = t.indicator_id AND a.unit_id <> t.unit_id
            AND (a.value IS NOT NULL OR a.low IS NOT NULL OR a.high IS NOT NULL)
            AND a.unit_id = ANY(u.path[array_position(u.path, %(unit)s::integer):]))
GROUP BY t.month
