-- One indicator of one unit over the months of a chart: one element of each card's arrays, whose place is %(n)s (from 1).
SELECT c.month, c.value[%(n)s] AS value, c.target[%(n)s] AS target, c.high[%(n)s] AS high,
       c.attainment[%(n)s] AS attainment, c.marks[%(n)s] AS marks,
       c.to_date_value[%(n)s] AS to_date_value, c.to_date_target[%(n)s] AS to_date_target,
       c.to_date_high[%(n)s] AS to_date_high, c.to_date_attainment[%(n)s] AS to_date_attainment,
       c.to_date_marks[%(n)s] AS to_date_marks, c.to_date_months[%(n)s] AS to_date_months,
       c.reported[%(n)s] AS reported, c.due[%(n)s] AS due
FROM scorecard_card c
WHERE c.unit_id = %(unit)s AND c.month = ANY(%(months)s)
ORDER BY c.month
