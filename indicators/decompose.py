"""Why a figure is not what it was held against: the gap in parts that sum to it exactly.

All is worked out in fractions, so that parts sum to the gap without a rounding; a page rounds when it prints. What is
not known is never taken for 0: it has parts of its own, by name. No Django, no clock.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

ZERO, HALF = Fraction(0), Fraction(1, 2)
MOST = Fraction(4, 5)  # of a gap, from which a few parts are said to explain it


class Kind(StrEnum):
    """What a part is. ITEM: a unit, a category, a value. The others: what no item accounts for."""

    ITEM = "item"
    MISSING = "missing"  # items known on one side alone
    UNATTRIBUTED = "unattributed"  # in the whole's figure, in no item's
    UNSHARED = "unshared"  # in what the whole is held against, in no item's


@dataclass(frozen=True)
class Part:
    """level: what the item's own change adds to the gap; mix: what the change of its weight adds."""

    key: Hashable
    level: Fraction
    mix: Fraction = ZERO
    actual: Fraction | None = None
    base: Fraction | None = None
    kind: Kind = Kind.ITEM
    items: tuple[Hashable, ...] = ()

    @property
    def effect(self) -> Fraction:
        return self.level + self.mix


@dataclass(frozen=True)
class Gap:
    """actual less base, and its parts: the largest first, what no item accounts for last."""

    actual: Fraction
    base: Fraction
    parts: tuple[Part, ...]

    @property
    def total(self) -> Fraction:
        return self.actual - self.base

    @property
    def items(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.kind == Kind.ITEM)

    @property
    def level(self) -> Fraction:
        return sum((part.level for part in self.items), ZERO)

    @property
    def mix(self) -> Fraction:
        return sum((part.mix for part in self.items), ZERO)


def exact(value: float | Fraction | None) -> Fraction | None:
    """The number itself, not its decimal picture; None for none and for NaN."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return Fraction(value)


def of_counts(
    actual: Mapping[Hashable, float | None],
    base: Mapping[Hashable, float | None],
    total_actual: float,
    total_base: float,
) -> Gap:
    """A gap between sums, by items that add up. Figures in one unit of measure; None or NaN where not known."""
    now, was = _known(actual), _known(base)
    items = [Part(key, now[key] - was[key], ZERO, now[key], was[key]) for key in now.keys() & was.keys()]
    one_sided = now.keys() ^ was.keys()
    missing = sum((now.get(key, ZERO) - was.get(key, ZERO) for key in one_sided), ZERO)
    return _gap(items, missing, one_sided, sum(now.values(), ZERO), sum(was.values(), ZERO), total_actual, total_base)


def of_rates(
    actual: Mapping[Hashable, tuple[float | None, float | None]],
    base: Mapping[Hashable, tuple[float | None, float | None]],
    total_actual: float,
    total_base: float,
) -> Gap:
    """A gap between rates, by items of {key: (rate, weight)}: people, cases. None or NaN where not known.

    With w an item's share of all weights and r its rate: level = (w1 + w0)/2 (r1 - r0); mix = (w1 - w0) ((r1 + r0)/2 -
    R), R the middle of the two wholes, so that an item whose weight grows adds where it lies above the whole. The
    symmetric form leaves no term of interaction (Kitagawa 1955). An item without weight on one side is all mix.
    """
    now, was = _shares(actual), _shares(base)
    middle = HALF * (Fraction(total_actual) + Fraction(total_base))
    items, one_sided, missing, moved = [], set(), ZERO, ZERO
    for key in now.keys() | was.keys():
        (rate1, share1), (rate0, share0) = now.get(key, (None, ZERO)), was.get(key, (None, ZERO))
        rate1 = rate0 if rate1 is None and not share1 else rate1
        rate0 = rate1 if rate0 is None and not share0 else rate0
        if rate1 is None or rate0 is None:
            one_sided.add(key)
            missing += share1 * (rate1 or ZERO) - share0 * (rate0 or ZERO)
            continue
        level = HALF * (share1 + share0) * (rate1 - rate0)
        mix = (share1 - share0) * (HALF * (rate1 + rate0) - middle)
        moved += middle * (share1 - share0)
        items.append(Part(key, level, mix, rate1, rate0))
    sums = [sum((rate * share for rate, share in side.values() if rate is not None), ZERO) for side in (now, was)]
    return _gap(items, missing, one_sided, sums[0] - moved, sums[1], total_actual, total_base)


def shared_out(total: float, proportions: Mapping[Hashable, float]) -> dict[Hashable, Fraction]:
    """A total in these proportions; nothing where all are 0."""
    known = {key: Fraction(value) for key, value in proportions.items()}
    whole = sum(known.values(), ZERO)
    return {key: Fraction(total) * value / whole for key, value in known.items()} if whole else {}


def explaining(gap: Gap) -> tuple[tuple[Part, ...], Fraction]:
    """The fewest items that make up four fifths of the gap, the largest first, and the share that they make up.

    The share passes 1 where other parts go the other way; no items where all of one sign do not reach so far.
    """
    if not gap.total:
        return (), ZERO
    with_it = sorted((part for part in gap.items if part.effect * gap.total > 0), key=_largest_first)
    taken, summed = [], ZERO
    for part in with_it:
        taken.append(part)
        summed += part.effect
        if summed / gap.total >= MOST:
            return tuple(taken), summed / gap.total
    return (), summed / gap.total


def _known(figures: Mapping[Hashable, float | None]) -> dict[Hashable, Fraction]:
    return {key: known for key, value in figures.items() if (known := exact(value)) is not None}


def _shares(rates: Mapping[Hashable, tuple[float | None, float | None]]) -> dict[Hashable, tuple]:
    """{key: (rate or None, share of all weights)}; an item without weight, or of weight 0, has none."""
    weights = _known({key: weight for key, (_rate, weight) in rates.items()})
    whole = sum(weights.values(), ZERO)
    return {key: (exact(rates[key][0]), weight / whole) for key, weight in weights.items() if weight} if whole else {}


def _gap(
    items: list[Part],
    missing: Fraction,
    one_sided: Iterable[Hashable],
    sum_actual: Fraction,
    sum_base: Fraction,
    total_actual: float,
    total_base: float,
) -> Gap:
    whole, held = Fraction(total_actual), Fraction(total_base)
    parts = sorted(items, key=_largest_first)
    if one_sided:
        names = tuple(sorted(one_sided, key=str))
        parts.append(Part(Kind.MISSING, missing, kind=Kind.MISSING, items=names))
    for kind, rest in ((Kind.UNATTRIBUTED, whole - sum_actual), (Kind.UNSHARED, sum_base - held)):
        if rest:
            parts.append(Part(kind, rest, kind=kind))
    return Gap(whole, held, tuple(parts))


def _largest_first(part: Part) -> tuple[Fraction, str]:
    return -abs(part.effect), str(part.key)
