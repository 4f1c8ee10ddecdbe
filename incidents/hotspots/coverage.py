"""Whether windows, and the parts of one, compare: how many events have a point, which sources and months. Pure.

A map that fades because a source fell silent, or because fewer events have coordinates, says nothing of crime.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from statistics import NormalDist, median

APART = 0.05  # of all events: a difference in the share without a point that is worth a warning
CERTAIN = 1.96  # standard errors by which it must differ
SILENT = 0.05  # of a window's events: a source that gave so many, and none in the other
USUAL = 10  # events a month, below which a month without any is no wonder
YEARS, QUARTERS = 24, 6  # months of a window from which its years, or its quarters, are held against each other


@dataclass(frozen=True)
class Window:
    """Events of a window, those with a point, events by source, and months in which there are none at all."""

    events: int
    located: int
    sources: dict[int, int]
    empty: tuple[date, ...]

    @property
    def missing_share(self) -> float:
        return 1 - self.located / self.events if self.events else 0.0


@dataclass
class Difference:
    """What makes two windows hard to compare; nothing where all is well."""

    missing: tuple[float, float] | None = None  # shares without a point, of this window and the other
    silent: list[int] = field(default_factory=list)  # sources of the other window that are not in this one
    new: list[int] = field(default_factory=list)  # and the other way round
    empty: list[date] = field(default_factory=list)  # months of either without any event, where there usually are

    def __bool__(self) -> bool:
        return bool(self.missing or self.silent or self.new or self.empty)


def window(rows: Iterable[tuple[date, int, int, int]], months: Iterable[date]) -> Window:
    """What the months of a window hold: rows are (month, source, events, located)."""
    wanted, sources, by_month = set(months), defaultdict(int), defaultdict(int)
    located = 0
    for month, source, events, placed in rows:
        if month in wanted:
            sources[source] += events
            by_month[month] += events
            located += placed
    usual = median(by_month.get(month, 0) for month in wanted) if wanted else 0
    empty = tuple(sorted(wanted - by_month.keys())) if usual >= USUAL else ()
    return Window(sum(sources.values()), located, dict(sources), empty)


def difference(one: Window, other: Window) -> Difference:
    """Why `one` may not be compared with `other`. Where either has no events there is nothing to compare."""
    found = Difference(empty=sorted({*one.empty, *other.empty}))
    if not one.events or not other.events:
        return found
    if are_apart(one, other):
        found.missing = one.missing_share, other.missing_share
    found.silent = sorted(_only_in(other, one))
    found.new = sorted(_only_in(one, other))
    return found


def _only_in(this, that):
    return [source for source, n in this.sources.items() if n >= SILENT * this.events and not that.sources.get(source)]


def are_apart(one: Window, other: Window, times: int = 1) -> bool:
    """Do their shares without a point differ by much, and by more than chance, where that is asked `times` over?

    The error of `times` questions is held as that of one (Bonferroni).
    """
    certain = CERTAIN if times == 1 else NormalDist().inv_cdf(1 - (1 - NormalDist().cdf(CERTAIN)) / times)
    pooled = 1 - (one.located + other.located) / (one.events + other.events)
    error = math.sqrt(pooled * (1 - pooled) * (1 / one.events + 1 / other.events))
    return abs(one.missing_share - other.missing_share) >= max(APART, certain * error)


# Within one window ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Some months of a window, the first and the last, and of their events the share without a point."""

    first: date
    last: date
    missing_share: float


@dataclass(frozen=True)
class Unevenness:
    """What makes the parts of a window hard to draw as one; nothing where all is well.

    ends: the parts with the lowest and the highest share without a point; began, ended: of sources, the first or the
    last month with events, where it sent none in the months of the window before or after.
    """

    ends: tuple[Part, Part] | None = None
    began: dict[int, date] = field(default_factory=dict)
    ended: dict[int, date] = field(default_factory=dict)


def parts(months: list[date], starts: Iterable[date] = ()) -> list[list[date]]:
    """Months of a window in the groups that are held against each other: those that begin on `starts`, else calendar
    years, or quarters or months where the window is short.
    """
    begun = sorted(starts)
    if begun:
        return _grouped((m for m in months if m >= begun[0]), lambda month: sum(start <= month for start in begun))
    if len(months) >= YEARS:
        return _grouped(months, lambda month: month.year)
    if len(months) >= QUARTERS:
        return _grouped(months, lambda month: (month.year, (month.month - 1) // 3))
    return [[month] for month in months]


def _grouped(months, key):
    return [list(some) for _key, some in groupby(months, key)]


def unevenness(rows: Iterable[tuple[date, int, int, int]], groups: list[list[date]]) -> Unevenness:
    """Why the groups of months of one window may not be drawn as one: each is held against all others together."""
    rows = list(rows)
    months = [month for group in groups for month in group]
    held = [(group, window(rows, group)) for group in groups]
    held = [(group, one) for group, one in held if one.events >= USUAL]
    whole = window(rows, months)
    ends = None
    if len(held) > 1 and any(are_apart(one, _rest(whole, one), len(held)) for _group, one in held):
        ranked = sorted((Part(group[0], group[-1], one.missing_share) for group, one in held), key=_share)
        ends = ranked[0], ranked[-1]
    return Unevenness(ends, *_begun_and_ended(rows, months, whole))


def _share(part: Part) -> float:
    return part.missing_share


def _rest(whole: Window, one: Window) -> Window:
    return Window(whole.events - one.events, whole.located - one.located, {}, ())


def _begun_and_ended(rows, months, whole):
    """({source: first month}, {source: last month}) where months of the window without it ought to have had events."""
    at, active = {month: n for n, month in enumerate(months)}, defaultdict(list)
    for month, source, events, _placed in rows:
        if month in at and events:
            active[source].append(at[month])
    began, ended = {}, {}
    for source, places in sorted(active.items()):
        first, last = min(places), max(places)
        usual = whole.sources[source] / (last - first + 1)
        if whole.sources[source] < SILENT * whole.events:
            continue
        if usual * first >= USUAL:
            began[source] = months[first]
        if usual * (len(months) - 1 - last) >= USUAL:
            ended[source] = months[last]
    return began, ended
