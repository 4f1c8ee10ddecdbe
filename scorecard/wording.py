"""What a scorecard page says in words: the answer sentence, its lines and its method, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from indicators.codes import LightBy
from scorecard import components
from scorecard.components import IndicatorLine, ObjectiveLine
from scorecard.context import simulated_note
from scorecard.html import BAND_WORDS, band_words, current_language
from scorecard.reading import OVERALL, Child, Line, Objective, Reading, Span, last_year, local, same_month_last_year

NOT_GREEN = ("red", "amber")
WHOLE = 0.9995  # a coverage that prints as 100 %


def month_name(month: date) -> str:
    return date_format(month, "YEAR_MONTH_FORMAT")


def short_month(month: date) -> str:
    return date_format(month, pgettext("form of a short month", "M Y"))


# Addresses -----------------------------------------------------------------------------------------------------------


def scorecard_href(code: str, month: date, by: str = OVERALL) -> str:
    chosen = "" if by == OVERALL else f"&by={by}"
    return f"/units/{code}/?month={month:%Y-%m}{chosen}"


def indicator_href(unit: str, indicator: str, month: date) -> str:
    return f"/units/{unit}/indicators/{indicator}/?month={month:%Y-%m}"


# Figures -------------------------------------------------------------------------------------------------------------


def percent(value: float, decimals: int = 0) -> str:
    return components.percent(value, decimals, current_language())


def number(value: float, decimals: int | None = None) -> str:
    return components.number(value, decimals, current_language())


def signed(value: float, decimals: int | None = None) -> str:
    """A difference with its sign."""
    return components.number(value, decimals, current_language(), sign=True)


PERCENT = "%"  # as a unit of measure: what differs between two of these is percentage points, not per cent of either


def difference_unit(unit_of_measure: str) -> str:
    """What a difference of two figures of this unit of measure is told in."""
    return _("percentage points") if unit_of_measure == PERCENT else unit_of_measure


def changed(now: float, before: float, unit_of_measure: str, *, is_count: bool) -> str:
    """Change with its sign: per cent of the base, of few events their number, of percentages points; "" if missing."""
    if unit_of_measure != PERCENT or math.isnan(now) or math.isnan(before):
        return components.change(now, before, current_language(), is_count=is_count)
    return _("%(change)s points") % {"change": signed(now - before, 1)}


def why_href(unit: str, indicator: str, month: date) -> str:
    """Where a light that is not green is explained."""
    return f"/why/{unit}/{indicator}/?month={month:%Y-%m}"


def target_of(span: Span, decimals: int, *, is_range: bool) -> float | str:
    """A target as it is shown: a figure, or a range, which may be open at one end."""
    if not is_range:
        return span.target
    low, high = number(span.target, decimals), number(span.high, decimals)
    if low and high:
        return f"{low}–{high}"
    return f"≥ {low}" if low else f"≤ {high}" if high else ""


def months_words(reported: int, due: int) -> str:
    """How many months the year to date holds: never a part taken for the whole."""
    return _("%(n)s of %(of)s months") % {"n": reported, "of": due}


def driver_words(light_by: int | bool) -> str:
    return _("month") if light_by is True or light_by == LightBy.MONTH else _("year to date")


def light_words(span: Span) -> str:
    return band_words(span.band)


# Lines ---------------------------------------------------------------------------------------------------------------


def component_lines(
    reading: Reading, noted: Mapping[str, Any] | None = None, parts: Mapping[str, float] | None = None
) -> list[ObjectiveLine]:
    """The objectives and their lines as the scorecard component draws them.

    noted: changes by code; parts: of last year's month what the change is against, by code (see chance).
    """
    return [_objective(objective, reading, noted or {}, parts or {}) for objective in reading.objectives]


def objective_name(about: dict) -> str:
    """Increase or reduce something by means of something."""
    said = {"what": local(about, "what"), "means": local(about, "means")}
    if about["verb"] == "reduce":
        return _("Reduce %(what)s by means of %(means)s") % said
    return _("Increase %(what)s by means of %(means)s") % said


def _objective(
    objective: Objective, reading: Reading, noted: Mapping[str, Any], parts: Mapping[str, float]
) -> ObjectiveLine:
    about = objective.about
    return ObjectiveLine(
        name=objective_name(about),
        code=about["number"],
        weight=about["weight"],
        score=objective.score,
        marks=objective.band,
        lines=[
            component_line(line, reading, noted.get(line.about["code"]), parts.get(line.about["code"], 1.0))
            for line in objective.lines
        ],
    )


def component_line(line: Line, reading: Reading, noted: Any = None, part: float = 1.0) -> IndicatorLine:
    about, month = line.about, line.month
    worst = reading.units.get(line.worst_id) if len(reading.children) != 1 else None
    decimals, is_range = about["decimals"], line.is_range
    now, before = same_month_last_year(line)
    before = part_of_base(before, part, is_count=about["is_count"])
    has_to_date = line.to_date.is_due
    return IndicatorLine(
        name=line.name,
        href=indicator_href(reading.unit.code, about["code"], reading.month),
        code=about["number"],
        unit=line.unit_of_measure,
        decimals=decimals,
        value=month.value,
        target=target_of(month, decimals, is_range=is_range),
        attainment=line.shown_attainment,
        marks=line.driving.marks,
        light_note=driver_words(line.is_by_month) if line.driving.is_due else "",
        month_marks=None if line.is_by_month or not month.is_due else month.marks,
        to_date_marks=line.to_date.marks if line.is_by_month and has_to_date else None,
        spark=line.values[1:],
        spark_target=line.targets[1:],
        to_date=line.to_date.value if has_to_date else None,
        to_date_target=target_of(line.to_date, decimals, is_range=is_range) if has_to_date else None,
        to_date_note=months_words(line.months_reported, line.months_due) if has_to_date else "",
        change=changed(now, before, about["unit_of_measure"], is_count=about["is_count"]),
        change_note=noted.words if noted else "",
        is_chance=bool(noted) and not noted.is_distinct,
        coverage=100 * line.reported / line.due if line.due else None,
        coverage_note=_("%(n)s of %(of)s figures") % {"n": line.reported, "of": line.due},
        worst_name=worst[1] if worst else "",
        worst_href=scorecard_href(worst[0], reading.month, about["code"]) if worst and worst[2] else "",
        why_href=why_href(reading.unit.code, about["code"], reading.month)
        if line.driving.band.name in NOT_GREEN
        else "",
    )


def part_of_base(before: float, part: float, *, is_count: bool) -> float:
    """Last year's figure, or the part of it that a month which still runs is held against: of a count whole events."""
    before = before * part
    return float(round(before)) if is_count and part != 1 and not math.isnan(before) else before


