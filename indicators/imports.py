"""Figures from files: month, indicator, unit, numerator and denominator, state; everything through `record`."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from django.utils.translation import gettext_lazy

from indicators import actions
from indicators.bulk import Written
from indicators.models import Batch, Indicator
from units import cells
from units.files import Columns, Field, digest, fold, read_columns, text
from units.models import Unit
from units.refusals import Refusal

FIELDS = [
    Field("month", ("month", "mes", "periodo", "fecha")),
    Field("indicator", ("indicator", "indicator_code", "indicador", "codigo_indicador")),
    Field("unit", ("unit", "unit_code", "unidad", "codigo_unidad")),
    Field("numerator", ("numerator", "value", "numerador", "valor")),
    Field("denominator", ("denominator", "denominador"), False),
    Field("state", ("state", "estado"), False),
]
RULES = {
    "not_a_month": gettext_lazy("This is not a month: write it like 2023-05."),
    "not_a_number": gettext_lazy("This is not a number."),
    "ambiguous_number": gettext_lazy("Decimals or thousands? Write 1234 or 1234.5, without marks for thousands."),
    "unknown_state": gettext_lazy("The state is figure, not applicable or blank."),
    "figure_and_state": gettext_lazy("A row that is blank or not applicable has no figure."),
    "figure_missing": gettext_lazy("The row says it has a figure, and has none."),
    "not_allowed": gettext_lazy("Your roles do not let you enter figures of this unit."),
}
NOTHING = -1
STATES = {
    "": NOTHING,
    "figure": actions.FIGURE, "cifra": actions.FIGURE, "dato": actions.FIGURE,
    "not applicable": actions.NOT_APPLICABLE, "n a": actions.NOT_APPLICABLE, "na": actions.NOT_APPLICABLE,
    "no aplica": actions.NOT_APPLICABLE, "no aplicable": actions.NOT_APPLICABLE,
    "blank": actions.BLANK, "blanco": actions.BLANK, "en blanco": actions.BLANK,
}  # fmt: skip


@dataclass
class Taken:
    """What came of a file: rows that said nothing are neither taken nor refused."""

    columns: Columns
    written: Written = field(default_factory=Written)
    refused: list = field(default_factory=list)
    empty: int = 0
    batch: Batch | None = None


@dataclass
class _Said:
    """Rows as arrays, good ones only."""

    rows: np.ndarray
    months: np.ndarray
    indicators: np.ndarray
    units: np.ndarray
    numerators: np.ndarray
    denominators: np.ndarray
    states: np.ndarray


def take_in(*, by, path, now, name="", units_allowed=None, accept_valid=False, dry_run=False, is_provisional=True):
    """Record a file's figures. Nothing where a row is refused, unless `accept_valid`. Returns Taken.

    units_allowed: ids of the units that the person may enter for; None for all. An empty row leaves what is there as it
    is: a figure is taken back by the state "blank".
    """
    columns = read_columns(path, FIELDS)
    said, refused, empty = parsed(columns, units_allowed)
    name = name or Path(path).name
    is_spoiled = bool(refused) and not accept_valid
    outcome = actions.record(
        by=by,
        months=said.months,
        indicators=said.indicators,
        units=said.units,
        numerators=said.numerators,
        denominators=said.denominators,
        states=said.states,
        rows=said.rows,
        source="file",
        now=now,
        kind="values",
        name=name,
        sha256=digest(path),
        is_provisional=is_provisional,
        accept_valid=accept_valid,
        dry_run=dry_run or is_spoiled,
        reason=name,
    )
    everything = sorted([*refused, *outcome.refused], key=lambda refusal: refusal.row)
    written = Written() if is_spoiled else outcome.written
    return Taken(columns, written, everything, empty, outcome.batch)


def parsed(columns, units_allowed=None):
    """(_Said, refusals, rows that say nothing) of a table's raw cells."""
    refused = []
    numbers = np.array(columns.numbers)
    bad = np.zeros(len(numbers), bool)

    def refuse(where, about, rule):
        for i in where:
            if not bad[i]:
                bad[i] = True
                refused.append(Refusal(int(numbers[i]), about, rule, str(RULES[rule])))

    months = _months(columns.get("month"), refuse)
    states, marked = _states(columns, refuse)
    numerators = _numbers(marked, "numerator", columns.decimal_comma, refuse)
    denominators = _numbers(columns.get("denominator"), "denominator", columns.decimal_comma, refuse)
    has_figure = ~np.isnan(numerators) | ~np.isnan(denominators)
    without = np.isin(states, (actions.BLANK, actions.NOT_APPLICABLE))
    refuse(np.flatnonzero(has_figure & without), "state", "figure_and_state")
    refuse(np.flatnonzero(~has_figure & (states == actions.FIGURE)), "numerator", "figure_missing")
    states = np.where((states == NOTHING) & has_figure, actions.FIGURE, states)
    units = _ids(columns.get("unit"), Unit.objects.values_list("code", "pk"))
    if units_allowed is not None:
        refuse(np.flatnonzero((units > 0) & ~np.isin(units, list(units_allowed))), "unit", "not_allowed")
    indicators = _ids(columns.get("indicator"), Indicator.objects.values_list("code", "pk"))
    empty = ~bad & (states == NOTHING)
    good = ~bad & ~empty
    said = _Said(*(a[good] for a in (numbers, months, indicators, units, numerators, denominators, states)))
    return said, refused, int(empty.sum())


def _months(raw, refuse):
    known, wrong = {}, []
    for cell in raw:
        if cell not in known:
            try:
                known[cell] = np.datetime64(cells.month(cell), "M")
            except cells.CellError:
                known[cell] = np.datetime64("NaT", "M")
    found = np.array([known[cell] for cell in raw], "datetime64[M]")
    wrong = np.flatnonzero(np.isnat(found))
    refuse(wrong, "month", "not_a_month")
    return found


def _states(columns, refuse):
    """States by their words, from the state's column or in place of the figure; and the figures without such words."""
    given, figures = columns.get("state"), list(columns.get("numerator"))
    states = np.full(len(figures), NOTHING, np.int16)
    wrong = []
    for i, (word, figure) in enumerate(zip(given, figures, strict=True)):
        folded = fold(word) if word else ""
        if folded not in STATES:
            wrong.append(i)
            continue
        states[i] = STATES[folded]
        if isinstance(figure, str) and figure[:1].isalpha() and STATES.get(fold(figure)) == actions.NOT_APPLICABLE:
            states[i], figures[i] = actions.NOT_APPLICABLE, None
    refuse(wrong, "state", "unknown_state")
    return states, figures


def _numbers(raw, about, decimal_comma, refuse):
    """Figures (R,), NaN for empty cells; how decimals are written is decided once for the column."""
    shown = cells.decimal_mark(raw)
    mark = decimal_comma if shown is None else shown
    found, wrong = np.empty(len(raw)), {}
    for i, cell in enumerate(raw):
        try:
            found[i] = cells.number(cell, mark)
        except cells.CellError as error:
            found[i] = np.nan
            wrong.setdefault(error.rule, []).append(i)
    for rule, where in wrong.items():
        refuse(where, about, rule)
    return found


def _ids(raw, pairs):
    """Ids of codes (R,) int64; 0 for a code that is not known."""
    known = dict(pairs)
    return np.array([known.get(cell) or known.get(text(cell).upper(), 0) for cell in raw], np.int64)
