"""Indicators whose value is a formula over others of the same institution: evaluated at every unit, never rolled up.

A formula that divides one part by another, in a sheet with a denominator, keeps both parts, so that the year to date
can be the ratio of their sums; any other gives a value, taken over time by the sheet's rule.
"""

import numpy as np

from indicators import formula
from indicators.year import Figures


def _formulas(sheets):
    return {v.indicator.code: formula.parse(v.formula) for v in sheets.versions if v.formula}


def _id_of(sheets):
    return {v.indicator.code: v.indicator_id for v in sheets.versions}


def with_dependents(versions, indicators):
    """Ids of the indicators, and of those whose formulas rest on them, whatever the version of their sheets."""
    wanted = set(indicators)
    id_of = {v.indicator.code: v.indicator_id for v in versions}
    rests_on = [(v.indicator_id, {id_of.get(code) for code in formula.codes(v.formula)}) for v in versions if v.formula]
    while True:
        more = {i for i, needed in rests_on if needed & wanted} - wanted
        if not more:
            return sorted(wanted)
        wanted |= more


def inputs(sheets, computed):
    """Ids of the reported indicators that formulas rest on, directly or through other formulas, in the sheets'
    order.
    """
    trees, id_of = _formulas(sheets), _id_of(sheets)
    code_of = {i: code for code, i in id_of.items()}
    needed, queue = set(), [code_of[i] for i in computed]
    while queue:
        for code in formula.codes(trees[queue.pop()]):
            if code in needed:
                continue
            needed.add(code)
            if code in trees:
                queue.append(code)
    return [i for i in sheets.ids if code_of[i] in needed and code_of[i] not in trees]


def waiting(sheets, computed, plain, every, approved, *, shape):
    """Where a formula rests on a provisional figure, there or below; bool (12, len(computed), N), or None: nowhere.

    every, approved: results of the reported indicators with provisional figures and without.
    """
    if approved is every:
        return None
    found = np.zeros(shape, bool)
    differs = every.reported != approved.reported
    for n, indicator in enumerate(computed):
        rows = [plain.index(i) for i in inputs(sheets, [indicator])]
        found[: len(differs), n] = differs[:, rows].any(axis=1)
    return found


def evaluate(sheets, computed, plain, results, provisional):
    """Figures (12, len(computed), N) of formula indicators from the results of the reported ones (months 0..M-1)."""
    trees, id_of = _formulas(sheets), _id_of(sheets)
    code_of = {i: code for code, i in id_of.items()}
    months, _, units = results.month.value.shape
    shape = (12, len(computed), units)
    known = {code_of[i]: results.month.value[:, k] for k, i in enumerate(plain)}
    version_of = {v.indicator.code: v for v in sheets.versions}
    blank, zeros = np.full((months, units), np.nan), np.zeros((months, units))  # a constant stands at every unit
    parts = {}
    for code in formula.order(trees):
        needed = formula.codes(trees[code])
        if not set(needed) <= known.keys():
            continue
        top, under = _parts(trees[code], version_of[code])
        numerator = formula.evaluate(top, known).values + zeros
        denominator = blank if under is None else formula.evaluate(under, known).values + zeros
        scale = version_of[code].scale
        with np.errstate(divide="ignore", invalid="ignore"):
            value = numerator if under is None else np.where(denominator > 0, scale * numerator / denominator, np.nan)
        known[code] = value
        parts[code] = numerator, denominator
    own = Figures(np.full(shape, np.nan), np.full(shape, np.nan), None, provisional)
    for n, indicator in enumerate(computed):
        code = code_of[indicator]
        if code in parts:
            own.numerator[:months, n], own.denominator[:months, n] = parts[code]
    return own


def _parts(node, version):
    """Numerator and denominator of a formula, or the whole and None."""
    is_division = isinstance(node, formula.Operation) and node.sign == "/"
    if is_division and version.denominator_kind:
        return node.operands
    return node, None


def due(sheets, computed, plain, results, axis):
    """A formula's figure is due where all that it rests on is due, in the unit or below. bool (12, len(computed),
    N).
    """
    found = np.zeros((12, len(computed), len(axis)), bool)
    months = results.due.shape[0]
    for n, indicator in enumerate(computed):
        rows = [plain.index(i) for i in inputs(sheets, [indicator])]
        found[:months, n] = (results.due[:, rows] > 0).all(axis=1) & axis.is_open[:months]
    return found
