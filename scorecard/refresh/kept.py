"""What a worker keeps of an institution's year from one small drain to the next: own figures, targets and stored cells.

It holds as long as nobody else has refreshed the year: each refresh gives the year a number that is never given again,
under the year's lock. Whatever figure or target has changed since is marked, and a drain reads what its marks name.
"""

from dataclasses import dataclass, field

import numpy as np
from django.db import connection

from indicators.year import Figures, Targets
from scorecard.refresh import figures as reads
from scorecard.refresh.rows import CELLS, KINDS

MOST = 32  # indicators of a drain: what comes in live. A wider change is read plainly and keeps nothing
MONTHS = 3  # months of which stored cells are kept: the running one, and late entries of those before
BYTES = 64 << 20  # an institution's year: beyond it, all is forgotten and read again
BASE = ("unit_id", "recipe_id", "digest", "score", "worst_unit_id")
APPROVED = ("approved_attainment", "approved_marks")


def version_of(institution_id, year):
    """The number of the last refresh of a year, under its lock; None for none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version FROM scorecard_yearversion WHERE institution_id = %s AND year = %s", [institution_id, year]
        )
        row = cursor.fetchone()
    return row and row[0]


def next_version(institution_id, year):
    """A number of its own for this refresh. The sequence does not go back with a transaction that comes to nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO scorecard_yearversion (institution_id, year, version)
            VALUES (%s, %s, nextval('scorecard_yearversion_version_seq'))
            ON CONFLICT (institution_id, year) DO UPDATE SET version = excluded.version RETURNING version""",
            [institution_id, year],
        )
        return cursor.fetchone()[0]


def forget_all():
    """Cards were taken out past the years' locks: nothing that anyone keeps holds."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM scorecard_yearversion")


class Plainly:
    """Figures and targets read whole, each time."""

    def figures(self, axis, sheets):
        return reads.read_figures(axis, sheets)

    def targets(self, axis, sheets):
        return reads.read_targets(axis, sheets)


