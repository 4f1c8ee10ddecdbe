-- Monthly targets of a year that the units of one place hold themselves, each of its own institution's indicators.
SELECT i.code, t.month, t.value, t.low, t.high
FROM indicators_target t
JOIN indicators_indicator i ON i.id = t.indicator_id
JOIN units_unit u ON u.id = t.unit_id AND u.institution_id = i.institution_id
WHERE t.month = ANY(%(months)s) AND (t.value IS NOT NULL OR t.low IS NOT NULL OR t.high IS NOT NULL)
    AND t.indicator_id = ANY(ARRAY(SELECT id FROM indicators_indicator WHERE code = ANY(%(codes)s)))
    AND t.unit_id = ANY(ARRAY(SELECT id FROM units_unit WHERE id = %(unit)s OR territory_id = %(territory)s))
