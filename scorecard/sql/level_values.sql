-- Figures of a unit and of the units of its level, month by month: elements %(low)s to %(high)s (from 1) of each card's
-- values, and element %(to_date)s of those to date (0 for none). A forecast borrows from all of the level in the
-- institution or, where they are more than %(most)s, in the highest unit above with no more of them. One statement: a
-- district has 140 beside it and six years.
WITH here AS (
    SELECT institution_id, path, cardinality(path) AS depth FROM units_unit WHERE id = %(unit)s
), whose AS (
    SELECT a.at, array_agg(s.id) AS ids
    FROM here h
    CROSS JOIN LATERAL unnest(h.path) WITH ORDINALITY a(id, at)
    JOIN units_unit s ON s.institution_id = h.institution_id AND cardinality(s.path) = h.depth AND s.path[a.at] = a.id
    GROUP BY a.at
    HAVING count(*) <= %(most)s
    ORDER BY a.at
    LIMIT 1
)
SELECT c.unit_id, c.month, c.value[%(low)s:%(high)s] AS value,
       c.to_date_value[%(to_date)s:%(to_date)s] AS to_date
FROM scorecard_card c
WHERE c.month = ANY(%(months)s) AND c.unit_id = ANY((SELECT ids FROM whose)::integer[])