@dataclass
class KeptYear:
    """Own figures and targets by sheet version, each array (12, N); stored heads by month (0..11), arrays (N,).

    first, changed: what the drain at work must read anew, months first.. of these indicators.
    """

    version: int | None = None
    first: int = 0
    changed: frozenset = frozenset()
    held: dict = field(default_factory=dict)
    heads: dict = field(default_factory=dict)
    read: set = field(default_factory=set)

    def begin(self, first, changed):
        """A drain begins. Until it has ended well, what is kept holds for nobody."""
        self.version, self.first, self.changed, self.read = None, first, frozenset(changed), set()

    def figures(self, axis, sheets):
        own = self._columns("figures", reads.read_figures, axis, sheets)
        shape = (12, len(sheets.ids), len(axis))
        return Figures(
            numerator=_stacked([column.numerator for column in own], shape, np.nan),
            denominator=_stacked([column.denominator for column in own], shape, np.nan),
            declared_na=_stacked([column.declared_na for column in own], shape, False),
            provisional=_stacked([column.provisional for column in own], shape, False),
        )

    def targets(self, axis, sheets):
        own = self._columns("targets", reads.read_targets, axis, sheets)
        shape = (12, len(sheets.ids), len(axis))
        names = ("value", "low", "high", "baseline")
        return Targets(**{name: _stacked([getattr(column, name) for column in own], shape, np.nan) for name in names})

    def _columns(self, kind, read, axis, sheets):
        """Figures or Targets of one indicator each, in the order of the sheets."""
        keys = [(kind, version.pk) for version in sheets.versions]
        missing = [k for k, key in enumerate(keys) if key not in self.held]
        stale = [
            k
            for k, key in enumerate(keys)
            if key in self.held and key not in self.read and sheets.ids[k] in self.changed
        ]
        for rows, first in ((missing, 0), (stale, self.first)):
            if rows:
                found = read(axis, sheets.take(rows), first)
                for n, k in enumerate(rows):
                    fresh = {name: None if a is None else a[:, n] for name, a in vars(found).items()}
                    before = self.held.get(keys[k])
                    self.held[keys[k]] = type(found)(**fresh) if before is None else _joined(before, fresh, first)
                    self.read.add(keys[k])
        return [self.held[key] for key in keys]

    def stored(self, store, first, last, positions):
        """What Store.heads would say of months first..last-1 at these positions."""
        months = range(first, last)
        if len(months) > MONTHS:
            self.heads = {}
            return store.heads(first, last, positions)
        if any(month not in self.heads or _missing(self.heads[month], positions) for month in months):
            found = self._read_heads(store, first, last, positions)
            if (found["ordinal"] < 0).any():
                return found
        names = [*BASE, *(f"{name} {position}" for position in positions for name in (*CELLS, *APPROVED))]
        parts = [self.heads[month] for month in months]
        there = [part["there"] for part in parts]
        found = {
            name: np.concatenate([part[name][here] for part, here in zip(parts, there, strict=True)]) for name in names
        }
        found["at"] = np.concatenate([np.full(here.sum(), m) for m, here in zip(months, there, strict=True)])
        found["ordinal"] = np.concatenate([np.flatnonzero(here) for here in there])
        return found

    def _read_heads(self, store, first, last, positions):
        """Positions kept already are read with the new ones, so that a month's heads are of one moment."""
        kept = {p for month in range(first, last) for p in self.heads.get(month, {}).get("positions", ())}
        positions = sorted(kept | set(positions))
        found = store.heads(first, last, positions)
        if (found["ordinal"] < 0).any():  # cards of units that do not stand: the year will be made whole
            return found
        size = len(store.axis)
        for month in range(first, last):
            here = found["at"] == month
            ordinal = found["ordinal"][here]
            heads = {"positions": set(positions), "there": np.zeros(size, bool)}
            heads["there"][ordinal] = True
            for name in found.keys() - {"at", "ordinal", "month"}:
                heads[name] = np.zeros(size, found[name].dtype)
                heads[name][ordinal] = found[name][here]
            self.heads[month] = heads
        return found

    def written(self, rows, digest, recipes, worst, approved):
        """Cards were written: the heads kept of them say so. rows: Rows; approved: (R, P) attainment and marks."""
        for month in set(np.unique(rows.month).tolist()) & self.heads.keys():
            here = rows.month == month
            at, heads = rows.ordinal[here], self.heads[month]
            heads["recipe_id"][at], heads["digest"][at] = recipes[month], digest[here]
            heads["score"][at], heads["worst_unit_id"][at] = rows.totals["score"][here], worst[here]
            for position in heads["positions"]:
                for name in CELLS:
                    cells = rows.cells[name]
                    blank = KINDS[name][2]
                    heads[f"{name} {position}"][at] = cells[here, position] if position < cells.shape[1] else blank
                keeps = rows.keeps_approved[here]
                for name, part, none in zip(APPROVED, approved, (np.nan, -1), strict=True):
                    heads[f"{name} {position}"][at] = np.where(keeps, part[here, position], none)

    def end(self, version):
        """The drain has ended well: what is kept is of this refresh."""
        arrays = [a for column in self.held.values() for a in vars(column).values() if a is not None]
        arrays += [a for heads in self.heads.values() for a in heads.values() if isinstance(a, np.ndarray)]
        if sum(array.nbytes for array in arrays) > BYTES:
            self.held, self.heads = {}, {}
        self.version = version


def _missing(heads, positions):
    return not heads["positions"].issuperset(positions)


def _joined(before, fresh, first):
    """Months before `first` as kept, the others as read."""
    joined = {}
    for name, now in fresh.items():
        was = getattr(before, name)
        if now is None and was is None:
            joined[name] = None
            continue
        like = was if now is None else now
        blank = np.zeros_like(like) if like.dtype == bool else np.full_like(like, np.nan)
        was, now = (blank if array is None else array for array in (was, now))
        joined[name] = np.concatenate([was[:first], now[first:]])
    return type(before)(**joined)


def _stacked(columns, shape, blank):
    """Arrays (12, N), some None, side by side as (12, K, N); None where all are."""
    if all(column is None for column in columns):
        return None
    found = np.full(shape, blank)
    for k, column in enumerate(columns):
        if column is not None:
            found[:, k] = column
    return found
