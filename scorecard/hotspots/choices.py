"""What the form of a page of hot spots offers: categories, hours, weekdays, variables and their codes, cells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from incidents.models import Category, Factor, Kind, Variable, VariableCode
from indicators.models import Sensitivity
from scorecard import wording
from scorecard.components import Link
from scorecard.hotspots import words
from scorecard.hotspots.asked import BEST, CELLS, METHODS, Asked, shifted
from scorecard.hotspots.spots import Spots

STRIP_HEIGHT = 36
MOST_CODES = 60
OF_EVENTS = ("/hotspots/", "/incidents/", "/profile/")  # pages that understand the same address
LENGTHS = (1, 3, 12, 24)  # months of a window, offered at a click


class Option(NamedTuple):
    value: Any
    label: str
    is_chosen: bool = False


class Bar(NamedTuple):
    """A month of the strip: where it leads, its words, and its rectangle."""

    href: str
    label: str
    x: int
    y: float
    height: float
    is_shown: bool


def of_form(asked: Asked) -> dict[str, Any]:
    """Lists of options by field."""
    variable, codes = _chosen(asked)
    return {
        "methods": [Option(one, words.METHODS[one], one == asked.method) for one in METHODS],
        "categories": [
            Option(one.code, "\u2003" * depth + one.local_name, one.code == asked.category)
            for depth, one in in_tree(list(Category.objects.order_by("code")))
        ],
        "hours_from": [Option(n, f"{n:02}:00", n == asked.from_hour) for n in range(24)],
        "hours_to": [Option(n, f"{n:02}:00", n == asked.to_hour) for n in range(1, 25)],
        "weekdays": [Option(n, name, n in asked.day) for n, name in enumerate(words.WEEKDAYS, start=1)],
        "variables": _variables(asked),
        "codes": codes,
        "is_number": variable is not None and variable.kind == Kind.NUMBER,
        "cells": [Option(n, words.metres(n), n == asked.cell) for n in CELLS],
    }


def kept(asked: Asked) -> list[tuple[str, Any]]:
    """(name, value) of what a form of events holds without showing it: how a map of them is drawn."""
    method = "" if asked.method == BEST else asked.method
    found: list[tuple[str, Any]] = [("bandwidth", asked.bandwidth), ("cell", asked.cell), ("method", method)]
    return [(name, value) for name, value in found if value]


def with_query(links: list[Link], asked: Asked) -> list[Link]:
    """The pages of a unit, those of its events with what the address asks for."""
    query = asked.query(near=False, test=False)
    return [link._replace(href=f"{link.href}?{query}") if link.href.startswith(OF_EVENTS) else link for link in links]


def in_tree(categories, parent=None, depth=0):
    for one in categories:
        if one.parent_id == parent:
            yield depth, one
            yield from in_tree(categories, one.pk, depth + 1)


def _variables(asked):
    """(factor, options): what is not reserved and has something to choose."""
    held = Variable.objects.exclude(kind=Kind.COLUMN).exclude(sensitivity=Sensitivity.RESERVED).exclude(is_retired=True)
    with_codes = set(VariableCode.objects.order_by().values_list("variable_id", flat=True).distinct())
    found = {factor: [] for factor in Factor.values}
    for one in held:
        if one.kind == Kind.NUMBER or one.pk in with_codes:
            field = f"{one.factor}.{one.key}"
            found[one.factor].append(Option(field, one.local_name, field == asked.variable))
    return [(Factor(factor).label, sorted(some, key=lambda one: one.label)) for factor, some in found.items() if some]


def _chosen(asked):
    """The variable of the address and the options of its codes."""
    if not asked.variable:
        return None, []
    factor, _dot, key = asked.variable.partition(".")
    variable = Variable.objects.filter(factor=factor, key=key).first()
    if variable is None or variable.kind != Kind.CATEGORY:
        return variable, []
    codes = VariableCode.objects.filter(variable=variable).order_by("code")[:MOST_CODES]
    found = [Option(one.code, one.local_name, one.code in asked.value) for one in codes]
    return variable, [*found, Option(0, _("not stated"), 0 in asked.value)]


def strip(spots: Spots) -> list[Bar]:
    """Every month as a bar that leads to the window ending with it."""
    by_month, asked = spots.by_month, spots.fixed
    most = max(by_month.values(), default=0) or 1
    first, last = asked.first.replace(day=1), asked.last
    found = []
    for x, (month, n) in enumerate(by_month.items()):
        height = round(STRIP_HEIGHT * n / most, 1)
        label = f"{wording.month_name(month)}: {wording.number(n, 0)}"
        href = f"?{asked.ending(month).query()}"
        found.append(Bar(href, label, x, STRIP_HEIGHT - height, height, first <= month <= last))
    return found


def steps(spots: Spots) -> dict[str, Any]:
    """The windows before and after, of the same length, and the lengths that a click gives."""
    asked, months = spots.fixed, list(spots.by_month)
    end = asked.last.replace(day=1)

    def to(month: date) -> str:
        return f"?{asked.ending(month).query()}" if months and months[0] <= month <= months[-1] else ""

    return {
        "earlier": to(shifted(end, -1)),
        "later": to(shifted(end, 1)),
        "at": months.index(end) if end in months else len(months) - 1,
        "last": len(months) - 1,
        "lengths": [
            Option(f"?{_long(asked, n).query()}", _length_words(n), asked.is_whole_months and asked.months == n)
            for n in LENGTHS
        ],
    }


def _long(asked: Asked, months: int) -> Asked:
    end = asked.last.replace(day=1)
    return replace(asked, first=shifted(end, 1 - months)).ending(end)


def _length_words(months: int) -> str:
    return {
        1: _("1 month"),
        3: _("3 months"),
        12: _("12 months"),
        24: _("24 months"),
    }[months]
