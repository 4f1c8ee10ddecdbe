"""Formulas of sheets as they stand in a month: do they read, do their indicators exist, do they go in a circle."""

import re

from django.utils.translation import gettext as _

from indicators import formula
from indicators.models import Indicator, SheetVersion

# What the parser says, by how it begins, in the reader's language; the position is kept.
_WORDS = {
    "The formula is empty": lambda: _("The formula is empty."),
    "Expected": lambda: _("The formula cannot be read from here on."),
    "Did not expect": lambda: _("The formula cannot be read from here on."),
    "The formula is longer": lambda: _("The formula is too long."),
    "The formula is nested too deeply": lambda: _("The formula is nested too deeply."),
    "abs takes one argument": lambda: _("abs takes one argument."),
}


def formulas_in(month):
    """Formulas in force in a month: {code of the indicator: formula}. One query."""
    return dict(SheetVersion.objects.in_month(month).exclude(formula="").values_list("indicator__code", "formula"))


def formula_problem(text, code, month):
    """What is wrong with the formula of `code` from this month on, in words, or None. A circle is named whole."""
    try:
        wanted = formula.codes(text)
    except formula.FormulaError as error:
        return reading_error(error)
    if not wanted:
        return _("A formula names at least one indicator.")
    known = set(Indicator.objects.filter(code__in=wanted).values_list("code", flat=True))
    unknown = [name for name in wanted if name not in known and name != code]
    if unknown:
        return _("There is no indicator with the code %(code)s.") % {"code": unknown[0]}
    return _circle({**formulas_in(month), code: text})


def _circle(formulas):
    try:
        formula.order(formulas)
    except formula.CycleError as error:
        return _("The formulas go in a circle: %(cycle)s.") % {"cycle": " → ".join(error.cycle)}
    except formula.FormulaError as error:
        return reading_error(error)
    return None


def reading_error(error):
    """What the parser found, with the place where it shows."""
    plain = re.sub(r" \(at character \d+\)$", "", str(error))
    words = next((say() for start, say in _WORDS.items() if plain.startswith(start)), plain)
    if not error.text:
        return words
    return _("%(problem)s At character %(n)s: %(there)s") % {
        "problem": words,
        "n": error.position + 1,
        "there": f"“{error.text[error.position : error.position + 12]}”",
    }
