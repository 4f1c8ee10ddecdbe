"""Attainment, state and light of a figure against its target: every form, elementwise on arrays.

v actual, m target, b baseline, each for the same span and the same months; lo, hi the range, T its tolerance, all in
the indicator's own unit. NaN is missing. All functions broadcast. Attainment is in %, raw and unrounded.
Limits and forms are defaults of the product, printed beside every light.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy import special

from .codes import Light, Sense, State

GREEN_FROM = 95.0
AMBER_FROM = 85.0
COVERAGE_NEEDED = 0.60
SMALL_TARGET = 10.0
CHANCE_BELOW = 120.0
CHANCE_P = 0.05
IMPROVEMENT_STEP = 11.0
RULES_VERSION = 1

_GUARD = 1e-7  # in percentage points: what binary fractions may lose of a decimal attainment
_SAME = 1e-12  # relative: two figures that differ by less are the same decimal figure
_CHANCE_TABLE = 512


_UP = (Sense.HIGHER, Sense.IMPROVE_HIGHER)
_DOWN = (Sense.LOWER, Sense.LOWER_INVERSE, Sense.IMPROVE_LOWER)


def attainment(sense, v, m=np.nan, b=np.nan, lo=np.nan, hi=np.nan, T=np.nan) -> np.ndarray:
    """Attainment in %, raw: the form of the sense; NaN where there is no figure or no usable target.

    sense int or int array; the rest floats or arrays that broadcast with it. Domain rules, section "Scoring".
    """
    return _by_sense(sense, _form, v, m, b, lo, hi, T)


def attainment_rows(senses, v, m, b=None, lo=None, hi=None, T=None) -> np.ndarray:
    """`attainment` for rows that each have one sense: senses and T (K,), the rest (K, N) or None for nowhere."""
    out = np.empty(v.shape)
    for sense in np.unique(senses):
        rows = rows_where(senses == sense)
        needs = (b, lo, hi)
        picked = [np.nan if array is None else array[rows] for array in needs]
        tolerance = np.nan if T is None else np.asarray(T)[rows][:, None]
        out[rows] = _form(int(sense), v[rows], m[rows], *picked, tolerance)
    return out


def rows_where(mask) -> slice | np.ndarray:
    """The rows of a (K,) mask: a slice where they are neighbours (no copy), else their indices."""
    rows = np.flatnonzero(mask)
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _by_sense(sense, function, *arrays) -> np.ndarray:
    """function(one sense, arrays) wherever that sense stands, everything broadcast together."""
    arrays = [np.asarray(array, np.float64) for array in arrays]
    if np.ndim(sense) == 0:
        return np.asarray(function(int(sense), *arrays))
    sense, *arrays = np.broadcast_arrays(sense, *arrays)
    parts = [(code, sense == code) for code in np.unique(sense)]
    results = [(here, np.asarray(function(int(code), *[array[here] for array in arrays]))) for code, here in parts]
    out = np.empty(sense.shape, results[0][1].dtype if results else np.float64)
    for here, result in results:
        out[here] = result
    return out


def _form(sense, v, m, b, lo, hi, T) -> np.ndarray:
    """Attainment of cells of one sense."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if sense == Sense.HIGHER:
            return _higher(v, m)
        if sense == Sense.LOWER:
            return _lower(v, m)
        if sense == Sense.LOWER_INVERSE:
            return _lower_inverse(v, m)
        if sense == Sense.IMPROVE_HIGHER:
            return _improvement(v, m, b, m - b, _higher)
        if sense == Sense.IMPROVE_LOWER:
            return _improvement(v, m, b, b - m, _lower)
        if sense == Sense.WITHIN:
            return _within(v, lo, hi, T)
        if sense == Sense.MILESTONE:
            return _milestone(v, m)
    raise ValueError(f"Unknown sense {sense}.")


def _higher(v, m) -> np.ndarray:
    """100 v/m for m > 0."""
    return np.where(m > 0, 100.0 * v / m, np.nan)


def _lower(v, m) -> np.ndarray:
    """100 (2 - v/m) for m > 0; a promise of zero is kept or not."""
    return np.where(m > 0, 100.0 * (2.0 - v / m), _zero_promised(v, m))


def _lower_inverse(v, m) -> np.ndarray:
    """100 m/v, at most 200, for m > 0; a promise of zero is kept or not."""
    ratio = np.where(v > 0, np.minimum(200.0, 100.0 * m / v), np.where(np.isnan(v), np.nan, 200.0))
    return np.where(m > 0, ratio, _zero_promised(v, m))


