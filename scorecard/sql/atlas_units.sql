-- Units so many steps below a unit in the tree of a month, with their names, places and boundaries' versions.
-- The tree is that of the cards, so that what is drawn is what was scored; recursive, as steps are few and differ by institution.
WITH RECURSIVE below AS (
    SELECT c.unit_id, 1 AS steps FROM scorecard_card c WHERE c.month = %(month)s AND c.parent_id = %(unit)s
    UNION ALL
    SELECT c.unit_id, b.steps + 1 FROM below b
    JOIN scorecard_card c ON c.month = %(month)s AND c.parent_id = b.unit_id
    WHERE b.steps < %(most)s
)
SELECT b.steps, b.unit_id, u.code, u.name, u.name_en, u.path, t.level, t.is_delimited,
       line.id || '.' || line.xmin::text || line.ctid::text AS boundary, line.is_schematic
FROM below b
JOIN units_unit u ON u.id = b.unit_id
LEFT JOIN units_unitperiod p ON p.unit_id = b.unit_id AND p.from_month <= %(month)s
    AND (p.to_month IS NULL OR p.to_month > %(month)s)
LEFT JOIN units_territory t ON t.id = p.territory_id
LEFT JOIN units_boundary line ON line.territory_id = t.id AND line.valid_from <= %(month)s
    AND (line.valid_to IS NULL OR line.valid_to > %(month)s)
ORDER BY b.steps, u.code