def change_base(reading: Reading, *, is_part: bool = False) -> str:
    """What the change is against; is_part: as much of that month as is over of this one."""
    text = _("vs the same part of %(month)s") if is_part else _("vs %(month)s")
    return text % {"month": short_month(last_year(reading.month))}


# Sentences -----------------------------------------------------------------------------------------------------------


def answer(reading: Reading) -> str:
    """The page in one sentence: how the unit does, on how much of what is due, and what pulls it down most."""
    said = {"unit": reading.unit.local_name, "month": month_name(reading.month)}
    if not reading.lines:
        return _("%(unit)s has figures for %(month)s, and no plan to hold them against.") % said
    if not reading.is_scored:
        return _unscored(reading, said)
    said |= {
        "score": number(reading.own.score, 1),
        "light": str(BAND_WORDS[reading.band.name]),
        "coverage": percent(100 * reading.own.coverage),
    }
    if reading.own.coverage < WHOLE:
        first = _("%(unit)s reaches %(score)s of 100 in %(month)s: %(light)s, on %(coverage)s of its weight.") % said
    else:
        first = _("%(unit)s reaches %(score)s of 100 in %(month)s: %(light)s.") % said
    return f"{first} {worst_words(reading)}".strip()


def _unscored(reading: Reading, said: dict) -> str:
    name = reading.band.name
    if name == "withheld":
        said["coverage"] = percent(100 * reading.own.coverage)
        text = _("No overall light for %(unit)s in %(month)s: %(coverage)s of its weight is in, 60 %% is needed.")
        return text % said
    if name == "not_applicable":
        return _("Nothing is due of %(unit)s in %(month)s.") % said
    return _("Nothing that is due of %(unit)s in %(month)s has come in yet.") % said