def _zero_promised(v, m) -> np.ndarray:
    """100 if v <= 0 and 0 otherwise, where m = 0; NaN elsewhere and without a figure."""
    return np.where((m == 0) & ~np.isnan(v), np.where(v <= 0, 100.0, 0.0), np.nan)


def _improvement(v, m, b, promised, direct) -> np.ndarray:
    """100 (v - b)/(m - b) where m is better than b, else the form of the direction; NaN without a baseline."""
    better = promised > _SAME * (np.abs(m) + np.abs(b))
    raw = np.where(better, 100.0 * (v - b) / (m - b), direct(v, m))
    return np.where(np.isnan(b), np.nan, raw)


def _within(v, lo, hi, T) -> np.ndarray:
    """100 inside, bounds included; outside by the distance in tolerances, never below 0; NaN without a range."""
    below = np.where(np.isnan(lo), -np.inf, lo - v)
    above = np.where(np.isnan(hi), -np.inf, v - hi)
    distance = np.maximum(below, above)
    distance = np.where(distance <= _SAME * np.maximum(np.abs(v), 1.0), 0.0, distance)
    outside = np.where(T > 0, np.maximum(0.0, 100.0 * (1.0 - distance / T)), 0.0)
    raw = np.where(distance <= 0, 100.0, outside)
    return np.where(_has_range(lo, hi) & ~np.isnan(v), raw, np.nan)


def _has_range(lo, hi) -> np.ndarray:
    """Whether lo..hi is a range: one bound may be open, and they do not cross."""
    return ~(np.isnan(lo) & np.isnan(hi)) & ~(lo > hi)


def _milestone(v, m) -> np.ndarray:
    """100 done, 0 due and not done, NaN before its date (m = 0) and not done, or not reported."""
    raw = np.where(v >= 1, 100.0, np.where(m == 0, np.nan, 0.0))
    return np.where(np.isnan(v), np.nan, raw)


def is_ahead(sense, v, m) -> np.ndarray:
    """Whether a milestone is before its date (m = 0) and not done, so that nothing applies yet; bool."""
    return (np.asarray(sense) == Sense.MILESTONE) & (np.asarray(m) == 0) & ~(np.asarray(v) >= 1)


def usable(sense, m=np.nan, b=np.nan, lo=np.nan, hi=np.nan) -> np.ndarray:
    """Whether target, baseline or range can be scored against, whatever the figure; bool."""
    return _by_sense(sense, _usable, m, b, lo, hi)


def _usable(sense, m, b, lo, hi) -> np.ndarray:
    if sense == Sense.MILESTONE:
        return np.ones(np.broadcast(m, b, lo, hi).shape, bool)
    if sense == Sense.WITHIN:
        return _has_range(lo, hi) & np.ones(np.broadcast(m, b).shape, bool)
    probe = 0.0 if sense != Sense.LOWER_INVERSE else 1.0
    return ~np.isnan(_form(sense, probe, m, b, lo, hi, np.nan))


def is_direct_form(sense, m, b) -> np.ndarray:
    """Whether an improvement is judged by the form of its direction because m is not better than b; bool."""
    sense, m, b = np.asarray(sense), np.asarray(m, np.float64), np.asarray(b, np.float64)
    up, down = sense == Sense.IMPROVE_HIGHER, sense == Sense.IMPROVE_LOWER
    promised = np.where(up, m - b, b - m)
    known = ~np.isnan(promised)
    return (up | down) & known & ~(promised > _SAME * (np.abs(m) + np.abs(b)))


def state(due, reported, raw) -> np.ndarray:
    """NOT_APPLICABLE, NO_DATA, NOT_EVALUABLE, EVALUATED: the first that holds; int8.

    due: something is expected; reported: a figure came in (a zero is a figure); raw: as `attainment` gave it.
    """
    evaluated = ~np.isnan(raw)
    found = State.NO_DATA + np.asarray(reported) * (np.int8(1) + evaluated)
    return np.where(due, found, State.NOT_APPLICABLE).astype(np.int8)


def shown(raw) -> np.ndarray:
    """What is printed: max(0, raw) rounded half up to 0.1; NaN stays NaN."""
    return np.maximum(0.0, np.floor(np.asarray(raw, np.float64) * 10.0 + 0.5 + 10 * _GUARD) / 10.0)


