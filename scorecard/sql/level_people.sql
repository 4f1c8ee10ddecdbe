-- People of the year in the territories of some units: a territory's own figure, else the sum of those right below it.
SELECT u.id AS unit_id, y.year, coalesce(own.people, below.people)::float8 AS people
FROM units_unit u
CROSS JOIN unnest(%(years)s::integer[]) y(year)
LEFT JOIN units_population own ON own.territory_id = u.territory_id AND own.year = y.year
LEFT JOIN LATERAL (
    SELECT sum(p.people) AS people
    FROM units_territory t JOIN units_population p ON p.territory_id = t.id AND p.year = y.year
    WHERE own.people IS NULL AND t.parent_id = u.territory_id
) below ON true
WHERE u.id = ANY(%(units)s)
