-- Figures of a unit and of its siblings in its institution, month by month: elements %(low)s to %(high)s (from 1) of each
-- card's values. A forecast borrows from siblings; one statement, because a district has twenty of them and five years.
SELECT c.unit_id, c.month, c.value[%(low)s:%(high)s] AS value
FROM scorecard_card c
WHERE c.month = ANY(%(months)s) AND c.unit_id = ANY(ARRAY(
    SELECT s.id FROM units_unit u JOIN units_unit s ON s.institution_id = u.institution_id
    AND (s.id = u.id OR s.parent_id = u.parent_id) WHERE u.id = %(unit)s))
