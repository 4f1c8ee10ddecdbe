"""A plan as the workbook in which it comes in."""

from collections import defaultdict
from datetime import date

from django.utils.translation import gettext as _

from indicators.models import Indicator, SheetVersion, Target
from indicators.months import months_of_year
from scorecard import plan_workbook as book
from scorecard import plans
from scorecard.plan_import import MEASURES, SHEET_FIELDS
from units.access import root_of

TARGETS_WRITTEN = 50_000  # rows of targets in a workbook; a larger plan's has those of the head of the institution


def workbook_of(plan) -> bytes:
    """A plan as the workbook in which it comes in: taken in again, it changes nothing."""
    outline = plans.outline(plan)
    nodes = [node for node in outline.root.walk() if node.objective]
    lines = [(node.number, item.line) for node in nodes for item in node.lines]
    targets, notes = _targets(plan)
    parts = {
        "plan": [{"institution": plan.institution.code, "year": plan.year}],
        "objectives": [_objective(node) for node in nodes],
        "lines": [_line(number, line) for number, line in lines],
        "sheets": _sheets(plan),
        "targets": targets,
    }
    return book.write(parts, notes)


def _objective(node):
    objective = node.objective
    said = {name: getattr(objective, name) for name in ("verb", "what", "what_en", "means", "means_en", "weight")}
    view = objective.perspective
    names = {"perspective": view.name, "perspective_en": view.name_en} if view else {}
    return {"number": node.number, **said, **names}


def _line(number, line):
    said = {name: getattr(line, name) for name in ("weight", "no_target_because", "no_baseline_because")}
    return {"objective": number, "indicator": line.indicator.code, **said}


def _sheets(plan):
    """The sheets in force at the year's end of the institution's own indicators in the plan."""
    own = Indicator.objects.filter(institution=plan.institution, plan_lines__plan=plan)
    held = SheetVersion.objects.in_month(date(plan.year, 12, 1)).filter(indicator__in=own)
    found = []
    for sheet in held.select_related("indicator", "responsible", "approver").order_by("indicator__code"):
        said = {name: getattr(sheet, name) for name in SHEET_FIELDS}
        for name in ("responsible", "approver"):
            said[name] = said[name].username if said[name] else None
        found.append({"indicator": sheet.indicator.code, "valid_from": sheet.valid_from, **said})
    return found


def _targets(plan):
    """(rows, notes) of the targets of the plan's own indicators."""
    own = list(Indicator.objects.filter(institution=plan.institution, plan_lines__plan=plan))
    rows = Target.objects.filter(month__in=months_of_year(plan.year), indicator__in=own)
    notes = []
    if rows.count() > TARGETS_WRITTEN * 12:
        rows = rows.filter(unit=root_of(plan.institution))
        notes = [_("Targets of the head of the institution alone are written here: those of all units are too many.")]
    found = defaultdict(dict)
    for row in rows.select_related("indicator", "unit").order_by("indicator__code", "unit__code"):
        for measure, part in MEASURES.items():
            if (value := getattr(row, part)) is not None:
                key = (row.indicator.code, row.unit.code, measure)
                found[key][f"m{row.month.month:02}"] = value
    said = [dict(zip(("indicator", "unit", "measure"), key, strict=True)) | months for key, months in found.items()]
    return said, notes
