-- What colours a map through the months: of each month the units and, in their order, their scores or one element of their
-- cards' arrays, whose place is %(n)s (from 1). Arrays a month, because a district map of ten years has 17,000 cells.
SELECT c.month, array_agg(c.unit_id) AS units,
       array_agg(c.score) AS score,
       array_agg((c.light + CASE WHEN c.is_provisional THEN 8 ELSE 0 END + CASE WHEN c.has_red THEN 16 ELSE 0 END
                  + CASE WHEN c.coverage = 'NaN' THEN 0 ELSE 32 END)::int2) AS card,
       array_agg(COALESCE(c.value[%(n)s], 'NaN')) AS value, array_agg(COALESCE(c.marks[%(n)s], 0::int2)) AS marks,
       array_agg(COALESCE(c.to_date_value[%(n)s], 'NaN')) AS to_date_value,
       array_agg(COALESCE(c.to_date_marks[%(n)s], 0::int2)) AS to_date_marks
FROM scorecard_card c
WHERE c.month = ANY(%(months)s) AND c.unit_id = ANY(%(units)s)
GROUP BY c.month
ORDER BY c.month
