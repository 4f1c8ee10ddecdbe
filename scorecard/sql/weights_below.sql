-- What each unit right below weighs in a rate: the denominators reported in it and below it, each month by that month's tree.
-- A recursion the ORM cannot say; of all months at once, so that a year to date is one question.
WITH RECURSIVE held(month, unit_id, child) AS (
    SELECT m.month, p.unit_id, p.unit_id
    FROM unnest(%(months)s::date[]) m(month)
    JOIN units_unitperiod p ON p.parent_id = %(unit)s AND p.from_month <= m.month
        AND (p.to_month IS NULL OR p.to_month > m.month)
    UNION ALL
    SELECT h.month, p.unit_id, h.child
    FROM held h
    JOIN units_unitperiod p ON p.parent_id = h.unit_id AND p.from_month <= h.month
        AND (p.to_month IS NULL OR p.to_month > h.month)
)
SELECT h.child, sum(f.denominator)::float8 AS weight
FROM held h
JOIN indicators_measurement f ON f.month = h.month AND f.indicator_id = %(indicator)s AND f.unit_id = h.unit_id
WHERE f.state = 1 AND f.numerator IS NOT NULL AND f.denominator IS NOT NULL
GROUP BY h.child