def worst_words(reading: Reading) -> str:
    """What pulls the unit down most, and where; nothing where all is on target."""
    line = reading.worst
    if line is None or line.driving.band.name == "green":
        return ""
    worst = reading.units.get(line.worst_id)
    said = {"indicator": line.name, "attained": number(line.shown_attainment, 0), "where": worst[1] if worst else ""}
    if math.isnan(line.shown_attainment):
        return (
            _("Weakest: %(indicator)s, above all in %(where)s.") % said
            if worst
            else _("Weakest: %(indicator)s.") % said
        )
    if worst:
        return _("Weakest: %(indicator)s, %(attained)s %% attained, above all in %(where)s.") % said
    return _("Weakest: %(indicator)s, %(attained)s %% attained.") % said


def counts_words(reading: Reading) -> str:
    """How many lines stand in each light."""
    return ", ".join(f"{count} {BAND_WORDS[band]}" for band, count in reading.lights)


def children_words(reading: Reading) -> str:
    """How many of the units below are red."""
    red = sum(child.band.name == "red" for child in reading.children)
    of = len(reading.children)
    if not of:
        return _("No units below: the map shows its own place.")
    said = {"red": red, "of": of}
    return (
        ngettext("%(red)s of %(of)s unit below is off target.", "%(red)s of %(of)s units below are off target.", of)
        % said
    )


def by_words(reading: Reading) -> str:
    """What colours the map."""
    return local(reading.chosen, "name") if reading.chosen else _("Overall score")


def child_figure(child: Child, reading: Reading) -> str:
    """The figure of a child on the map, as printed."""
    if child.span is None:
        return number(child.score, 1)
    shown = number(child.span.value, reading.chosen["decimals"])
    unit = local(reading.chosen, "unit_of_measure")
    return f"{shown} {unit}" if shown else ""


def class_words(least: Sequence[float], n: int, decimals: int) -> str:
    """The nth class of a choropleth, from 1, by its bounds."""
    said = [number(value, decimals) for value in least[n - 1 : n + 1]]
    if len(said) == 1:
        return _("%(least)s or more") % {"least": said[0]}
    return _("%(least)s to less than %(next)s") % {"least": said[0], "next": said[1]}


# Method --------------------------------------------------------------------------------------------------------------


def method(reading: Reading) -> list[tuple[str, str]]:
    """By what the page was made: plan, rules, thresholds, weights, and the recipe that freezes them."""
    structure = reading.structure
    items = []
    if structure.get("plan"):
        said = {"year": structure["year"], "version": structure["plan_version"]}
        plan = _("%(year)s, version %(version)s") % said
        items.append((_("Plan"), f"{plan} ({_('approved') if structure['plan_status'] == 'approved' else _('draft')})"))
    items += [
        (_("Rules"), _("version %(version)s") % {"version": structure.get("rules", "")}),
        (_("Lights"), _("green from 95.0, amber from 85.0, red below; withheld under 60 %% of what is due") % {}),
        (
            _("Score"),
            _("weighted mean of what is evaluated, each line from 0 to 100; weights of siblings add up to 100"),
        ),
        (_("Light of a line"), _("the year to date or the month, as its sheet says, and as is printed beside it")),
        (_("Recipe"), str(reading.own.recipe_id)),
    ]
    return items


def notes(reading: Reading, shows: str = "") -> list[tuple[str, str]]:
    """What a file of this page says of itself: unit, month, choice, method."""
    unit = reading.unit
    found = [
        (_("Unit"), f"{unit.code} {unit.local_name}"),
        (_("Institution"), str(unit.institution)),
        (_("Month"), f"{reading.month:%Y-%m}"),
    ]
    if shows:
        found.append((_("Shown"), shows))
    found += [(label, text) for label, text in method(reading)]
    if reading.is_simulated:
        found.append(simulated_note())
    return found
