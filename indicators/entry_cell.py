"""One cell of the entry page: what was typed, recorded at once, and undone.

A cell carries a stamp of the figure that was on the screen, so that two people who change it learn of each other.
"""

import math

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_lazy

from indicators import actions, bulk, months
from indicators.entry import as_typed, has_decimal_comma, stamp_of
from indicators.imports import RULES as WORDS
from indicators.imports import STATES
from indicators.models import Denominator, Measurement, MeasurementPast
from units import cells
from units.files import fold

NAN = float("nan")
SOURCE = "entry"
RULES = {
    "numerator_missing": gettext_lazy("The numerator is missing."),
    "changed_meanwhile": gettext_lazy("Another person changed this figure meanwhile."),
    "nothing_to_undo": gettext_lazy("This was changed again since: there is nothing to undo."),
}


class Refused(Exception):  # noqa: N818 - what a person typed is no error of ours
    """What was typed cannot be recorded: the field at fault, the rule by name, and the words for it."""

    def __init__(self, about, rule, message):
        super().__init__(message)
        self.field, self.rule = about, rule


class Conflict(Refused):
    """The figure on the screen is no longer the one that holds."""

    def __init__(self, figure):
        super().__init__("numerator", "changed_meanwhile", str(RULES["changed_meanwhile"]))
        self.figure = figure


def parsed(sheet, typed, held=None):
    """(numerator, denominator, state) of what was typed. typed: {"numerator", "denominator", "state"} texts.

    An empty cell is blank, "0" is a figure, "n/a" or the state says not applicable; what still stands as it was shown
    of the figure `held` is that figure. Raises Refused.
    """
    texts = {name: (typed.get(name) or "").strip() for name in ("numerator", "denominator")}
    says_na = any(STATES.get(fold(text)) == actions.NOT_APPLICABLE for text in texts.values() if text[:1].isalpha())
    if typed.get("state") or says_na:
        return NAN, NAN, actions.NOT_APPLICABLE
    shown = as_typed(held)

    def number(about):
        if held is not None and texts[about] and texts[about] == shown[about]:
            return getattr(held, about)
        return _number(sheet, about, texts[about])

    numerator, denominator = number("numerator"), NAN
    if sheet.denominator_kind == Denominator.REPORTED:
        denominator = number("denominator")
        if math.isnan(numerator) and not math.isnan(denominator):
            raise Refused("numerator", "numerator_missing", str(RULES["numerator_missing"]))
    return numerator, denominator, actions.BLANK if math.isnan(numerator) else actions.FIGURE


def _number(sheet, about, text):
    """A typed number: of whole figures a mark sets thousands apart, of others the reader's own mark sets decimals."""
    is_whole = sheet.is_count or (sheet.decimals == 0 and sheet.denominator_kind != Denominator.REPORTED)
    try:
        try:
            return cells.number(text)
        except cells.CellError as error:
            if error.rule != "ambiguous_number":
                raise
            if is_whole:
                return float(cells.whole(text))
            if ("," in text) == has_decimal_comma():
                return cells.number(text, decimal_comma="," in text)
            raise
    except cells.CellError as error:
        raise Refused(about, error.rule, str(WORDS[error.rule])) from error


def save(*, by, unit, sheet, month, typed, was, now):
    """Record what was typed into a cell whose stamp on the screen was `was`. Raises Refused, or Conflict."""
    with transaction.atomic():
        held = _held(unit, sheet.indicator_id, month)
        said = parsed(sheet, typed, held)
        _record(by, unit, sheet.indicator_id, month, said, held, was, now)


def undo(*, by, unit, sheet, month, was, now):
    """Put back what a cell said before its last change, where that change was this person's. Raises Refused."""
    with transaction.atomic():
        current = _held(unit, sheet.indicator_id, month)
        before = MeasurementPast.objects.filter(month=month, indicator_id=sheet.indicator_id, unit_id=unit.pk)
        before = before.order_by("-replaced_at", "-pk").first()
        if stamp_of(current) != was or not _is_own(current, before, by):
            raise Refused("numerator", "nothing_to_undo", str(RULES["nothing_to_undo"]))
        if current is not None and (before is None or before.replaced_at != current.recorded_at):
            said, provisional = (NAN, NAN, actions.BLANK), True
        else:
            said, provisional = _said(before), before.is_provisional
        _record(by, unit, sheet.indicator_id, month, said, current, was, now, reason="undo", is_provisional=provisional)


def _is_own(current, before, by):
    """Whether the last change of a cell was this person's: what holds was, or taking back what stood before."""
    if current is not None:
        return current.recorded_by_id == by.pk and current.is_provisional
    return before is not None and before.replaced_by_id == by.pk


def _said(past):
    figures = [NAN if part is None else part for part in (past.numerator, past.denominator)]
    return (*figures, past.state)


def _held(unit, indicator_id, month):
    """The figure that holds, no other writer between this and the end of the transaction."""
    bulk.lock([indicator_id])
    return Measurement.objects.filter(month=month, indicator_id=indicator_id, unit_id=unit.pk).first()


def _record(by, unit, indicator_id, month, said, held, was, now, *, reason="", is_provisional=True):
    """Through the one way that figures come in; nothing where the cell says that already. Inside a transaction."""
    if _says(held) == _comparable(said):
        return
    if stamp_of(held) != was:
        raise Conflict(held)
    numerator, denominator, state = said
    outcome = actions.record(
        by=by,
        months=[np.datetime64(month, "M")],
        indicators=[indicator_id],
        units=[unit.pk],
        numerators=[numerator],
        denominators=[denominator],
        states=[state],
        source=SOURCE,
        now=now,
        kind=SOURCE,
        name=f"{unit.code} {months.format_month(month)}",
        is_provisional=is_provisional,
        reason=reason,
    )
    if outcome.refused:
        first = outcome.refused[0]
        raise Refused(first.field, first.rule, first.message)


def _says(figure):
    if figure is None:
        return (None, None, actions.BLANK)
    return (figure.numerator, figure.denominator, figure.state)


def _comparable(said):
    numerator, denominator, state = said
    return (*(None if math.isnan(part) else part for part in (numerator, denominator)), state)