def in_rollup(raw) -> np.ndarray:
    """What enters a weighted mean: min(100, max(0, raw)); NaN stays NaN."""
    return np.clip(np.asarray(raw, np.float64), 0.0, 100.0)


def is_red(raw) -> np.ndarray:
    """Whether the figure as printed is below 85.0; False for NaN."""
    return np.asarray(raw) < AMBER_FROM - 0.05 - _GUARD


def light(raw) -> np.ndarray:
    """GREEN from 95.0, AMBER from 85.0, RED below, of the figure as printed; NONE where NaN; int8."""
    raw = np.asarray(raw, np.float64)
    colour = np.int8(Light.GREEN) + (raw < GREEN_FROM - 0.05 - _GUARD) + is_red(raw).astype(np.int8)
    return (colour * ~np.isnan(raw)).astype(np.int8)


def is_withheld(reported, due) -> np.ndarray:
    """Whether fewer than 60 % of what is due has come in; counts or weights."""
    return 100 * np.asarray(reported) < round(100 * COVERAGE_NEEDED) * np.asarray(due)


def poisson_tail(sense, v, m) -> np.ndarray:
    """Exact probability of missing a count's target by luck: P(X >= v | m) if lower is better, P(X <= v | m) if higher.

    NaN for a sense without a direction, and where figure or target is missing or the target is negative.
    """
    return _by_sense(sense, _tail, v, m)


def _tail(sense, v, m) -> np.ndarray:
    known = ~np.isnan(v) & (m >= 0)
    if sense in _DOWN:
        events = np.ceil(v - _GUARD)
        tail = np.where(events <= 0, 1.0, special.gammainc(np.maximum(events, 1.0), np.where(known, m, 0.0)))
    elif sense in _UP:
        events = np.floor(v + _GUARD)
        tail = np.where(events < 0, 0.0, special.gammaincc(np.maximum(events, 0.0) + 1.0, np.where(known, m, 0.0)))
    else:
        return np.full(np.broadcast(v, m).shape, np.nan)
    return np.where(known, tail, np.nan)


@functools.cache
def _chance_limits() -> tuple[np.ndarray, np.ndarray]:
    """For v = 0, 1, 2...: the target above which v or more, and below which v or fewer, is within chance."""
    events = np.arange(_CHANCE_TABLE, dtype=np.float64)
    at_least = special.gammaincinv(np.maximum(events, 1.0), CHANCE_P)
    at_least[0] = -np.inf
    at_most = special.gammainccinv(events + 1.0, CHANCE_P)
    return at_least, at_most


def is_chance(sense, v, m, raw) -> np.ndarray:
    """Whether a count below a target of 120, not green, cannot be told from chance (tail above 0.05); bool.

    The tail only grows (or only falls) with the target, so each whole v has one limiting target, tabled once.
    """
    sense, v, m, raw = np.broadcast_arrays(sense, v, m, raw)
    asked = (m >= 0) & (m < CHANCE_BELOW) & (raw < GREEN_FROM - 0.05 - _GUARD)
    found = np.array(asked)
    one = sense.flat[0] if sense.size and sense.strides == (0,) * sense.ndim else sense[asked]
    found[asked] = _by_sense(one, _in_chance, v[asked], m[asked])
    return found


def _in_chance(sense, v, m) -> np.ndarray:
    at_least, at_most = _chance_limits()
    if sense in _DOWN:
        events = np.clip(np.nan_to_num(np.ceil(v - _GUARD)), 0, _CHANCE_TABLE - 1).astype(np.intp)
        return m > at_least[events]
    if sense in _UP:
        events = np.clip(np.nan_to_num(np.floor(v + _GUARD)), 0, _CHANCE_TABLE - 1).astype(np.intp)
        return (m < at_most[events]) & (v >= 0)
    return np.zeros(np.broadcast(v, m).shape, bool)


def has_direction(sense) -> np.ndarray:
    """Whether more or less is better as such, so that a count can be tried against chance; bool."""
    return np.isin(sense, _UP + _DOWN)


def is_small(m) -> np.ndarray:
    """Whether a count's target is below 10, so that the month shows numbers and the light is the year's; bool."""
    return np.asarray(m) < SMALL_TARGET


def weak_promise(m, b) -> np.ndarray:
    """Whether an improvement of a count promises less than chance alone brings: abs(b - m) < 11 sqrt(m); bool."""
    m, b = np.asarray(m, np.float64), np.asarray(b, np.float64)
    return np.abs(b - m) < IMPROVEMENT_STEP * np.sqrt(np.maximum(m, 0.0))
