-- All that a scorecard page shows, in one question: the unit's cards of a month and of those around it, and its
-- children's cards of the month with their names, places and boundaries' versions.
-- The ORM would make rows of fifteen lists of Python floats; arrays leave here as binary, into NumPy. Months are written
-- out, not sought as a range, so that each is one probe of the key (month, unit). Whole arrays leave the unit's own card
-- alone; of the months before, what a sparkline needs; of children, the chosen indicator, whose place is %(n)s (from 1; 0 for none).
-- A recipe that this process has not read yet comes with the card that it made.
SELECT c.month, c.unit_id, c.is_own, c.digest, c.recipe_id, c.light, c.has_red, c.is_provisional, c.score, c.coverage,
       c.worst_position, c.worst_unit_id, u.code, u.name, u.name_en,
       c.value[%(n)s] AS value_at, c.target[%(n)s] AS target_at, c.high[%(n)s] AS high_at,
       c.attainment[%(n)s] AS attainment_at, c.marks[%(n)s] AS marks_at,
       c.to_date_value[%(n)s] AS to_date_value_at, c.to_date_target[%(n)s] AS to_date_target_at,
       c.to_date_high[%(n)s] AS to_date_high_at, c.to_date_attainment[%(n)s] AS to_date_attainment_at,
       c.to_date_marks[%(n)s] AS to_date_marks_at, c.reported[%(n)s] AS reported_at, c.due[%(n)s] AS due_at,
       place.territory_id, place.is_delimited, place.boundary, place.is_schematic,
       CASE WHEN c.is_own THEN c.value END AS value, CASE WHEN c.is_own THEN c.target END AS target,
       here.*
FROM (
    SELECT *, true AS is_own FROM scorecard_card WHERE unit_id = %(unit)s AND month = ANY(%(months)s)
    UNION ALL
    SELECT *, false FROM scorecard_card WHERE parent_id = %(unit)s AND month = %(month)s
) c
JOIN units_unit u ON u.id = c.unit_id
LEFT JOIN LATERAL (
    SELECT p.territory_id, t.is_delimited, b.id || '.' || b.xmin::text || b.ctid::text AS boundary, b.is_schematic
    FROM units_unitperiod p
    LEFT JOIN units_territory t ON t.id = p.territory_id
    LEFT JOIN units_boundary b ON b.territory_id = t.id AND b.valid_from <= c.month
        AND (b.valid_to IS NULL OR b.valid_to > c.month)
    WHERE c.month = %(month)s AND p.unit_id = c.unit_id AND p.from_month <= c.month
        AND (p.to_month IS NULL OR p.to_month > c.month)
) place ON true
LEFT JOIN LATERAL (
    SELECT c.score_low, c.score_high, c.approved_score, c.approved_coverage, c.objective_score, c.high, c.attainment,
           c.marks, c.to_date_value, c.to_date_target, c.to_date_high, c.to_date_attainment, c.to_date_marks,
           c.to_date_months, c.reported, c.due, c.worst_child, c.approved_attainment, c.approved_marks,
           CASE WHEN c.recipe_id <> ALL(%(known)s)
                THEN (SELECT r.structure FROM scorecard_recipe r WHERE r.id = c.recipe_id) END AS structure,
           (SELECT jsonb_object_agg(w.id, jsonb_build_array(w.code, w.name, w.name_en, w.path))
            FROM units_unit w WHERE w.id = ANY(c.worst_child) AND w.parent_id IS DISTINCT FROM c.unit_id) AS elsewhere,
           EXISTS (SELECT FROM indicators_batch s WHERE s.is_simulated) AS is_simulated
    WHERE c.is_own AND c.month = %(month)s
) here ON true
ORDER BY c.is_own DESC, c.month, u.code
