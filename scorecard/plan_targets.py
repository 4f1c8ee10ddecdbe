"""Whether the lines of a plan have their targets and baselines: the figures at a plan's head, and its gate."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.db import connection

from indicators.models import SheetVersion, Target
from indicators.months import is_measured, months_of_year
from units.access import ROOT
from units.models import Unit

# Units of which an indicator is due in each month of a year, and how many of them have a target. One statement, because
# a national year is a million targets. Read only for lines that have no targets at the head of their institution.
DUE = """
SELECT a.indicator_id, m.month::date, count(*), count(t.unit_id)
FROM indicators_assignment a
CROSS JOIN generate_series(%(first)s::date, %(last)s::date, interval '1 month') AS m(month)
JOIN units_unitperiod p ON p.unit_id = a.unit_id AND p.from_month <= m.month
     AND (p.to_month IS NULL OR p.to_month > m.month)
LEFT JOIN indicators_target t ON t.month = m.month::date AND t.indicator_id = a.indicator_id AND t.unit_id = a.unit_id
     AND t.month BETWEEN %(first)s AND %(last)s AND coalesce(t.value, t.low, t.high) IS NOT NULL
WHERE a.indicator_id = ANY(%(indicators)s) AND a.from_month <= m.month AND (a.to_month IS NULL OR a.to_month > m.month)
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class LineState:
    """What a line has: the sheet at the year's end, months without a target, and its baseline or why there is none."""

    sheet: SheetVersion | None
    missing: tuple[date, ...]
    has_baseline: bool
    baseline_reason: str

    @property
    def is_closed(self) -> bool:
        """Every month that is measured has a target."""
        return self.sheet is not None and not self.missing


def line_states(plan, lines) -> dict[int, LineState]:
    """The state of each line by its id. A month has a target where the head of the indicator's institution has one, or
    every unit of which the indicator is due."""
    indicators = {line.indicator_id: line.indicator.institution_id for line in lines}
    months = months_of_year(plan.year)
    sheets = _sheets(indicators, months)
    targeted, baselines = _at_the_head(indicators, months)
    measured = {i: [m for m, sheet in sheets[i].items() if is_measured(m, sheet.frequency)] for i in indicators}
    open_ones = [i for i in indicators if set(measured[i]) - targeted[i]]
    complete = _complete_below(open_ones, months)
    found = {}
    for line in lines:
        held = sheets[line.indicator_id]
        sheet = held[max(held)] if held else None
        have = targeted[line.indicator_id] | complete[line.indicator_id]
        missing = tuple(m for m in measured[line.indicator_id] if m not in have)
        has_baseline = line.indicator_id in baselines or (sheet is not None and sheet.baseline_value is not None)
        reason = line.no_baseline_because or (sheet.baseline_none_because if sheet else "")
        found[line.pk] = LineState(sheet, missing, has_baseline, reason)
    return found


def _sheets(indicators, months):
    """{indicator: {month: version in force}}."""
    versions = SheetVersion.objects.filter(indicator__in=indicators).overlapping(
        months[0], date(months[0].year + 1, 1, 1)
    )
    found = {indicator: {} for indicator in indicators}
    for version in versions:
        for month in months:
            if version.valid_from <= month and (version.valid_to is None or month < version.valid_to):
                found[version.indicator_id][month] = version
    return found


def _at_the_head(indicators, months):
    """Months with a target at the root unit of the indicator's institution; indicators with a baseline there."""
    roots = dict(
        Unit.objects.filter(ROOT, institution__in=set(indicators.values())).values_list("pk", "institution_id")
    )
    targeted, baselines = defaultdict(set), set()
    rows = Target.objects.filter(month__in=months, indicator__in=indicators, unit__in=roots)
    for target in rows:
        if roots[target.unit_id] != indicators[target.indicator_id]:
            continue
        if any(value is not None for value in (target.value, target.low, target.high)):
            targeted[target.indicator_id].add(target.month)
        if target.baseline is not None:
            baselines.add(target.indicator_id)
    return targeted, baselines


def _complete_below(indicators, months):
    """{indicator: months in which every unit that it is due of has a target}."""
    complete = defaultdict(set)
    if not indicators:
        return complete
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"first": months[0], "last": months[-1], "indicators": list(indicators)})
        for indicator, month, due, targeted in cursor.fetchall():
            if due == targeted:
                complete[indicator].add(month)
    return complete
