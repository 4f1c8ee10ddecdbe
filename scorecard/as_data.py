"""A card as data: what the page shows, by name."""

from __future__ import annotations

import math
from typing import Any

from scorecard import wording
from scorecard.reading import Child, Line, Objective, Reading, Span


def number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _span(span: Span) -> dict[str, Any]:
    return {
        "value": number(span.value),
        "target": number(span.target),
        "high": number(span.high),
        "attainment": number(span.attainment),
        "light": span.band.name,
        "provisional": span.band.provisional,
        "chance": span.band.chance,
    }


def _line(line: Line) -> dict[str, Any]:
    about = line.about
    return {
        "code": about["code"],
        "number": about["number"],
        "name": line.name,
        "unit_of_measure": line.unit_of_measure,
        "weight": about["weight"],
        "light_by": "month" if line.is_by_month else "to_date",
        "month": _span(line.month),
        "to_date": _span(line.to_date),
        "months": [line.months_reported, line.months_due],
        "reported": line.reported,
        "due": line.due,
        "history": [number(value) for value in line.values],
    }


def _objective(objective: Objective) -> dict[str, Any]:
    return {
        "number": objective.about["number"],
        "name": wording.objective_name(objective.about),
        "weight": objective.about["weight"],
        "score": number(objective.score),
        "light": objective.band.name,
        "lines": [line.about["code"] for line in objective.lines],
    }


def card_data(reading: Reading) -> dict[str, Any]:
    """The card and what colours the map of the units below."""
    return {**card_alone(reading), "children": map_data(reading)["children"]}


def card_alone(reading: Reading) -> dict[str, Any]:
    own, structure = reading.own, reading.structure
    return {
        "unit": {"code": reading.unit.code, "name": reading.unit.local_name},
        "month": f"{reading.month:%Y-%m}",
        "made_by": {"recipe": own.recipe_id, "plan": structure["plan_version"], "rules": structure["rules"]},
        "light": reading.band.name,
        "red_below": reading.band.red_below,
        "provisional": own.is_provisional,
        "score": number(own.score),
        "score_if_missing": [number(own.score_low), number(own.score_high)],
        "coverage": number(own.coverage),
        "approved": {"score": number(own.approved_score), "coverage": number(own.approved_coverage)},
        "objectives": [_objective(objective) for objective in reading.objectives],
        "lines": [_line(line) for line in reading.lines],
    }


def children_data(reading: Reading) -> dict[str, Any]:
    """The units below, worst first, in the light of their score or of the chosen indicator."""
    return {
        "unit": reading.unit.code,
        "month": f"{reading.month:%Y-%m}",
        "by": reading.by,
        "children": [_child(child) for child in reading.children],
    }


def _child(child: Child) -> dict[str, Any]:
    span = child.span
    return {
        "unit": {"code": child.code, "name": child.name},
        "light": child.band.name,
        "provisional": child.band.provisional,
        "score": number(child.score),
        "coverage": number(child.row.coverage),
        "value": None if span is None else number(span.value),
        "target": None if span is None else number(span.target),
        "attainment": None if span is None else number(span.attainment),
    }


def map_data(reading: Reading) -> dict[str, Any]:
    columns = ["code", "name", "light", "provisional", "figure", "attainment"]
    rows = [
        [
            child.code,
            child.name,
            child.band.name,
            child.band.provisional,
            number(child.score if child.span is None else child.span.value),
            number(child.score if child.span is None else child.span.attainment),
        ]
        for child in reading.children
    ]
    return {
        "unit": reading.unit.code,
        "month": f"{reading.month:%Y-%m}",
        "by": reading.by,
        "boundaries": reading.cards.boundaries_version,
        "columns": columns,
        "children": rows,
    }
