"""Whether two windows can be compared: what part of their events has a point, which sources and months they have. Pure.

A map that fades because a source fell silent, or because fewer events have coordinates, says nothing of crime.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from statistics import median

APART = 0.05  # of all events: a difference in the share without a point that is worth a warning
CERTAIN = 1.96  # standard errors by which it must differ
SILENT = 0.05  # of a window's events: a source that gave so many, and none in the other
USUAL = 10  # events a month, below which a month without any is no wonder


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
    shares = one.missing_share, other.missing_share
    pooled = 1 - (one.located + other.located) / (one.events + other.events)
    error = math.sqrt(pooled * (1 - pooled) * (1 / one.events + 1 / other.events))
    if abs(shares[0] - shares[1]) >= max(APART, CERTAIN * error):
        found.missing = shares
    found.silent = sorted(_only_in(other, one))
    found.new = sorted(_only_in(one, other))
    return found


def _only_in(this, that):
    return [source for source, n in this.sources.items() if n >= SILENT * this.events and not that.sources.get(source)]
