-- The same work as a refresh, for DuckDB over tables in memory: every cell of the wanted months with its target, state,
-- light and year to date. {scope} limits the figures read (whole years), {wanted} the cells kept.
WITH
leaf AS (SELECT month, k, u, num, den, 1 AS reported FROM figures WHERE {scope}),
{levels},
rolled AS ({rolled}),
valued AS (
    SELECT t.month, t.k, t.u, t.target, r.num, r.den, coalesce(r.reported, 0) AS reported, n.leaves, s.kind,
        CASE s.kind WHEN 1 THEN 1e5 * r.num / n.people WHEN 2 THEN 100 * r.num / nullif(r.den, 0) ELSE r.num END AS value
    FROM (SELECT * FROM targets WHERE {scope}) t
    JOIN units n USING (u) JOIN sheets s USING (k) LEFT JOIN rolled r USING (month, k, u)
),
to_date AS (
    SELECT *,
        CASE kind WHEN 0 THEN total WHEN 1 THEN 1e5 * total / people WHEN 2 THEN 100 * total / nullif(under, 0)
            WHEN 3 THEN last_value WHEN 4 THEN top END AS ytd_value,
        CASE kind WHEN 2 THEN weighed / nullif(under, 0) WHEN 3 THEN last_target WHEN 4 THEN top_target ELSE promised END AS ytd_target
    FROM (
        SELECT v.*, n.people,
            count(value) OVER w AS n_months,
            sum(num) FILTER (value IS NOT NULL) OVER w AS total,
            sum(den) FILTER (value IS NOT NULL) OVER w AS under,
            sum(target) FILTER (value IS NOT NULL) OVER w AS promised,
            sum(target * den) FILTER (value IS NOT NULL) OVER w AS weighed,
            last_value(value IGNORE NULLS) OVER w AS last_value,
            last_value(CASE WHEN value IS NOT NULL THEN target END IGNORE NULLS) OVER w AS last_target,
            max(value) OVER w AS top,
            max(target) FILTER (value IS NOT NULL) OVER w AS top_target
        FROM valued v JOIN units n USING (u)
        WINDOW w AS (PARTITION BY k, u, month // 12 ORDER BY month)
    )
),
scored AS (
    SELECT *,
        {attainment_month} AS attainment,
        {attainment_to_date} AS ytd_attainment
    FROM to_date WHERE {wanted}
)
SELECT month, k, u, value, target, attainment, ytd_value, ytd_target, ytd_attainment, n_months, reported, leaves,
    CASE WHEN value IS NULL THEN 1 WHEN attainment IS NULL THEN 2 ELSE 3 END AS state,
    CASE WHEN attainment IS NULL THEN 0 WHEN reported < 0.6 * leaves THEN 4 WHEN round(attainment, 1) >= 95 THEN 1
        WHEN round(attainment, 1) >= 85 THEN 2 ELSE 3 END AS light,
    CASE WHEN ytd_value IS NULL THEN 1 WHEN ytd_attainment IS NULL THEN 2 ELSE 3 END AS ytd_state,
    CASE WHEN ytd_attainment IS NULL THEN 0 WHEN round(ytd_attainment, 1) >= 95 THEN 1
        WHEN round(ytd_attainment, 1) >= 85 THEN 2 ELSE 3 END AS ytd_light
FROM scored
