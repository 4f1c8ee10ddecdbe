"""The waterfall of a gap: from what the figure was held against, part by part, to the figure."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from indicators.decompose import Kind
from scorecard import wording
from scorecard.why import asked as ways
from scorecard.why.parts import Parts

DRAWN = 10  # parts that are drawn one by one
WIDTH = 1000.0
MARGIN = 0.08  # of the range, so that the lower end of two shows where it ends


class Bar(NamedTuple):
    """A row: its words, where its rectangle begins and how wide it is of WIDTH, and whether it is an end, more, less
    or the rest.
    """

    name: str
    href: str
    said: str
    x: float
    width: float
    kind: str


class _Step(NamedTuple):
    name: str
    href: str
    effect: float
    kind: str


def bars(parts: Parts) -> list[Bar]:
    base, actual = float(parts.gap.base), float(parts.gap.actual)
    steps, at, edges = _steps(parts), base, [base, actual]
    for step in steps:
        at += step.effect
        edges.append(at)
    low, high = min(edges), max(edges)
    low = 0.0 if low >= 0 and low <= (high - low) else low - (high - low) * MARGIN
    scale = WIDTH / ((high - low) or 1)

    def end(name, value):
        return Bar(name, "", parts.figure(value), 0, _rounded((value - low) * scale), "end")

    found, at = [end(_("Last year") if parts.asked.against == ways.LAST_YEAR else _("Target"), base)], base
    for step in steps:
        left, width = min(at, at + step.effect), abs(step.effect)
        said = wording.signed(step.effect, parts.sheet.decimals)
        x, wide = _rounded((left - low) * scale), max(_rounded(width * scale), 2.0)
        found.append(Bar(step.name, step.href, said, x, wide, step.kind))
        at += step.effect
    return [*found, end(_("Actual"), actual)]


def _steps(parts: Parts) -> list[_Step]:
    items = list(parts.gap.items)
    rest = [part for part in parts.shown if part.kind != Kind.ITEM]
    shown, others = (items, []) if len(items) <= DRAWN + 1 else (items[:DRAWN], items[DRAWN:])
    found = []
    for part in shown:
        named = parts.name_of(part)
        found.append(_Step(named.name, named.href or named.events, float(part.effect), _way(part.effect)))
    if others:
        effect = sum(part.effect for part in others)
        found.append(_Step(_("%(n)s others") % {"n": len(others)}, "#parts", float(effect), _way(effect)))
    return found + [_Step(parts.name_of(part).name, "", float(part.effect), "rest") for part in rest]


def _way(effect) -> str:
    return "more" if effect > 0 else "less"


def _rounded(value: float) -> float:
    return round(max(value, 0.0), 1)
